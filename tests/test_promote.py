"""Promotion: what may become a baseline, how trials are pooled and merged, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from factories import (
    FREEZE,
    MACHINE,
    PACKAGES,
    make_case,
    make_environment,
    make_fingerprint,
    make_metrics,
    make_provenance,
    make_record,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite import __version__, pooling, store
from benchsuite.cases import slug
from benchsuite.nouns import Baseline, Kind, Measured, Metric, Predictions, Record, Status, SuiteError, UsageError
from benchsuite.promote import lock_kept, promote
from benchsuite.promoted import PromotionReport

FP32, QLORA = slug(make_case()), slug(make_case(regime="qlora"))
WHEN = "2025-11-04T09:00:00+00:00"
METRICS = {
    "time.train": Metric(name="time.train", unit="s", kind=Kind.WALL, concern="training", title="training time"),
    "memory.peak.train": Metric(
        name="memory.peak.train", unit="B", kind=Kind.BYTES, concern="memory", title="peak in training"
    ),
}


class Desk:
    """A results and a baselines folder, and the two things that one does with them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.baselines = folder, folder / "baselines"

    def run(self, name: str, records: Sequence[Record]) -> Path:
        """A run's folder that holds `records`."""
        for record in records:
            store.save_record(self.folder / "results" / name, record)
        return self.folder / "results" / name

    def promote(self, *runs: Path, only: str = "", reason: str = "because", **more: Any) -> PromotionReport:
        """Promotes runs at a fixed time."""
        return promote(runs, baselines=self.baselines, only=only, reason=reason, now=WHEN, **more)

    def load(self, name: str = FP32) -> Baseline:
        """The baseline as it stands on disk."""
        return store.load_baseline(store.baseline_path(self.baselines, MACHINE, name))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty desk."""
    return Desk(tmp_path)


def trials(count: int = 3, regime: str = "fp32", **overrides: Any) -> list[Record]:
    """Trials of one case."""
    return [make_record(case=make_case(regime=regime), trial=k, **overrides) for k in range(count)]


def slower(count: int = 3, regime: str = "fp32") -> list[Record]:
    """Later trials of one case whose training takes 9 s and whose predictions moved."""
    flipped = Predictions(labels=(0, 1, 1, 1), logits=((1.0, 0.0),) * 4)
    return [
        replace(
            record,
            started=f"2025-11-04T08:0{record.trial}:00+00:00",
            metrics={**record.metrics, "time.train": Measured(value=9.0), "count.new": Measured(value=1)},
            fingerprint={**record.fingerprint, "optimizer.lr": [0.001, 0.0]},
            predictions=flipped,
        )
        for record in trials(count, regime)
    ]


# ---------------------------------------------------------------- first baselines and pooling


def test_first_baseline(desk: Desk) -> None:
    """The first promotion writes trials, freeze, one approval and the lock, and says so."""
    report = desk.promote(desk.run("r1", trials(5)), reason="  first figures ")
    baseline = desk.load()
    assert baseline.trials == tuple(trials(5))
    assert baseline.freeze == FREEZE
    (approval,) = baseline.history
    assert (approval.when, approval.reason, approval.runs) == (WHEN, "first figures", ("r1",))
    assert (approval.suite, approval.only, approval.changes) == (__version__, "", ())
    path, lock = desk.baselines / MACHINE / f"{FP32}.json", desk.baselines / MACHINE / "constraints.txt"
    assert report.lines == (
        f"{FP32} on {MACHINE}: first baseline (5 trials)",
        f"  written to {path}",
        f"lock {lock} written: all cases of this machine were promoted together",
    )
    assert "torch==2.13.0\n" in lock.read_text()


def test_runs_are_pooled(desk: Desk) -> None:
    """Records of several runs become trials 0..n-1 of one baseline, in the order of the runs."""
    one, two = desk.run("r1", trials(2)), desk.run("r2", slower(2))
    desk.promote(two, one)
    assert [record.trial for record in desk.load().trials] == [0, 1, 2, 3]
    assert [record.metrics["time.train"].value for record in desk.load().trials] == [9.0, 9.0, 4.81, 4.84]
    assert desk.load().history[0].runs == ("r2", "r1")


def test_a_run_given_twice_counts_once(desk: Desk) -> None:
    """The same folder twice, or a record of it beside it, does not make more trials of the same."""
    run = desk.run("r1", trials(2))
    link = desk.folder / "link"
    link.symlink_to(run)
    desk.promote(run, run, link, run / "records" / f"{FP32}--t01.json")
    assert desk.load().trials == tuple(trials(2))


def test_single_records_are_promoted(desk: Desk) -> None:
    """One record's file serves as a run, and the history still names its run."""
    desk.run("r1", trials(3))
    desk.promote(desk.folder / "results" / "r1" / "records" / f"{FP32}--t02.json")
    assert [record.seconds for record in desk.load().trials] == [12.5]
    assert desk.load().history[0].runs == ("r1",)


def test_machines_and_cases_are_kept_apart(desk: Desk) -> None:
    """One run may hold several cases, each on a machine of its own."""
    gpu = make_environment(machine="tesla-t4-15gb")
    desk.promote(desk.run("r1", trials(2) + trials(1, "qlora", environment=gpu)))
    assert desk.load().trials == tuple(trials(2))
    assert list(store.load_baselines(desk.baselines, "tesla-t4-15gb")) == [QLORA]


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"status": Status.FAILED, "problem": "out of memory"},
            "this trial is failed (out of memory). Run it again, or",
        ),
        ({"status": Status.INVALID, "problem": ""}, "this trial is invalid (no reason given)"),
        ({"injected": "fault.py:slow"}, "a fault was planted: fault.py:slow"),
        ({"digest": "0" * 16}, "differ in the case's digest"),
        ({"case": make_case(seed=42, task_revision="2"), "digest": "1" * 16}, "differ in task_revision 1 -> 2"),
        ({"provenance": make_provenance(data="real")}, "differ in data synthetic / real"),
        ({"readings": {"time.train": 2}}, "differ in reading of time.train 1 / 2"),
        ({"environment": make_environment(machine="other")}, f"differ in machine {MACHINE} / other"),
        (
            {"environment": make_environment(hardware={**make_environment().hardware, "threads": 1})},
            "differ in hardware threads 2 / 1",
        ),
        (
            {"environment": make_environment(packages={**PACKAGES, "transformers": "4.57.6"})},
            "differ in package transformers 5.23.0 / 4.57.6",
        ),
        (
            {"environment": make_environment(packages={k: v for k, v in PACKAGES.items() if k != "peft"})},
            "differ in package peft 0.21.2 / absent",
        ),
    ],
)
def test_unfit_records(desk: Desk, change: Mapping[str, Any], words: str) -> None:
    """A record that must not be pooled is refused by file name, and nothing is written."""
    run = desk.run("r1", [*trials(2), make_record(trial=2, **change)])
    with pytest.raises(SuiteError) as caught:
        desk.promote(run)
    assert words in str(caught.value)
    assert f"{FP32}--t02.json" in str(caught.value)
    assert not desk.baselines.exists()


def test_unguarded_packages_may_differ(desk: Desk) -> None:
    """A package that decides no figure may differ among pooled trials."""
    other = make_record(trial=1, environment=make_environment(packages={**PACKAGES, "pytest": "9.3.0"}))
    desk.promote(desk.run("r1", [make_record(), other]))
    assert desk.load().trials == (make_record(), other)


@pytest.mark.parametrize("reason", ["", " \n"])
def test_a_reason_is_needed(desk: Desk, reason: str) -> None:
    """Without a reason nothing is promoted."""
    with pytest.raises(UsageError, match="needs a reason"):
        desk.promote(desk.run("r1", trials(1)), reason=reason)


def test_nothing_to_promote(desk: Desk) -> None:
    """Runs without records are refused."""
    (desk.folder / "empty" / "records").mkdir(parents=True)
    with pytest.raises(SuiteError, match="no records"):
        desk.promote(desk.folder / "empty")


def test_copied_records(desk: Desk) -> None:
    """A record copied into a second run is no second trial."""
    with pytest.raises(SuiteError, match="one and the same trial"):
        desk.promote(desk.run("r1", trials(2)), desk.run("copy", trials(1)))


# ---------------------------------------------------------------- promoting again


def test_changes_are_told(desk: Desk) -> None:
    """A second promotion keeps the history and tells each moved figure, in its unit where it is known."""
    desk.promote(desk.run("r1", trials(3)))
    report = desk.promote(desk.run("r2", slower(3)), metrics=METRICS)
    assert [approval.runs for approval in desk.load().history] == [("r1",), ("r2",)]
    assert desk.load().history[1].changes == (
        "time.train: 4.84 -> 9.00 s (+86 %)",
        "optimizer.lr: changed",
        "quality.logits: changed",
        "count.new: absent -> 1",
    )
    assert report.lines[0] == f"{FP32} on {MACHINE}: baseline replaced (3 trials)"
    assert report.lines[1] == "  time.train: 4.84 -> 9.00 s (+86 %)"


def test_no_change_is_told(desk: Desk) -> None:
    """Promoting the same figures again says that nothing moved."""
    run = desk.run("r1", trials(3))
    desk.promote(run)
    assert desk.promote(run).lines[0].endswith("baseline replaced (3 trials, no figure moved)")


def test_stack_and_case_changes_are_told(desk: Desk) -> None:
    """A new stack or a redefined case stands first among the changes."""
    desk.promote(desk.run("r1", trials(1)))
    case = make_case(task_revision="2")
    stack = make_environment(packages={**PACKAGES, "peft": "0.22.0"})
    desk.promote(desk.run("r2", [make_record(case=case, environment=stack)]))
    assert desk.load().history[1].changes == ("case: task_revision 1 -> 2", "package peft: 0.21.2 -> 0.22.0")
    assert "peft==0.22.0" in desk.load().freeze


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ([1.0, 5.0, 2.0], [4.0], "x: 2 -> 4 (+100 %)"),
        ([1.0], [1.0, 1.0], None),
        ([float("nan")], [float("nan")], None),
        ([float("nan")], [0.5], "x: nan -> 0.5000"),
        ([float("nan"), 0.5], [0.5], None),
        ([1], [None], "x: changed"),
        ([True], [False], "x: changed"),
        ([{"a": float("nan")}], [{"a": float("nan")}], None),
        ([{"a": 1}], [{"a": 1.0}], "x: changed"),
        ([{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}], None),
        ([{"a": 1}], [], "x: recorded -> absent"),
    ],
)
def test_change_lines(old: list[Any], new: list[Any], line: str | None) -> None:
    """Numbers are told by their medians, structures only as changed, and equal things not at all."""
    a, b = (pooling.pool(_valued(values)) for values in (old, new))
    assert pooling.changes(a, b, {}) == ((line,) if line else ())


def _valued(values: list[Any]) -> list[Record]:
    bare = make_record(metrics={}, fingerprint={}, predictions=Predictions(labels=(), logits=()))
    return [replace(bare, metrics={"x": Measured(value=value)}) for value in values] or [bare]


# ---------------------------------------------------------------- a part


def test_only_some_metrics(desk: Desk) -> None:
    """A metric glob replaces those metrics and leaves everything else, freeze and predictions included."""
    desk.promote(desk.run("r1", trials(3)))
    old = desk.load()
    desk.promote(desk.run("r2", slower(3)), only=f"{FP32}/time.*")
    new = desk.load()
    assert [record.metrics["time.train"].value for record in new.trials] == [9.0] * 3
    rest = [replace(record, metrics={**record.metrics, "time.train": Measured(value=0)}) for record in new.trials]
    assert rest == [
        replace(record, metrics={**record.metrics, "time.train": Measured(value=0)}) for record in old.trials
    ]
    assert list(new.trials[0].metrics) == list(old.trials[0].metrics)
    assert (new.freeze, new.digest) == (old.freeze, old.digest)
    assert (new.history[1].only, new.history[1].changes) == (
        f"{FP32}/time.*",
        ("time.train: 4.8400 -> 9.0000 (+86 %)",),
    )


@pytest.mark.parametrize(
    ("glob", "moved", "parts"),
    [
        ("quality.logits", True, False),
        ("quality.accuracy.reloaded", True, False),
        ("quality.*", True, False),
        ("quality.loss.*", False, False),
        ("optimizer.lr", False, True),
        ("*", True, True),
    ],
)
def test_only_reaches_predictions_and_fingerprint(desk: Desk, glob: str, moved: bool, parts: bool) -> None:
    """Predictions go with the metrics that are made of them; fingerprint parts by their names."""
    desk.promote(desk.run("r1", trials(2)))
    desk.promote(desk.run("r2", slower(2)), only=f"*fp32*/{glob}")
    source = slower(1)[0] if moved else trials(1)[0]
    assert desk.load().trials[1].predictions == source.predictions
    assert (desk.load().trials[1].fingerprint["optimizer.lr"] == [0.001, 0.0]) is parts


@pytest.mark.parametrize(("before", "after"), [(2, 4), (4, 2), (3, 3)])
def test_unlike_counts_of_trials(desk: Desk, before: int, after: int) -> None:
    """Each metric keeps exactly the trials that measured it, and the report says where counts differ."""
    desk.promote(desk.run("r1", trials(before)))
    report = desk.promote(desk.run("r2", slower(after)), only="*/time.train")
    held = desk.load().trials
    assert [r.metrics["time.train"].value for r in held if "time.train" in r.metrics] == [9.0] * after
    assert sum("params.trainable" in r.metrics for r in held) == before
    assert sum(bool(r.predictions.labels) for r in held) == before
    assert [r.trial for r in held] == list(range(max(before, after)))
    assert any(f"in {min(before, after)} of {max(before, after)} trials" in x for x in report.lines) is (
        before != after
    )


def test_a_metric_can_be_promoted_away(desk: Desk) -> None:
    """A glob that names what the new run no longer has takes it out of the baseline."""
    desk.promote(desk.run("r1", trials(2)))
    gone = {name: value for name, value in make_metrics().items() if name != "params.trainable"}
    desk.promote(desk.run("r2", trials(2, metrics=gone, seconds=13.0)), only="*/params.trainable")
    assert all("params.trainable" not in record.metrics for record in desk.load().trials)
    assert desk.load().history[1].changes == ("params.trainable: 120,386 -> absent",)


def test_only_one_case(desk: Desk) -> None:
    """A bare case glob promotes those cases whole and leaves the others."""
    run = desk.run("r1", trials(1) + trials(1, "qlora"))
    report = desk.promote(run, only="*qlora*")
    assert list(store.load_baselines(desk.baselines, MACHINE)) == [QLORA]
    assert len(report.promoted) == 1


@pytest.mark.parametrize(
    ("only", "words"),
    [
        ("*qlorra*", f"no case matches '*qlorra*'. Near: {QLORA}"),
        ("zzz/time.*", "no case matches 'zzz'. There are: "),
        ("*/time.tran", "no metric matches 'time.tran'. Near: time.train"),
        ("*/quality.logit", "Near: quality.logits"),
    ],
)
def test_globs_that_match_nothing(desk: Desk, only: str, words: str) -> None:
    """A glob without a match is an error that lists near names, and nothing is written."""
    run = desk.run("r1", trials(1) + trials(1, "qlora"))
    with pytest.raises(UsageError) as caught:
        desk.promote(run, only=only)
    assert words in str(caught.value)
    assert not desk.baselines.exists()


def test_a_part_needs_a_baseline(desk: Desk) -> None:
    """Metrics alone cannot make a first baseline."""
    with pytest.raises(SuiteError, match=f"{FP32} has no baseline on {MACHINE} yet"):
        desk.promote(desk.run("r1", trials(1)), only="*/time.*")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"case": make_case(task_revision="2")}, "task_revision 1 -> 2"),
        ({"provenance": make_provenance(data="real")}, "data synthetic / real"),
        ({"environment": make_environment(hardware={"threads": 2})}, "hardware cpu_capability AVX512 / absent"),
    ],
)
def test_a_part_needs_the_same_thing_measured(desk: Desk, change: Mapping[str, Any], words: str) -> None:
    """Figures of another case, other inputs or other hardware are not mixed into one baseline."""
    desk.promote(desk.run("r1", trials(1)))
    with pytest.raises(SuiteError, match="promote the whole case") as caught:
        desk.promote(desk.run("r2", [make_record(**change)]), only="*/time.*")
    assert words in str(caught.value)


def test_cases_without_the_metric_are_left(desk: Desk) -> None:
    """A metric glob that only one of the matched cases knows leaves the other as it was."""
    extra = {**make_metrics(), "adapter.size": Measured(value=7)}
    desk.promote(desk.run("r1", trials(1) + trials(1, "qlora", metrics=extra)))
    before = desk.load(FP32)
    later = trials(1, seconds=13.0) + trials(1, "qlora", metrics={**extra, "adapter.size": Measured(value=8)})
    report = desk.promote(desk.run("r2", later), only="*/adapter.*")
    assert [done.case for done in report.promoted] == [QLORA]
    assert desk.load(FP32) == before


NAMES = st.sampled_from(["a", "b.x", "b.y", "c"])
PARTS = st.dictionaries(NAMES, st.integers(0, 3).map(lambda value: Measured(value=value)), max_size=4)


@given(st.lists(PARTS, min_size=1, max_size=3), st.lists(PARTS, min_size=1, max_size=3), st.sets(NAMES))
@settings(max_examples=100, deadline=None)
def test_merging_loses_nothing(
    old: list[dict[str, Measured]], new: list[dict[str, Measured]], wanted: set[str]
) -> None:
    """After a merge each wanted metric has the new trials' values in order, each other one the old trials'."""
    a, b = (pooling.pool([make_record(metrics=metrics) for metrics in side]) for side in (old, new))
    merged = pooling.merge(a, b, wanted.__contains__)
    for name in ("a", "b.x", "b.y", "c"):
        source = new if name in wanted else old
        held = [record.metrics[name] for record in merged.trials if name in record.metrics]
        assert held == [metrics[name] for metrics in source if name in metrics]


# ---------------------------------------------------------------- locks


def test_lock_is_kept_where_a_case_is_missing(desk: Desk) -> None:
    """The lock moves only when every case of the machine is promoted with it; each baseline has its own freeze."""
    desk.promote(desk.run("r1", trials(1) + trials(1, "qlora")))
    lock = desk.baselines / MACHINE / "constraints.txt"
    before = lock.read_text()
    stack = make_environment(packages={**PACKAGES, "peft": "0.22.0"})
    report = desk.promote(desk.run("r2", trials(1, environment=stack)))
    assert lock.read_text() == before
    assert report.lines[-1] == f"lock {lock} kept: 1 of this machine's cases not promoted in this call: {QLORA}"
    assert "peft==0.22.0" in desk.load().freeze
    desk.promote(desk.run("r3", trials(1, environment=stack) + trials(1, "qlora", environment=stack)))
    assert "peft==0.22.0" in lock.read_text()


@pytest.mark.parametrize(
    ("promoted", "existing", "only", "words"),
    [
        ({"a": "1"}, (), "", ""),
        ({"a": "1"}, (), "a", ""),
        ({"a": "1", "b": "1"}, ("a",), "", ""),
        ({"a": "1", "b": "1"}, ("a", "b"), "", ""),
        ({"a": "1", "b": "1"}, ("a", "b"), "*", "--only limits"),
        ({"a": "1"}, ("a", "b", "c"), "", "2 of this machine's cases not promoted in this call: b, c"),
        ({"a": "1", "b": "2"}, (), "", "different packages"),
    ],
)
def test_lock_rule(promoted: Mapping[str, str], existing: Sequence[str], only: str, words: str) -> None:
    """The lock is rewritten for a whole machine measured with one stack, and else kept with a reason."""
    blank = pooling.pool([make_record()])
    baselines = {name: replace(blank, freeze=(f"torch=={version}",)) for name, version in promoted.items()}
    why = lock_kept(baselines, existing, only)
    assert (words in why) if words else (why == "")


def test_a_damaged_baseline_stops_promotion(desk: Desk) -> None:
    """A baseline edited by hand is never overwritten in silence."""
    desk.promote(desk.run("r1", trials(1)))
    path = desk.baselines / MACHINE / f"{FP32}.json"
    path.write_text(path.read_text().replace("because", "nothing"))
    with pytest.raises(SuiteError, match="edited by hand"):
        desk.promote(desk.run("r2", slower(1)))
    assert make_fingerprint()["data.tokens"] in path.read_text()
