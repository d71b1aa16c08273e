"""The two sides of a case, and what to call it where several stand side by side. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from benchsuite.nouns import Case, CaseResult, Record, RunResult
from benchsuite.reporters._columns import good
from benchsuite.units import is_number

from .scales import finite

OLD, NEW = "baseline", "this run"


def trials(result: CaseResult) -> dict[str, tuple[Record, ...]]:
    """The good trials of both sides, the baseline's first; a side without any is left out."""
    old = good(result.baseline.trials) if result.baseline else ()
    return {side: found for side, found in ((OLD, old), (NEW, good(result.records))) if found}


def compared(run: RunResult) -> bool:
    """Whether any case has a baseline to be drawn beside."""
    return any(OLD in trials(result) for result in run.results)


def number(record: Record, metric: str) -> float | None:
    """A metric's value where it is a number that can be drawn."""
    value = record.metrics[metric].value if metric in record.metrics else None
    return next(iter(finite([float(value)])), None) if value is not None and is_number(value) else None


def middle(records: Sequence[Record], metric: str) -> float | None:
    """The median over trials, or None where no trial has it."""
    found = [value for record in records if (value := number(record, metric)) is not None]
    return median(found) if found else None


def samples(record: Record, metric: str) -> tuple[float, ...]:
    """A metric's repetitions within a trial."""
    return finite(record.metrics[metric].samples) if metric in record.metrics else ()


def series(record: Record, part: str) -> tuple[float, ...]:
    """A part of the fingerprint that is a list of numbers; empty where it is not."""
    value = record.fingerprint.get(part)
    held = value if isinstance(value, list | tuple) else []
    return tuple(float(v) if is_number(v) else float("nan") for v in held)


# ---------------------------------------------------------------- names


def names(run: RunResult) -> Mapping[str, str]:
    """What to call each case, by slug: its regime, and of the rest what tells the run's cases apart."""
    apart = _apart(run)
    return {result.slug: " · ".join(_kept(result.case, apart)) for result in run.results}


def common(run: RunResult) -> str:
    """What all cases of a run share, in one line."""
    first = next(iter(run.results), None)
    apart = _apart(run)
    return " · ".join(part for i, part in enumerate(_parts(first.case)) if i not in apart) if first else ""


def _kept(case: Case, apart: Sequence[int]) -> list[str]:
    parts = _parts(case)
    return [parts[i] for i in apart]


def _apart(run: RunResult) -> tuple[int, ...]:
    """Which parts of a case differ within the run; the regime, which is the first, always counts."""
    table = list(zip(*(_parts(result.case) for result in run.results), strict=True))
    return tuple(i for i, column in enumerate(table) if i == 0 or len(set(column)) > 1)


def _parts(case: Case) -> tuple[str, ...]:
    weights = f"{case.weights.value} weights"
    return case.regime, case.task, case.profile.name, case.model.id, weights, case.device.value, f"seed {case.seed}"
