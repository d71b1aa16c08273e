"""`benchsuite calibrate`: what is stored of a machine's noise, what it refuses, and what it prints."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from factories import make_baseline, make_case, make_environment, make_record
from hypothesis import given
from hypothesis import strategies as st
from replays import recorded, slug_of
from test_cli import Command, command, measured  # noqa: F401 - a fixture

from benchsuite import calibration, judging, noises, registry, session, store
from benchsuite.approved import Approved
from benchsuite.calibrate import calibrate
from benchsuite.nouns import Better, Job, Kind, Measured, Metric, Record, Status, SuiteError
from benchsuite.runners.ahead import Ahead
from benchsuite.sittings import sittings

GOLDEN = Path(__file__).parent / "golden" / "calibrate.txt"
METRICS = {
    m.name: m
    for m in (
        Metric(name="time.step", unit="s", kind=Kind.WALL, concern="c", title="t", better=Better.LOWER),
        Metric(name="vram.peak.train", unit="B", kind=Kind.BYTES, concern="c", title="t", better=Better.LOWER),
        Metric(name="vram.left", unit="B", kind=Kind.BYTES, concern="c", title="t", better=Better.LOWER),
        Metric(name="params.total", unit="1", kind=Kind.EXACT, concern="c", title="t"),
    )
}
STEPS = (0.0120, 0.0122, 0.0119, 0.0121, 0.0120)


def night(day: int, steps: tuple[float, ...] = STEPS, **overrides: Any) -> list[Record]:
    """A sitting: one trial a value, a minute apart."""
    fixed = {
        "vram.peak.train": Measured(value=2**29),
        "vram.left": Measured(value=0),
        "params.total": Measured(value=7),
    }
    return [
        make_record(
            trial=i, started=f"2025-11-{day:02d}T10:{i:02d}:00+00:00",
            metrics=fixed | {"time.step": Measured(value=step)}, **overrides,
        )
        for i, step in enumerate(steps)
    ]  # fmt: skip


def noise_of(records: list[Record], earlier: Any = None) -> Any:
    """The noise of one case."""
    return calibration.case_noise(records, METRICS, earlier)


# ---------------------------------------------------------------- sittings


@pytest.mark.parametrize(
    ("starts", "found"),
    [
        (["2025-11-03T10:00:00+00:00", "2025-11-03T10:20:00+00:00"], (0, 0)),
        (["2025-11-03T10:00:00+00:00", "2025-11-03T12:00:00+00:00"], (0, 1)),
        (["2025-11-04T10:00:00+00:00", "2025-11-03T10:00:00+00:00"], (1, 0)),
        (["2025-11-03T10:00:00+00:00", "2025-11-03T12:30:00+02:00"], (0, 0)),
        (["2025-11-03T10:00:00", "2025-11-03T12:30:00+00:00"], (0, 1)),
        (["yesterday", "2025-11-03T12:30:00+00:00"], (0, 0)),
        ([], ()),
    ],
)
def test_a_pause_of_an_hour_ends_a_sitting(starts: list[str], found: tuple[int, ...]) -> None:
    """By the clock, in whatever order and zone; where it cannot be read, one sitting."""
    assert sittings([make_record(started=start) for start in starts]) == found


def test_a_long_trial_is_no_pause() -> None:
    """The next one begins when it has ended, not an hour after it began."""
    long = make_record(started="2025-11-03T10:00:00+00:00", seconds=5400.0)
    assert sittings([long, make_record(started="2025-11-03T11:40:00+00:00")]) == (0, 0)


@given(st.permutations(range(6)))
def test_the_order_of_records_does_not_matter(order: list[int]) -> None:
    """Each keeps its sitting."""
    records = [*night(3)[:3], *night(4)[:3]]
    whole = sittings(records)
    assert sittings([records[i] for i in order]) == tuple(whole[i] for i in order)


# ---------------------------------------------------------------- what is stored


def test_the_spread_of_one_sitting_is_within() -> None:
    """Between processes, on the log scale; what never moves has none, what is zero or exact is left out."""
    found = noise_of(night(3))
    assert found.spreads.keys() == {"time.step", "vram.peak.train"}
    assert found.spreads["time.step"].within == pytest.approx(0.0095, abs=0.0002)
    assert (found.spreads["time.step"].freedom, found.spreads["time.step"].nights) == (4.0, 1)
    assert found.spreads["vram.peak.train"].within == 0.0
    assert found.seconds == 12.5


def test_another_night_joins_the_first() -> None:
    """Sittings pool; how far they lie apart is seen from the second on."""
    slow = tuple(1.05 * step for step in STEPS)
    found = noise_of(night(4, slow), noise_of(night(3)))
    assert [len(sitting.trials) for sitting in found.sittings] == [5, 5]
    assert found.spreads["time.step"].between == pytest.approx(0.034, abs=0.002)
    assert found.spreads["time.step"].within == pytest.approx(noise_of(night(3)).spreads["time.step"].within)


def test_a_trial_counts_once() -> None:
    """However often its run is named."""
    once = noise_of(night(3))
    assert noise_of([*night(3), *night(3)], once) == once


@pytest.mark.parametrize(
    "other",
    [
        {"environment": make_environment(packages={**make_environment().packages, "torch": "9.0"})},
        {"environment": make_environment(hardware={"cpu_model": "another"})},
        {"digest": "another"},
        {"readings": {"time.step": 2}},
    ],
)
def test_noise_of_another_stack_is_forgotten(other: dict[str, Any]) -> None:
    """What scattered under other versions, hardware, case or reading says nothing of this one."""
    found = noise_of(night(4, **other), noise_of(night(3)))
    assert len(found.sittings) == 1


def test_a_second_night_may_be_short() -> None:
    """Five in all are enough."""
    assert len(noise_of(night(4)[:2], noise_of(night(3))).sittings) == 2


@pytest.mark.parametrize(
    ("records", "words"),
    [
        (night(3)[:4], "fp32 under tiny: 4 trials, too few to tell how far processes lie apart"),
        (night(3)[:1], "1 trial, too few"),
        ([*night(3), *night(4, injected="fault.py:slow")], "a fault was planted: fault.py:slow"),
        ([*night(3), *night(4, status=Status.FAILED, problem="out of memory")], "this trial is failed (out of memory)"),
        ([*night(3), *night(4, status=Status.INVALID)], "this trial is invalid (no reason given)"),
        ([*night(3), *night(4, pair=1)], "a trial of `benchsuite ab`"),
        ([*night(3), *night(4, environment=make_environment(machine="other"))], "several machines: cpu-x86_64, other"),
        ([*night(3), *night(4, digest="another")], "these trials differ in the case's digest"),
        (
            [*night(3), *night(4, environment=make_environment(packages={}))],
            "these trials differ in package accelerate",
        ),
        ([], "these runs hold no records"),
    ],
)
def test_what_tells_nothing_is_refused(records: list[Record], words: str, tmp_path: Path) -> None:
    """One message; nothing is written."""
    with pytest.raises(SuiteError) as error:
        calibrate(records, baselines=tmp_path, metrics=METRICS)
    assert words in str(error.value)
    assert not list(tmp_path.rglob("*"))


def test_noise_is_stored_sealed_and_beside_the_baselines(tmp_path: Path) -> None:
    """It comes back as it was, is no baseline, and a hand edit is told."""
    report = calibrate(night(3), baselines=tmp_path, metrics=METRICS)
    store.save_baseline(store.baseline_path(tmp_path, report.machine, store.slug(make_case())), make_baseline())
    found = noises.load(tmp_path, report.machine)
    assert found is not None
    assert found.cases == {each.case: each.noise for each in report.cases}
    assert len(store.load_baselines(tmp_path, report.machine)) == 1
    path = Path(report.file)
    path.write_text(path.read_text().replace("0.0122", "0.0123"))
    with pytest.raises(SuiteError, match=r"was edited by hand.*benchsuite calibrate"):
        noises.load(tmp_path, report.machine)


def test_cases_that_were_calibrated_before_stay(tmp_path: Path) -> None:
    """One regime anew leaves the other as it was."""
    calibrate(night(3, case=make_case(regime="qlora")), baselines=tmp_path, metrics=METRICS)
    report = calibrate(night(4), baselines=tmp_path, metrics=METRICS)
    assert report.others == (store.slug(make_case(regime="qlora")),)
    found = noises.load(tmp_path, report.machine)
    assert found is not None
    assert len(found.cases) == 2


# ---------------------------------------------------------------- what judges are told


def told(new: Record, old: tuple[Record, ...] = ()) -> Any:
    """The calibrated spread that a judge of the step gets."""
    noise = calibration.told(METRICS["time.step"], noise_of(night(3)), old or tuple(night(5)), (new,)).noise
    assert noise is not None
    return noise.known


def test_a_spread_is_told_whatever_the_versions() -> None:
    """They are what is judged."""
    upgraded = night(6, environment=make_environment(packages={"torch": "99"}))[0]
    assert told(upgraded).freedom == 4.0


@pytest.mark.parametrize(
    "other",
    [
        {"environment": make_environment(hardware={"cpu_model": "another"})},
        {"digest": "another"},
        {"readings": {"time.step": 2}},
    ],
)
def test_a_spread_of_something_else_is_not_told(other: dict[str, Any]) -> None:
    """Other hardware, another case, another way of reading: uncalibrated."""
    assert told(night(6, **other)[0]) is None


def test_the_baselines_own_trials_count_once() -> None:
    """Calibrated with the very trials that were promoted, the spread has their degrees of freedom and no more."""
    assert told(night(6)[0], tuple(night(3))).freedom == 0.0
    assert told(night(6)[0], tuple(night(3)[:3])).freedom == 2.0


# ---------------------------------------------------------------- the command


def five(day: int = 3, regime: str = "fp32") -> list[Record]:
    """Five trials of a recorded regime whose times differ by a few percent, of one day."""
    record = recorded(regime)
    factors = (1.0, 1.03, 0.98, 1.01, 0.99)
    return [
        replace(
            record, trial=i, started=f"2025-11-{day:02d}T10:{i:02d}:00+00:00",
            metrics={n: _scaled(m, f) if n.startswith("time") else m for n, m in record.metrics.items()},
        )
        for i, f in enumerate(factors)
    ]  # fmt: skip


def _on_gpu(record: Record) -> Record:
    """The record with what only a GPU tells, and a device time that moves less than the step."""
    part = record.metrics["time.step"].value / recorded(record.case.regime).metrics["time.step"].value
    found = {"device.kernel_time.step": 0.0134 * (1 + (part - 1) / 20), "vram.peak.train": 451_462_656}
    return replace(record, metrics=record.metrics | {name: Measured(value=value) for name, value in found.items()})


def _scaled(measured: Measured, factor: float) -> Measured:
    return replace(measured, value=measured.value * factor)


def test_what_a_person_reads(command: Command) -> None:  # noqa: F811
    """The whole output. To approve another: delete the golden file, run, read the difference."""
    measured(*five(), *(_on_gpu(record) for record in five(regime="qlora")))
    code, out, _ = command("calibrate", "source", "--json", "out.json")
    assert code == 0
    if not GOLDEN.exists():
        GOLDEN.write_text(out, encoding="utf-8")
        pytest.fail(f"{GOLDEN.name} was missing and is written: read it")
    assert out == GOLDEN.read_text(encoding="utf-8")
    assert json.loads(Path("out.json").read_text())["machine"] == "cpu-x86_64"


def test_runs_of_two_nights_are_two_sittings(command: Command) -> None:  # noqa: F811
    """Together or one after the other, with the same result."""
    first, second = measured(*five(3), name="first"), measured(*five(4), name="second")
    assert command("calibrate", first, second, "--baselines", "together")[0] == 0
    for run in (first, second):
        code, out, _ = command("calibrate", run)
        assert code == 0
    assert "10 trials in 2 sittings" in out
    assert "1 sitting known before" in out
    both = [noises.load(Path(folder), "cpu-x86_64") for folder in ("together", "baselines")]
    assert both[0] == both[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("calibrate", "source"), "1 trial, too few"),
        (("calibrate", "--trials", "4"), "--trials 4: fewer than 5 do not tell how far processes lie apart"),
        (
            ("calibrate", "source", "--profile", "tiny"),
            "RUN... takes what was recorded and measures nothing: leave out",
        ),
        (("calibrate", "nowhere"), "nowhere"),
    ],
)
def test_a_mistake_is_one_message(command: Command, words: tuple[str, ...], said: str) -> None:  # noqa: F811
    """Exit code 2, no traceback, nothing stored."""
    measured()
    code, out, err = command(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
    assert not Path("baselines").exists()


class Five:
    """Takes the place of the runner of processes: hands out recorded trials that differ in their times."""

    def __init__(self, *, gpu: str, ahead: Ahead) -> None:
        assert gpu == ""

    def run(
        self, job: Job, run: Path, tell: Callable[[Mapping[str, Any]], None], then: Job | None = None
    ) -> tuple[Record, ...]:
        """The trial, on disk."""
        (case,) = job.cases
        record = five(regime=case.regime)[job.trial]
        store.save_record(run, record)
        return (record,)


def test_without_a_run_it_measures_five_trials_of_each_case(
    command: Command,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As `benchsuite run` does, with an estimate before; the records stay."""
    monkeypatch.setattr(session, "LocalRunner", Five)
    code, out, err = command("calibrate", "--regimes", "fp32")
    assert code == 0, err
    assert "5 trials, about" in err
    assert f"{slug_of('fp32')}: step +-" in out
    assert len(store.load_run(Path("results") / "latest")) == 5


def test_a_run_against_a_calibrated_baseline_is_no_longer_marked(command: Command) -> None:  # noqa: F811
    """`run` and `compare` read noise.json; without it they say that what counts is uncalibrated."""
    measured(*five(3), name="first")
    measured(*five(4)[:1], name="second")
    assert command("promote", "first", "--reason", "first figures")[0] == 0

    def step(*words: str) -> dict[str, Any]:
        command(*words, "--json", "v.json")
        return next(v for v in json.loads(Path("v.json").read_text()) if v["metric"] == "time.step")

    run, compare = ("run", "--profile", "tiny", "--replay", "second"), ("compare", "first", "second")
    for words in (run, compare):
        assert "(uncalibrated)" in step(*words)["detail"]
    assert command("calibrate", "first")[0] == 0
    for words in (run, compare):
        found = step(*words)
        assert "(uncalibrated)" not in found["detail"]
        assert (found["outcome"], found["detectable"] > 0.25) == ("ok", True)


def test_the_real_metrics_that_scatter_are_those_that_are_judged_over_trials() -> None:
    """Times, energy, RAM and allocator figures; nothing that repeats to the bit by its kind."""
    noise = calibration.case_noise(five(), registry.metrics(), None)
    kinds = {registry.metrics()[name].kind for name in noise.spreads}
    assert kinds == {Kind.WALL, Kind.BYTES}
    assert {"time.step", "time.train", "ram.peak", "saved.bytes"} <= noise.spreads.keys()


# ---------------------------------------------------------------- seeds


def seeded(seed: int, accuracy: float, **overrides: Any) -> Record:
    """A trial of another seed, with its accuracy on eight examples."""
    right = round(8 * accuracy)
    samples = (1.0,) * right + (0.0,) * (8 - right)
    case = make_case(seed=seed, **overrides)
    metrics = {"quality.accuracy.reloaded": Measured(value=right / 8, samples=samples)}
    return make_record(case=case, metrics=metrics)


def test_an_accuracy_is_told_beside_what_other_seeds_gave(tmp_path: Path) -> None:
    """Seeds that were approved of the same case, and no other case's."""
    for record in (
        seeded(42, 0.75), seeded(43, 0.875), seeded(44, 0.625), seeded(45, 0.1, regime="qlora"),
        seeded(46, 0.1, task_revision="2"),
    ):  # fmt: skip
        baseline = make_baseline(case=record.case, trials=(record,))
        store.save_baseline(store.baseline_path(tmp_path, baseline.machine, store.slug(record.case)), baseline)
    folder, case = Approved(tmp_path), make_case(seed=42)
    siblings = folder.siblings("cpu-x86_64", case)
    assert [other.case.seed for other in siblings] == [43, 44]
    baseline = folder.baseline("cpu-x86_64", case)

    def detail(**more: Any) -> str:
        verdicts = judging.judge(case, baseline, [seeded(42, 0.75)], {}, **more)
        return next(v.detail for v in verdicts if v.metric == "quality.accuracy.reloaded")

    assert "3 seeds of the baseline lie between 0.6250 and 0.8750, 12.50 points apart by standard" in detail(
        siblings=siblings
    )
    assert "seeds" not in detail()


# ---------------------------------------------------------------- beside the baselines


def test_a_folder_of_baselines_may_hold_noise(command: Command) -> None:  # noqa: F811
    """It is compared, promoted into and calibrated from as before."""
    measured(*five(3), name="first")
    measured(*five(4), name="second")
    for words in (("promote", "first", "--reason", "first"), ("calibrate", "first")):
        assert command(*words)[0] == 0
    code, out, _ = command("compare", "baselines/cpu-x86_64", "second")
    assert code == 0, out
    assert command("promote", "second", "--reason", "again")[0] == 0
    code, out, _ = command("calibrate", "baselines/cpu-x86_64")
    assert code == 0
    assert "10 trials in 2 sittings" in out


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[:200], "is cut short"),
        (lambda text: text.replace("cpu-x86_64", "other"), "was edited by hand"),
        (lambda text: text.replace('"schema": 1', '"schema": 99'), "was written by a newer benchsuite"),
        (lambda _: "[]", "states no schema"),
    ],
)
def test_damaged_noise_is_told_before_anything_is_measured(
    command: Command,  # noqa: F811
    damage: Callable[[str], str],
    said: str,
) -> None:
    """Exit code 2, one message, no run."""
    measured(*five(3), name="first")
    command("calibrate", "first")
    path = Path("baselines/cpu-x86_64/noise.json")
    path.write_text(damage(path.read_text()))
    for words in (("run", "--replay", "first"), ("compare", "first", "first"), ("calibrate", "first")):
        code, _, err = command(*words)
        assert code == 2
        assert said in err
    assert [folder.name for folder in Path("results").iterdir()] == ["first"]


def test_noise_of_another_machine_is_not_taken(tmp_path: Path) -> None:
    """A file that was copied into another machine's folder."""
    report = calibrate(night(3), baselines=tmp_path, metrics=METRICS)
    there = noises.path_of(tmp_path, "another")
    there.parent.mkdir()
    there.write_text(Path(report.file).read_text())
    with pytest.raises(SuiteError, match="is of cpu-x86_64, not of another"):
        noises.load(tmp_path, "another")
