"""Judges device time, the sum of kernel times: it repeats from process to process, unlike wall time.

What is known beforehand: six fresh processes of FP32 spanned 31.608 to 31.640 ms a step (0.10 %),
six of QLoRA 9.566 to 9.575 ms (0.09 %) on one H200. A span of six is 2.53 standard deviations, so
one is 0.04 %, known with 2 x 5 degrees of freedom. The trials' own spread is pooled with it and can
only widen it; so one trial on each side already gives an answer, and two trials that agree by
chance give no false one. What was calibrated on this machine takes its place.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchsuite.judges._common import Trials, on_numbers, smallest_effect
from benchsuite.judges._predicted import by_prediction
from benchsuite.nouns import Finding, Kind, Metric, Spread

SMALLEST = 0.0025
KNOWN = Spread(within=0.001 / 2.53, freedom=10.0, between=0.0, nights=1)


@dataclass(frozen=True)
class DeviceTime:
    """Interval over trials on logarithms, against a smallest effect of 0.25 %."""

    name: str = "device"
    kind: Kind | None = Kind.DEVICE

    def __call__(self, metric: Metric, old: Trials, new: Trials) -> Finding:
        """Judge; see the module."""
        return on_numbers(
            old, new, lambda a, b: by_prediction(metric, a, b, smallest_effect(metric, SMALLEST, a), KNOWN),
            positive=True,
        )  # fmt: skip


JUDGE = DeviceTime()
