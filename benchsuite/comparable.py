"""Decides what may be compared at all: pure, asked before any judge is.

The versions of the guarded libraries are never a reason against: they are what is being judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from .cases import difference
from .nouns import Baseline, Case, Metric, Record, Status
from .versions import same_guarded


def barrier(case: Case, digest: str, baseline: Baseline, trials: Sequence[Record]) -> str:
    """Why nothing of a case can be compared: another digest, machine or provenance; empty where it can."""
    if baseline.digest != digest:
        return f"the baseline is of another case: {difference(baseline.case, case) or 'its digest differs'}"
    machines = sorted({t.environment.machine for t in trials} - {baseline.machine})
    if machines:
        return f"the baseline is of another machine: {baseline.machine} -> {', '.join(machines)}"
    known = [asdict(t.provenance) for t in baseline.trials if t.status is Status.OK]
    if not known:
        return "the baseline holds no trial that went well"
    strange = next((p for p in (asdict(t.provenance) for t in trials) if p not in known), None)
    return f"the inputs differ: {_moved(known[0], strange)}" if strange else ""


def _moved(old: Mapping[str, object], new: Mapping[str, object]) -> str:
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return "; ".join(f"{name} {old.get(name, 'unknown')} -> {new.get(name, 'unknown')}" for name in names)


def unlike(metric: Metric, old: Sequence[Record], new: Sequence[Record]) -> str:
    """Why one metric cannot be compared: hardware that it depends on, or another way of reading; empty where it can."""
    depends = _hardware(metric, old, new)
    return f"it depends on what differs: {depends}" if depends else _reading(metric, old, new)


def _hardware(metric: Metric, old: Sequence[Record], new: Sequence[Record]) -> str:
    def facts(trial: Record) -> dict[str, object]:
        return {name: trial.environment.hardware.get(name) for name in metric.depends_on}

    known = [facts(t) for t in old]
    strange = next((f for f in (facts(t) for t in new) if any(f != k for k in known)), None)
    return _moved(next(k for k in known if k != strange), strange) if strange else ""


def _reading(metric: Metric, old: Sequence[Record], new: Sequence[Record]) -> str:
    before, after = (
        {t.readings.get(metric.name, 1): t.suite for t in having(metric.name, side)} for side in (old, new)
    )
    if not before or not after or before.keys() == after.keys():
        return ""
    return f"benchsuite reads it in another way since: {_versions(before)} -> {_versions(after)}"


def having(name: str, trials: Sequence[Record]) -> list[Record]:
    """The trials that measured a metric."""
    return [t for t in trials if name in t.metrics or name in t.fingerprint]


def _versions(side: Mapping[int, str]) -> str:
    return ", ".join(f"{suite} (reading {way})" for way, suite in sorted(side.items()))


def another_stack(old: Sequence[Record], new: Sequence[Record]) -> bool:
    """Whether any two trials of the sides ran with other versions of the guarded libraries."""
    return not same_guarded([trial.environment.packages for trial in (*old, *new)])
