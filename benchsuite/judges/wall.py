"""Judges wall time, latency, throughput, energy and RAM: 1 to 40 % apart between identical processes.

Statistics are over trials, each a fresh process, never over rounds inside one: rounds of a process
share its offset and raise false alarms. A prediction interval on logarithms, at 1 % on the side that
is worse, from the baseline's trials, the new ones and what was calibrated on this machine; the
smallest effect is 10 % unless the metric says otherwise. One new trial is judged too, where the
spread is known. Does not cover alternating pairs of two environments.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchsuite.judges._common import Trials, on_numbers, smallest_effect
from benchsuite.judges._predicted import by_prediction
from benchsuite.nouns import Finding, Kind, Metric

SMALLEST = 0.10


@dataclass(frozen=True)
class Wall:
    """Interval over trials; says so where there are too few of them to know."""

    name: str = "wall"
    kind: Kind | None = Kind.WALL

    def __call__(self, metric: Metric, old: Trials, new: Trials) -> Finding:
        """Judge; see the module."""
        return on_numbers(
            old, new, lambda a, b: by_prediction(metric, a, b, smallest_effect(metric, SMALLEST, a)), positive=True
        )


JUDGE = Wall()
