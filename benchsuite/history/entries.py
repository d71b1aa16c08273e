"""A case of a run as history keeps it: what was measured, what was said of it, under which versions. Pure."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from benchsuite import codec
from benchsuite.compare import measured
from benchsuite.marks import mark
from benchsuite.nouns import JSON, Metric, Record, Status
from benchsuite.units import is_number
from benchsuite.versions import guarded

Value = float | int | str
"""A number in the metric's base unit; of anything else its mark, such as "#38acde855229"."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One metric of an entry."""

    metric: str
    unit: str
    values: tuple[Value, ...]
    """One a good trial that measured it."""
    outcome: str
    """The verdict's outcome; empty where nobody judged."""
    reading: int
    """Of the meter: values of two readings do not compare."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One case of one run."""

    id: str
    """The same for the same trials, whatever the run's folder is called."""
    run: str
    machine: str
    case: str
    """Its slug."""
    definition: str
    """Digest of what the slug meant in this run."""
    inputs: Mapping[str, JSON]
    """Where data and weights come from, with their digests."""
    started: str
    """Of its first trial: UTC, ISO 8601."""
    suite: str
    packages: Mapping[str, str]
    """Versions of the guarded libraries."""
    hardware: Mapping[str, JSON]
    injected: str
    """The planted fault; empty for none."""
    problem: str
    """Why there is no figure, where no trial went well; else empty."""
    figures: tuple[Figure, ...]


@dataclass(frozen=True, kw_only=True)
class Point:
    """One metric of one case of one run."""

    metric: str
    unit: str
    run: str
    machine: str
    case: str
    started: str
    suite: str
    packages: Mapping[str, str]
    hardware: Mapping[str, JSON]
    definition: str
    inputs: Mapping[str, JSON]
    reading: int
    injected: str
    value: Value
    """`typical` of `values`."""
    values: tuple[Value, ...]
    outcome: str


def typical(values: Sequence[Value]) -> Value:
    """One value for several trials': the median of numbers; of marks the one, or how many there are."""
    numbers = [float(v) if isinstance(v, float) else v for v in values if not isinstance(v, str)]
    if len(numbers) == len(values):
        return statistics.median(numbers)
    different = sorted(set(map(str, values)))
    return different[0] if len(different) == 1 else f"{len(different)} different"


def entry(
    run: str,
    slug: str,
    trials: Sequence[Record],
    outcomes: Mapping[str, str],
    metrics: Mapping[str, Metric],
) -> Entry:
    """An entry of a case's trials, of which there is one at least.

    Args:
        run: Name of the run's folder.
        slug: The case's.
        trials: Of whatever status.
        outcomes: What was said of each metric, by name.
        metrics: Declarations, for units.
    """
    good = [t for t in trials if t.status is Status.OK]
    first = min(good or trials, key=lambda t: t.started)
    return Entry(
        id=_id(slug, trials), run=run, machine=first.environment.machine, case=slug, definition=first.digest,
        inputs=asdict(first.provenance), started=first.started,
        suite=first.suite, packages=guarded(first.environment.packages), hardware=dict(first.environment.hardware),
        injected=next((t.injected for t in trials if t.injected), ""),
        problem="" if good else (first.problem.splitlines() or [first.status.value])[0],
        figures=tuple(_figures(good, outcomes, metrics)),
    )  # fmt: skip


def _id(slug: str, trials: Iterable[Record]) -> str:
    # Seconds have the resolution of a clock: no two trials share them, and a copy does.
    facts = sorted([t.started, t.seconds, t.trial] for t in trials)
    return hashlib.sha256(codec.canonical([slug, facts]).encode()).hexdigest()[:16]


def _figures(good: Sequence[Record], outcomes: Mapping[str, str], metrics: Mapping[str, Metric]) -> Iterable[Figure]:
    held: dict[str, list[Value]] = {}
    for trial in good:
        for name, found in measured(trial).items():
            if found.value is not None:
                held.setdefault(name, []).append(found.value if is_number(found.value) else mark(found.value))
    for name in sorted(held):
        unit = metrics[name].unit if name in metrics else ""
        yield Figure(
            metric=name, unit=unit, values=tuple(held[name]), outcome=outcomes.get(name, ""),
            reading=good[0].readings.get(name, 1),
        )  # fmt: skip
