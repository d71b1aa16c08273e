"""Points in their order, with what happened between them: promotions, versions, hardware, inputs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from itertools import pairwise

from benchsuite.compare import measured
from benchsuite.marks import mark
from benchsuite.nouns import JSON, Approval, Baseline, Better, Metric, Status
from benchsuite.units import is_number
from benchsuite.versions import OWN, moved

from .entries import Point, Value, typical


class Event(StrEnum):
    """What can happen between two runs."""

    PROMOTED = "promoted"
    VERSIONS = "versions"
    HARDWARE = "hardware"
    CASE = "case"
    """Its definition, its inputs, or how the meter reads."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Something that happened between two runs."""

    event: Event
    at: int
    """Index of the first point after it; as many as there are points, where it came last."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Series:
    """One metric of one case on one machine, run by run."""

    metric: str
    title: str
    unit: str
    better: Better
    case: str
    machine: str
    points: tuple[Point, ...]
    marks: tuple[Mark, ...]
    baseline: Value | None
    """What is approved now; None where nothing is."""

    @property
    def numeric(self) -> bool:
        """Whether every value is a number."""
        return all(is_number(point.value) for point in self.points)


Baselines = Mapping[tuple[str, str], Baseline]
"""By machine and slug."""


def series(points: Sequence[Point], metrics: Mapping[str, Metric], baselines: Baselines) -> tuple[Series, ...]:
    """Points apart by metric, machine and case, each oldest first, in the order of those names.

    Args:
        points: Of whatever metrics and cases, oldest first.
        metrics: Declarations, for titles; a metric that nobody declares any more has its name.
        baselines: Baselines with their history, for promotions.
    """
    found: dict[tuple[str, str, str], list[Point]] = {}
    for point in points:
        found.setdefault((point.metric, point.machine, point.case), []).append(point)
    return tuple(_series(found[key], metrics.get(key[0]), baselines.get((key[1], key[2]))) for key in sorted(found))


def _series(points: Sequence[Point], metric: Metric | None, baseline: Baseline | None) -> Series:
    last = points[-1]
    marks = (*_promotions(points, baseline.history if baseline else ()), *_moves(points))
    return Series(
        metric=last.metric, title=metric.title if metric else last.metric, unit=last.unit,
        better=metric.better if metric else Better.NEITHER, case=last.case, machine=last.machine, points=tuple(points),
        marks=tuple(sorted(marks, key=lambda m: m.at)), baseline=_approved(baseline, last.metric),
    )  # fmt: skip


def _approved(baseline: Baseline | None, metric: str) -> Value | None:
    trials = [measured(t).get(metric) for t in baseline.trials if t.status is Status.OK] if baseline else []
    values = [found.value for found in trials if found is not None and found.value is not None]
    return typical([value if is_number(value) else mark(value) for value in values]) if values else None


# ---------------------------------------------------------------- what happened


def _promotions(points: Sequence[Point], history: Iterable[Approval]) -> Iterable[Mark]:
    """Approvals of this metric; of those before the first point only the last, which it was judged by."""
    metric = points[0].metric
    mine = sorted((act for act in history if _covers(act, metric)), key=lambda act: act.when)
    # Instants of one form and zone compare as texts.
    marks = [Mark(event=Event.PROMOTED, at=_after(points, act.when), text=_told(act, metric)) for act in mine]
    before = [m for m in marks if not m.at]
    return [*before[-1:], *(m for m in marks if m.at)]


def _covers(act: Approval, metric: str) -> bool:
    return fnmatchcase(metric, act.only.partition("/")[2] or "*")


def _after(points: Sequence[Point], when: str) -> int:
    return sum(point.started <= when for point in points)


def _told(act: Approval, metric: str) -> str:
    change = next((line.partition(": ")[2] for line in act.changes if line.startswith(f"{metric}: ")), "")
    return f"{act.when[:10]}: {act.reason}" + (f" ({change})" if change else "")


def _moves(points: Sequence[Point]) -> Iterable[Mark]:
    for at, (old, new) in enumerate(pairwise(points), 1):
        told = {
            Event.VERSIONS: [*moved(old.packages, new.packages).values(), *_differ({OWN: old.suite}, {OWN: new.suite})],
            Event.HARDWARE: _differ(old.hardware, new.hardware),
            Event.CASE: _differ(_what(old), _what(new)),
        }
        yield from (Mark(event=event, at=at, text=", ".join(lines)) for event, lines in told.items() if lines)


def _what(point: Point) -> Mapping[str, JSON]:
    return {"definition": point.definition, **point.inputs, "reading": point.reading}


def _differ(old: Mapping[str, JSON], new: Mapping[str, JSON]) -> list[str]:
    """Each field that differs as "NAME OLD -> NEW"."""
    pairs = {name: (old.get(name), new.get(name)) for name in dict.fromkeys((*old, *new))}
    return [f"{name} {a} -> {b}" for name, (a, b) in pairs.items() if a != b]
