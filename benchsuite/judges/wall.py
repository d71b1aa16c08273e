"""Judges wall time, latency, throughput, energy and RAM: 1 to 40 % apart between identical processes.

Statistics are over trials, each a fresh process, never over rounds inside one: rounds of a process
share its offset and raise false alarms. Welch's interval on logarithms at 99 %; the smallest effect
is 10 % unless the metric says otherwise. Does not cover alternating pairs of two environments.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchsuite.judges._common import Trials, by_interval, finding, on_numbers, ratio, smallest_effect
from benchsuite.nouns import Finding, Kind, Metric, Outcome
from benchsuite.stats import ALPHA, Difference, median, relative, t_quantile, welch
from benchsuite.units import percent

SMALLEST = 0.10
FEWEST = 2
"""Trials from which on a side has a spread."""


@dataclass(frozen=True)
class Wall:
    """Interval over trials; says so where there are too few of them to know."""

    name: str = "wall"
    kind: Kind | None = Kind.WALL

    def __call__(self, metric: Metric, old: Trials, new: Trials) -> Finding:
        """Judge; see the module."""
        return on_numbers(old, new, lambda a, b: _judge(metric, a, b), positive=True)


def _judge(metric: Metric, old: list[float], new: list[float]) -> Finding:
    smallest = smallest_effect(metric, SMALLEST, old)
    if min(len(old), len(new)) < FEWEST:
        return _too_few(old, new, smallest)
    return by_interval(metric, old, new, welch(old, new), smallest)


def _too_few(old: list[float], new: list[float], smallest: float) -> Finding:
    detectable = _detectable(old, new, smallest)
    effect = ratio(median(old), median(new))
    could = "" if detectable is None else f"; a move under {percent(detectable)[1:]} would be out of reach"
    seen = "" if effect is None else f"{percent(effect)}, but "
    return finding(
        Outcome.INCONCLUSIVE,
        median(old),
        median(new),
        effect=effect,
        detectable=detectable,
        detail=(
            f"{seen}there are {len(old)} and {len(new)} trials, and the spread between processes shows only "
            f"from two on each side, better five{could}"
        ),
    )


def _detectable(old: list[float], new: list[float], smallest: float) -> float | None:
    """What a comparison of these counts could have seen if both sides spread as the larger one does."""
    known = max(old, new, key=len)
    if len(known) < FEWEST:
        return None
    spread = welch(known, known)
    one = spread.error / (2 / len(known)) ** 0.5
    difference = Difference(centre=0.0, error=one * (1 / len(old) + 1 / len(new)) ** 0.5, freedom=float(len(known) - 1))
    half = difference.error * t_quantile(1 - ALPHA / 2, difference.freedom)
    return (1 + smallest) * (1 + relative(half)) - 1


JUDGE = Wall()
