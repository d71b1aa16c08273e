"""Judges allocator figures: identical on one machine, less is better.

The smallest effect is the larger of 0.5 % and 1 MiB, each replaced by the metric's own where it has
one. Where this machine was calibrated and the figure did scatter, what its noise spans replaces them if
it is more. Host RAM belongs to wall: it is not repeatable.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchsuite.ab.prediction import predict
from benchsuite.judges._common import Trials, by_threshold, grouped, on_numbers, spreads
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
        return on_numbers(old, new, lambda a, b: _judge(metric, a, b), positive=False)


def _judge(metric: Metric, old: list[float], new: list[float]) -> Finding:
    found = by_threshold(
        metric,
        median(old),
        median(new),
        relative_floor=_floor(metric, old, new),
        absolute_floor=ABSOLUTE if metric.absolute is None else metric.absolute,
    )
    return replace(found, detail=_detail(old, new))


def _floor(metric: Metric, old: list[float], new: list[float]) -> float:
    given = RELATIVE if metric.relative is None else metric.relative
    noise = metric.noise
    if noise is None or noise.known is None or not (noise.known.within or noise.known.between) or min(old) <= 0:
        return given
    sittings = grouped(old, noise.sittings)
    return predict(sittings, new=len(new), floor=given, better=metric.better, known=noise.known).half


def _detail(old: list[float], new: list[float]) -> str:
    difference = median(new) - median(old)
    parts = [f"{difference:+,.0f} bytes"] if difference else []
    apart = spreads(old, new, lambda value: f"{value:,.0f}")
    return "; ".join([*parts, *(f"{line} bytes" for line in apart)])


JUDGE = Bytes()
