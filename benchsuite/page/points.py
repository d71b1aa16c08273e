"""The history of figures over runs, as plain points; where earlier ones come from is the caller's affair. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from benchsuite.cases import slug
from benchsuite.nouns import Baseline, Record, RunResult
from benchsuite.reporters._columns import figures, good
from benchsuite.versions import ABSENT, guarded

from .scales import finite

SUITE = "benchsuite"
BASELINE = "baseline"


@dataclass(frozen=True, kw_only=True)
class Point:
    """One metric of one case in one run."""

    run: str
    when: str
    """UTC, ISO 8601."""
    value: float
    """In the metric's base unit; the median over the run's good trials."""
    versions: Mapping[str, str]
    """Of the guarded libraries, and of the suite itself."""
    promoted: bool
    """True where this figure was approved as, or with others as a part of, the baseline."""


Key = tuple[str, str]
"""A case's slug, and a metric's name."""
History = Mapping[Key, Sequence[Point]]


def points(run: str, records: Sequence[Record], *, promoted: bool) -> dict[Key, Point]:
    """A run's figures as points, of however many cases."""
    by_case: dict[str, list[Record]] = {}
    for record in good(records):
        by_case.setdefault(slug(record.case), []).append(record)
    return {
        (name, metric): point
        for name, found in by_case.items()
        for metric, point in _of_case(run, found, promoted=promoted)
    }


def _of_case(run: str, records: Sequence[Record], *, promoted: bool) -> Iterator[tuple[str, Point]]:
    versions = {**guarded(records[0].environment.packages), SUITE: records[0].suite}
    when = min(record.started for record in records)
    for metric, value in figures(records).items():
        if finite([value]):
            yield metric, Point(run=run, when=when, value=value, versions=versions, promoted=promoted)


def approved(baseline: Baseline) -> frozenset[str]:
    """Names of the runs that went into a baseline, now or before."""
    return frozenset(name for approval in baseline.history for name in approval.runs)


def history(run: RunResult, earlier: History) -> History:
    """Every numeric metric of the run's cases by time: `earlier` points, the baseline's own, and this run's.

    Of several points of one run the first counts: earlier ones are of the run itself, the baseline's may be pooled.
    """
    found: dict[Key, list[Point]] = {}
    for result in run.results:
        own = points(run.run, result.records, promoted=False)
        base = _of_baseline(result.baseline) if result.baseline else {}
        names = approved(result.baseline) if result.baseline else frozenset()
        for key in {**own, **base}:
            held = [*earlier.get(key, ()), *(side[key] for side in (own, base) if key in side)]
            found[key] = _ordered(held, names)
    return found


def _of_baseline(baseline: Baseline) -> dict[Key, Point]:
    last = baseline.history[-1] if baseline.history else None
    name = last.runs[-1] if last and last.runs else BASELINE
    return points(name, baseline.trials, promoted=True)


def _ordered(found: Iterable[Point], names: frozenset[str]) -> list[Point]:
    once: dict[str, Point] = {}
    for point in found:
        once.setdefault(point.run, replace(point, promoted=point.promoted or point.run in names))
    return sorted(once.values(), key=lambda point: (point.when, point.run))


def upgraded(before: Point, after: Point) -> tuple[str, ...]:
    """Which versions differ between two points, as "NAME OLD -> NEW"."""
    names = dict.fromkeys([*before.versions, *after.versions])
    pairs = ((name, before.versions.get(name, ABSENT), after.versions.get(name, ABSENT)) for name in names)
    return tuple(f"{name} {old} -> {new}" for name, old, new in pairs if old != new)
