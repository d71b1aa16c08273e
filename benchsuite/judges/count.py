"""Judges counts (operators, kernel launches, FLOPs, python calls): identical on one stack, fewer is better.

Covers medians over trials against a smallest effect, 1 % unless the metric says otherwise; which
names moved is for a metric of structures to tell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchsuite.judges._common import Trials, by_threshold, on_numbers, spreads
from benchsuite.nouns import Finding, Kind, Metric
from benchsuite.stats import median

SMALLEST = 0.01


@dataclass(frozen=True)
class Count:
    """Compares medians; a move below the smallest effect is told with its exact numbers and is ok."""

    name: str = "count"
    kind: Kind | None = Kind.COUNT

    def __call__(self, metric: Metric, old: Trials, new: Trials) -> Finding:
        """Judge; see the module."""
        return on_numbers(old, new, lambda a, b: _judge(metric, a, b), positive=False)


def _judge(metric: Metric, old: list[float], new: list[float]) -> Finding:
    floor = SMALLEST if metric.relative is None else metric.relative
    found = by_threshold(metric, median(old), median(new), relative_floor=floor, absolute_floor=metric.absolute or 0.0)
    return replace(found, detail=_detail(old, new))


def _detail(old: list[float], new: list[float]) -> str:
    parts = [f"exactly {median(old):.15g} -> {median(new):.15g}"] if median(old) != median(new) else []
    return "; ".join([*parts, *spreads(old, new, lambda value: f"{value:.15g}")])


JUDGE = Count()
