"""Judges allocator figures: identical on one machine, less is better.

The smallest effect is the larger of 0.5 % and 1 MiB, each replaced by the metric's own where it has
one. Host RAM belongs to wall: it is not repeatable.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchsuite.judges._common import Trials, by_threshold, invalid, numbers
from benchsuite.nouns import Finding, Kind, Metric
from benchsuite.stats import median

RELATIVE = 0.005
ABSOLUTE = float(2**20)


@dataclass(frozen=True)
class Bytes:
    """Compares medians over trials."""

    name: str = "bytes"
    kind: Kind | None = Kind.BYTES

    def __call__(self, metric: Metric, old: Trials, new: Trials) -> Finding:
        """Judge; see the module."""
        a, old_problem = numbers(old, positive=False)
        b, new_problem = numbers(new, positive=False)
        if not a or not b:
            return invalid(old, new, old_problem, new_problem)
        found = by_threshold(
            metric,
            median(a),
            median(b),
            relative_floor=RELATIVE if metric.relative is None else metric.relative,
            absolute_floor=ABSOLUTE if metric.absolute is None else metric.absolute,
        )
        return replace(found, detail=_detail(a, b))


def _detail(old: list[float], new: list[float]) -> str:
    difference = median(new) - median(old)
    parts = [f"{difference:+,.0f} bytes"] if difference else []
    for side, values in (("the baseline's", old), ("this run's", new)):
        if len(set(values)) > 1:
            parts.append(f"{side} trials disagree: {min(values):,.0f} to {max(values):,.0f} bytes")
    return "; ".join(parts)


JUDGE = Bytes()
