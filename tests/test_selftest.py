"""The self-test: which faults there are, that each can be planted, and what becomes of a trial's verdicts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from factories import make_case, make_environment, make_record

from benchsuite import codec, injection, matrix, matrix_words, planting, selftest
from benchsuite.compare import measured
from benchsuite.faults import _fault
from benchsuite.faults._fault import UNPLANTED, Fault, fault
from benchsuite.matrix import Report, Result, Row
from benchsuite.nouns import (
    FAILING,
    Better,
    Device,
    Kind,
    Measured,
    Metric,
    Options,
    Outcome,
    Record,
    Role,
    Status,
    SuiteError,
    UsageError,
    Verdict,
)
from benchsuite.registry import metrics, regimes

LISTED = (
    "gradient accumulation inflates loss and gradients by k",
    "head is quantised, or not skipped",
    "unquantised modules load in fp32, not fp16",
    "skip-list names silently ignored",
    "double quantisation ignored",
    "weights re-initialised after load, clean load report",
    "lr decays too fast",
    "weight decay reaches LayerNorm and bias",
    "optimizer default changes",
    "attention mask ignored",
    "truncation shortened",
    "sampler order changed",
    "head not trained or not saved",
    "adapter silently empty after reload",
    "random head after reload",
    "gradient checkpointing switched on",
    "attention backend swapped",
    "TF32 default flips",
    "4-bit path slower",
    "activations kept for frozen weights",
    "cache emptied every step",
    "objects retained per Trainer",
)
FAULTS = planting.faults()


# ---------------------------------------------------------------- which faults there are


def test_every_listed_fault_has_one_plant() -> None:
    """Each fault that reached users is planted by exactly one of ours."""
    assert sorted(f.listed for f in FAULTS.values() if f.listed) == sorted(LISTED)


def test_list_is_the_project_s() -> None:
    """The list above is the one that was handed to the project, threads and all."""
    file = Path(__file__).parents[2] / "shared" / "FAULTS.md"
    if not file.is_file():
        pytest.skip("the list of faults lies beside the repository only where it is developed")
    rows = [line.split("|")[1:3] for line in file.read_text().splitlines() if line.startswith("| ")][1:]
    table = {name.strip(): [t.strip() for t in threads.split(",")] for name, threads in rows}
    assert tuple(table) == LISTED
    for planted in FAULTS.values():
        if planted.listed:
            assert list(planted.threads) == _full(table[planted.listed])


def _full(threads: list[str]) -> list[str]:
    """«transformers#1, #2» names its repository once."""
    found: list[str] = []
    for thread in threads:
        found += [thread if thread[0] != "#" else found[-1].split("#")[0] + thread] if thread != "-" else []
    return found


def test_there_are_others() -> None:
    """At least fifteen faults are in no list, and cite no thread."""
    own = [f for f in FAULTS.values() if not f.listed]
    assert len(own) >= 15
    assert not any(f.threads for f in own)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_fault_is_described(name: str) -> None:
    """A fault names known regimes and libraries, metrics that some meter owns, and itself by file and function."""
    known = FAULTS[name]
    assert known.about
    assert known.word
    assert set(known.regimes) <= set(regimes())
    assert set(known.libraries) <= {
        "accelerate", "bitsandbytes", "datasets", "peft", "tokenizers", "torch", "transformers",
    }  # fmt: skip
    for glob in known.seen_by:
        assert glob == "trial" or any(matrix._matches(m, (glob,)) for m in metrics()), glob
    file, _, function = known.where.rpartition(":")
    assert f"def {function}(" in Path(file).read_text()


def test_reduced_set_is_small() -> None:
    """The reduced set spans several libraries and regimes, in few trials that need no GPU."""
    few = planting.choose(FAULTS, "*", reduced=True)
    assert 5 <= len(few) <= 10
    assert {r for f in few for r in f.regimes[:1]} == {"fp32", "qlora"}
    assert all(f.needs is Device.CPU for f in few)


PLANT_ALL = """
import json, os
import torch, transformers, datasets, accelerate, peft, bitsandbytes
from benchsuite.planting import faults
failed = {}
for name, fault in faults().items():
    child = os.fork()
    if child == 0:
        fault()  # what it raises ends this child with its traceback and code 1
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        failed[name] = True
print(json.dumps(sorted(failed)))
"""


def test_every_fault_can_be_planted() -> None:
    """Each plant finds what it patches in the installed libraries, freshly imported."""
    done = subprocess.run([sys.executable, "-c", PLANT_ALL], capture_output=True, text=True, check=True, env=_quiet())
    assert json.loads(done.stdout.splitlines()[-1]) == [], done.stderr


def _quiet() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


# ---------------------------------------------------------------- ways to plant


class Owner:
    """Something to plant in."""

    def method(self, x: int) -> Any:
        """One more."""
        return x + 1

    @classmethod
    def on_class(cls, x: int) -> Any:
        """The class's name and a number."""
        return f"{cls.__name__} {x}"

    @staticmethod
    def alone(x: int) -> Any:
        """The negative."""
        return -x


class Heir(Owner):
    """Inherits what is planted in its parent."""


def test_wrap_keeps_the_kind_of_method(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instance, class and static methods are wrapped as what they are, and heirs see it."""
    for name in ("method", "on_class", "alone"):
        monkeypatch.setattr(Owner, name, Owner.__dict__[name])
        _fault.wrap(Owner, name, lambda call, *args: (call(*args),))
    assert Heir().method(1) == (2,)
    assert Heir.on_class(3) == ("Heir 3",)
    assert Owner.alone(4) == (-4,)


def test_with_default_changes_call_and_signature() -> None:
    """A moved default is what a call gets and what the signature says; the others stay."""

    def positional(a: int, b: int = 1, c: int = 2) -> tuple[int, ...]:
        return a, b, c

    def keyword(a: int, *, b: int = 1) -> tuple[int, ...]:
        return a, b

    _fault.with_default(positional, "b", 9)
    _fault.with_default(keyword, "b", 8)
    assert positional(0) == (0, 9, 2)
    assert keyword(0) == (0, 8)


def test_every_counts_for_itself() -> None:
    """Each counter says True at its own n-th call."""
    third = _fault.every(3)
    assert [third() for _ in range(7)] == [False, False, True, False, False, True, False]


# ---------------------------------------------------------------- rows


@fault(
    "a thing is lost",
    libraries=("peft",),
    regimes=("qlora", "fp32"),
    seen_by=("model.*", "saved.tensors"),
    word="Thing",
)
def example() -> None:
    """A plant that plants nothing."""


@fault("a GPU's thing", libraries=("torch",), regimes=("fp32",), seen_by=("count.*",), word="x", needs=Device.CUDA)
def on_cuda() -> None:
    """A plant that plants nothing."""


def verdict(metric: str, outcome: Outcome = Outcome.CHANGED, role: Role = Role.GATE, cause: str = "") -> Verdict:
    return Verdict(
        case="c", metric=metric, title=metric, unit="", kind=Kind.EXACT, role=role, concern="fingerprint",
        outcome=outcome, old=None, new=None, effect=None, interval=None, detectable=None, detail="a -> b",
        cause=cause, advice="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("verdicts", "acted", "result", "by", "besides"),
    [
        ([verdict("model.modules")], True, Result.CAUGHT, ("model.modules",), ()),
        ([verdict("input.order"), verdict("saved.tensors")], True, Result.CAUGHT, ("saved.tensors",), ("input.order",)),
        ([verdict("input.order")], True, Result.ELSEWHERE, (), ("input.order",)),
        ([verdict("model.modules", role=Role.EXPLAIN)], True, Result.MISSED, (), ()),
        ([verdict("model.modules", Outcome.OK)], True, Result.MISSED, (), ()),
        ([verdict("model.modules", Outcome.OK)], False, Result.SILENT, (), ()),
        ([], False, Result.SILENT, (), ()),
    ],
)
def test_sift(
    verdicts: list[Verdict], acted: bool, result: Result, by: tuple[str, ...], besides: tuple[str, ...]
) -> None:
    """Caught is what an expected gate metric fails on; an alarm elsewhere is a wrong answer."""
    row = matrix.sift(example, "qlora", verdicts, acted=acted, problem="")
    assert (row.result, row.by, row.besides) == (result, by, besides)


CRASH = "AssertionError in train: no head"


@pytest.mark.parametrize(
    ("seen_by", "problem", "result"),
    [
        (("model.*",), CRASH, Result.CRASHED),
        (("model.*", "trial"), CRASH, Result.CAUGHT),
        (("model.*", "trial"), f"{UNPLANTED}: AttributeError: gone", Result.UNPLANTED),
        (("model.*",), f"{UNPLANTED}: AttributeError: gone", Result.UNPLANTED),
    ],
)
def test_sift_tells_a_crash_and_a_broken_plant(seen_by: tuple[str, ...], problem: str, result: Result) -> None:
    """A dead trial catches a fault that is to be told by its death, else not; a plant that fails is no catch ever."""
    planted = replace(example, seen_by=seen_by)
    row = matrix.sift(planted, "qlora", [verdict("trial", Outcome.INVALID)], acted=True, problem=problem)
    assert (row.result, row.problem) == (result, problem)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_sift_follows_fails(outcome: Outcome) -> None:
    """What makes a run fail is what catches, outcome by outcome."""
    row = matrix.sift(example, "qlora", [verdict("model.modules", outcome)], acted=True, problem="")
    assert (row.result is Result.CAUGHT) == (outcome in FAILING)


@pytest.mark.parametrize(
    ("cause", "line", "explained"),
    [
        ("first\nthe thing is off, was on", "the thing is off, was on", True),
        ("no known cause: no package differs", "no known cause: no package differs", False),
        ("", "a -> b", False),
    ],
)
def test_explanation(cause: str, line: str, explained: bool) -> None:
    """The line that holds the fault's word is shown; without one, the first line there is, as unexplained."""
    row = matrix.sift(example, "qlora", [verdict("model.modules", cause=cause)], acted=True, problem="")
    assert (row.explanation, row.explained) == (line, explained)


METRICS = {
    m.name: m
    for m in (
        Metric(name="model.modules", unit="", kind=Kind.EXACT, concern="fingerprint", title="modules"),
        Metric(name="time.train", unit="s", kind=Kind.WALL, concern="training", title="time"),
    )
}


def test_acted_ignores_times() -> None:
    """Two trials whose times alone differ are the same: the plant did nothing."""
    clean = make_record()
    slower = replace(clean, metrics={**clean.metrics, "time.train": Measured(value=99.0)})
    changed = replace(clean, fingerprint={**clean.fingerprint, "model.modules": {}})
    assert measured(slower) != measured(clean)
    assert not matrix.acted([clean], [slower], METRICS)
    assert matrix.acted([clean], [changed], METRICS)


def row(result: Result, name: str = "f", **more: Any) -> Row:
    by = ("model.modules",) if result is Result.CAUGHT else ()
    told = "the thing | is off" if by else ""
    made = matrix.not_run(example, result, "")
    return replace(made, fault=name, by=by, upgrade=by, processor=by, explanation=told, explained=bool(by), **more)


ROWS = (
    row(Result.CAUGHT, "one", regime="qlora", besides=("input.order",)),
    row(Result.NEEDS_CUDA, "two"),
    row(Result.CAUGHT, "three", regime="fp32"),
    row(Result.MISSED, "four", regime="fp32"),
    row(Result.MISSED, "five", regime="fp32", listed=True),
    matrix.clean_row("fp32", [verdict("model.modules", Outcome.OK)], ""),
)


def report(jobs: int = 1, rows: tuple[Row, ...] = ROWS) -> Report:
    return Report(
        suite="0.1", when="2026-01-02T03:04:05+00:00", profile="tiny", machine="cpu-x86_64", hardware={"threads": 1},
        packages={"torch": "2.13.0"}, jobs=jobs, rows=rows,
    )  # fmt: skip


@pytest.mark.parametrize("result", list(Result))
def test_exit_code(result: Result) -> None:
    """Only what was caught, is clean or could not be run here leaves the exit code at 0."""
    good = {Result.CAUGHT, Result.CLEAN, Result.NEEDS_CUDA, Result.NEEDS_QUIET, Result.OTHER_REGIME}
    assert matrix.exit_code([row(Result.CAUGHT), row(result)]) == int(result not in good)


def test_clean_repeat_alarms() -> None:
    """Any failing verdict of a repeat with nothing planted is a false alarm, and names its metric."""
    alarm = matrix.clean_row("fp32", [verdict("time.step", Outcome.REGRESSED)], "")
    assert (alarm.result, alarm.besides) == (Result.ALARM, ("time.step",))


def test_missed_come_first() -> None:
    """Missed faults head the list, those that reached users before our own."""
    assert [r.fault for r in matrix_words.ordered(ROWS)] == ["five", "four", "one", "three", matrix.CLEAN_NAME, "two"]


def test_text() -> None:
    """The terminal's matrix marks what failed as expected and besides, and ends in a tally."""
    lines = matrix_words.text(report()).splitlines()
    assert lines[0].split() == ["input", "model"]
    one = next(line for line in lines if line.startswith("caught        one"))
    assert one.split()[-2:] == [matrix_words.BESIDES, matrix_words.EXPECTED]
    assert lines[-1] == "2 missed, 2 caught, 1 clean, 1 needs cuda"
    assert any("to be seen by model.*, saved.tensors" in line for line in lines)


def test_tally_counts_unexplained() -> None:
    """What was caught without its word in the explanation is counted, and what an upgrade or a processor hides."""
    vague, hidden, bits = (
        replace(ROWS[0], **less) for less in ({"explained": False}, {"upgrade": ()}, {"processor": ()})
    )
    assert matrix_words.tally([vague]) == "1 caught; of those caught 1 is not explained"
    assert matrix_words.tally([vague, hidden, hidden, bits]) == (
        "4 caught; of those caught 1 is not explained, 2 are seen on one stack alone, "
        "1 is seen on one kind of processor alone"
    )


def test_markdown_tables_are_whole() -> None:
    """Every line of a table has as many cells as its head, whatever the explanations hold."""
    page = matrix_words.markdown(report())
    tables = re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)
    assert page.startswith("# Self-test, profile tiny\n")
    assert len(tables) == 2
    for table, cells in zip(tables, (6, 8), strict=True):
        assert {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()} == {cells}
        assert len(table.splitlines()) == len(ROWS) - 1 + 2  # a clean repeat has nothing to tell


def test_markdown_says_on_what_it_was_measured_and_what_the_words_mean() -> None:
    """Date, versions, machine, and each result that came up; of a problem its first line alone."""
    failed = replace(row(Result.UNPLANTED, "six"), problem="first line\nsecond line")
    page = matrix_words.markdown(report(rows=(*ROWS, failed)))
    for words in ("2026-01-02T03:04:05", "benchsuite 0.1", "cpu-x86_64: threads 1", "torch 2.13.0", "- not planted: "):
        assert words in page
    assert "first line" in page
    assert "second line" not in page
    assert "- crashed: " not in page


@pytest.mark.parametrize(("jobs", "said"), [(1, False), (4, True)])
def test_trials_at_once_are_told(jobs: int, said: bool) -> None:
    """Where times were not judged, the terminal and the page say so."""
    for text in (matrix_words.text(report(jobs)), matrix_words.markdown(report(jobs))):
        assert (f"{jobs} trials ran at once, so times" in text) is said


def test_every_result_has_a_meaning() -> None:
    """In words, for the page."""
    assert set(matrix_words.MEANING) == set(Result)


def test_rows_are_json() -> None:
    """A report goes into JSON and back."""
    assert codec.decode(Report, codec.loads(codec.dumps(codec.encode(report())))) == report()


# ---------------------------------------------------------------- choosing and running


def test_choose() -> None:
    """Globs choose by name; what matches nothing is refused with the nearest name."""
    known = {f.name: f for f in (example, on_cuda)}
    assert planting.choose(known, "ex*, on_*", reduced=False) == (example, on_cuda)
    for nothing in ("", " , "):
        with pytest.raises(UsageError, match="names no fault; leave it out to plant all 2"):
            planting.choose(known, nothing, reduced=False)
    with pytest.raises(UsageError, match="Did you mean 'example'"):
        planting.choose(known, "exampel", reduced=False)
    with pytest.raises(UsageError, match="--reduced"):
        planting.choose(known, "*", reduced=True)


def test_regime_for_takes_the_most_telling() -> None:
    """The first of the fault's regimes that is tested is taken, whatever the order of those tested."""
    assert planting.regime_for(example, ("fp32", "qlora")) == "qlora"
    assert planting.regime_for(example, ("fp32",)) == "fp32"
    assert planting.regime_for(example, ("lora",)) == ""


@pytest.mark.parametrize("profiles", [("tiny", "full"), ("notebook",), ("lean",), ("tinny",)])
def test_profile_must_be_one_of_fresh_processes(profiles: tuple[str, ...]) -> None:
    """Several profiles, a shared process and an unknown name are refused."""
    with pytest.raises(UsageError):
        selftest.only_profile(Options(profiles=profiles))


class FakeRun:
    """Stands for the session: hands out records by what is planted, and notes what it was asked for."""

    def __init__(self, planted: Mapping[str, Record]) -> None:
        self.planted = planted
        self.asked: list[tuple[str, str]] = []

    def __call__(self, regime: str, inject: str, label: str) -> selftest.Trials:
        """See `selftest.Measure`."""
        self.asked.append((regime, label))
        if inject and inject not in self.planted:
            raise SuiteError("no such plant")
        record = self.planted[inject] if inject else make_record()
        return selftest.Trials(case=make_case(), records=(record,))


def run_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, planted: Record, *chosen: Fault, jobs: int = 2
) -> tuple[Row, ...]:
    fake = FakeRun({example.where: planted})
    monkeypatch.setattr(selftest, "_measure", lambda *_: fake)
    monkeypatch.setattr("benchsuite.registry.metrics", lambda: METRICS)
    options = Options(profiles=("tiny",), regimes=("fp32",), results=str(tmp_path))
    show = lambda _: nullcontext(lambda _: None)  # noqa: E731
    return selftest.run(chosen, options, home=tmp_path, clean=2, jobs=jobs, show=show, say=print).rows


def test_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A changed module map is caught, clean repeats are clean, and a fault for GPUs is listed and not run."""
    changed = make_record(fingerprint={"model.modules": {}})
    rows = run_with(monkeypatch, tmp_path, changed, example, on_cuda)
    assert [(r.fault, r.result) for r in rows] == [
        ("example", Result.CAUGHT),
        (matrix.CLEAN_NAME, Result.CLEAN),
        (matrix.CLEAN_NAME, Result.CLEAN),
        ("on_cuda", Result.NEEDS_CUDA),
    ]


@pytest.mark.parametrize(
    ("planted", "result"),
    [
        (make_record(), Result.SILENT),
        (make_record(status=Status.FAILED, problem=CRASH), Result.CRASHED),
    ],
)
def test_run_of_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, planted: Record, result: Result) -> None:
    """A plant that changes nothing is told as such, and so is one that crashes the trial."""
    assert run_with(monkeypatch, tmp_path, planted, example)[0].result is result


def test_a_fault_is_judged_as_an_upgrade_would_be_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a library does inside fails on its own versions alone; what it builds fails on others too."""
    inside = replace(METRICS["model.modules"], name="count.calls", kind=Kind.COUNT, same_stack=True, unit="1")
    monkeypatch.setitem(METRICS, inside.name, inside)
    clean = make_record(metrics={inside.name: Measured(value=100)})
    monkeypatch.setattr(f"{__name__}.make_record", lambda: clean)
    counted = replace(example, seen_by=("count.*",))
    more = replace(clean, metrics={inside.name: Measured(value=150)})
    built = replace(more, fingerprint={**clean.fingerprint, "model.modules": {}})
    found = [run_with(monkeypatch, tmp_path, planted, counted)[0] for planted in (more, built)]
    assert [(row.by, row.upgrade) for row in found] == [(("count.calls",), ()), (("count.calls",), ("model.modules",))]


def test_a_fault_is_judged_as_on_another_processor_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What differs in bits alone fails on the baseline's own processor alone; what is built fails on others too."""
    bits = replace(METRICS["model.modules"], name="function.bits", depends_on=("threads", "cpu_model"))
    monkeypatch.setitem(METRICS, bits.name, bits)
    here = replace(make_environment(), hardware={"threads": 1, "cpu_model": "one"})
    clean = make_record(environment=here, fingerprint={bits.name: "0", "model.modules": {}})
    monkeypatch.setattr(f"{__name__}.make_record", lambda: clean)
    seen = replace(example, seen_by=(bits.name,))
    other = replace(clean, fingerprint={**clean.fingerprint, bits.name: "1"})
    built = replace(clean, fingerprint={bits.name: "1", "model.modules": {"a": "Linear"}})
    found = [run_with(monkeypatch, tmp_path, planted, seen)[0] for planted in (other, built)]
    assert [(row.by, row.processor) for row in found] == [((bits.name,), ()), ((bits.name,), ("model.modules",))]


def test_run_survives_a_plant_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A trial that cannot be made at all is told with its message, and the others go on."""
    broken = replace(example, plant=on_cuda.plant)
    rows = run_with(monkeypatch, tmp_path, make_record(fingerprint={"model.modules": {}}), broken, example)
    assert [(r.result, r.problem) for r in rows[:2]] == [(Result.CRASHED, "no such plant"), (Result.CAUGHT, "")]


@pytest.mark.parametrize(("jobs", "result"), [(1, Result.CAUGHT), (2, Result.NEEDS_QUIET)])
def test_times_are_judged_alone_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, jobs: int, result: Result
) -> None:
    """A fault that times alone can tell is left out, and named, where trials run at once."""
    slower = fault("slow", libraries=("torch",), regimes=("fp32",), seen_by=("device.*",), word="x")(example.plant)
    device = Metric(name="device.time", unit="s", kind=Kind.DEVICE, concern="step", title="time", better=Better.LOWER)
    monkeypatch.setitem(METRICS, device.name, device)
    clean, slow = (make_record(metrics={device.name: Measured(value=value)}) for value in (1.0, 2.0))
    monkeypatch.setattr(f"{__name__}.make_record", lambda: clean)
    assert run_with(monkeypatch, tmp_path, slow, slower, jobs=jobs)[0 if jobs == 1 else -1].result is result


@pytest.mark.parametrize(("jobs", "begun"), [(1, [1]), (2, [1, 2])])
def test_an_interrupt_begins_no_other_trial(jobs: int, begun: list[int]) -> None:
    """Ctrl-C ends the trial at hand, or waits for those at hand and says so; the rest is not begun."""
    done, said, other = [], list[str](), threading.Event()

    def interrupted() -> None:
        done.append(1)
        if jobs > 1:
            other.wait(10)
        raise KeyboardInterrupt

    def slow() -> None:
        done.append(2)
        other.set()
        time.sleep(0.1)

    def next_one() -> None:
        done.append(3)
        time.sleep(0.1)

    with pytest.raises(KeyboardInterrupt):
        selftest._each([interrupted, slow, *[next_one] * 9], jobs, said.append)
    assert [line.partition(",")[0] for line in said] == ["waiting for the trials that run"] * (jobs - 1)
    assert done[:2] == begun
    assert len(done) < 11


def test_home_is_new_or_the_newest(tmp_path: Path) -> None:
    """What was interrupted is gone on with only where asked for; where there is nothing, that is said."""
    with pytest.raises(UsageError, match="--resume: no self-test was left"):
        selftest.home(tmp_path, resume=True)
    first = selftest.home(tmp_path, resume=False)
    assert first.parent == tmp_path / "selftest"
    assert selftest.home(tmp_path, resume=True) == first
    assert selftest.home(tmp_path, resume=False) != first


def test_another_edition_of_a_plant_has_a_folder_of_its_own(tmp_path: Path) -> None:
    """An edited plant is measured again."""
    file = tmp_path / "plants.py"
    file.write_text("def one(): pass")
    before = selftest._edition(f"{file}:one")
    assert before == selftest._edition(f"{file}:one")
    file.write_text("def one(): return 1")
    assert selftest._edition(f"{file}:one") != before
    assert selftest._edition("") == ""


def test_a_trial_tells_a_plant_that_fails(tmp_path: Path) -> None:
    """What the plant raises is a failed record's problem; a file that is not there is the user's mistake."""
    (tmp_path / "plants.py").write_text("def broken():\n    import torch\n    torch.nothing_of_the_kind\n")
    assert injection.plant(f"{tmp_path}/plants.py:broken").startswith(f"{UNPLANTED}: AttributeError: ")
    with pytest.raises(SuiteError, match="has no function"):
        injection.plant(f"{tmp_path}/plants.py:brokn")


def test_a_failed_reference_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be held against a clean trial that failed."""
    failed = selftest.Trials(case=make_case(), records=(make_record(status=Status.FAILED, problem="out of memory"),))
    with pytest.raises(SuiteError, match="out of memory"):
        selftest.reference(lambda *_: failed, "fp32")
