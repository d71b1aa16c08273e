"""Judges device time, the sum of kernel times: it repeats from process to process, unlike wall time.

What is known beforehand: six fresh processes of FP32 spanned 31.608 to 31.640 ms a step (0.10 %),
six of QLoRA 9.566 to 9.575 ms (0.09 %) on one H200. A span of six is 2.53 standard deviations, so
one is 0.04 %, known with 2 x 5 degrees of freedom. The trials' own spread is pooled with it and can
only widen it; so one trial on each side already gives an answer, and two trials that agree by
chance give no false one.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchsuite.judges._common import Trials, by_interval, on_numbers, smallest_effect
from benchsuite.nouns import Finding, Kind, Metric
from benchsuite.stats import pooled

SMALLEST = 0.0025
SPREAD = 0.001 / 2.53
FREEDOM = 10.0


@dataclass(frozen=True)
class DeviceTime:
    """Interval over trials on logarithms, against a smallest effect of 0.25 %."""

    name: str = "device"
    kind: Kind | None = Kind.DEVICE

    def __call__(self, metric: Metric, old: Trials, new: Trials) -> Finding:
        """Judge; see the module."""
        return on_numbers(old, new, lambda a, b: _judge(metric, a, b), positive=True)


def _judge(metric: Metric, old: list[float], new: list[float]) -> Finding:
    difference = pooled(old, new, spread=SPREAD, freedom=FREEDOM)
    return by_interval(metric, old, new, difference, smallest_effect(metric, SMALLEST, old))


JUDGE = DeviceTime()
