"""Intervals and tests on scipy, for judges.

The unit of replication is the trial, a fresh process: nothing here may be fed with rounds inside
one process. Differences of positive quantities are taken on logarithms, so that "twice" and "half"
weigh the same. scipy.stats is imported inside functions: importing it costs about a second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median_high, median_low, variance

ALPHA = 0.01
"""Rate of false alarms that a judge accepts."""
BETA = 0.05
"""Rate at which "no change" may be said of a change as large as the smallest effect (two one-sided tests)."""
MAX_LOG = 690.0
"""exp() of more overflows; a ratio of 1e300 is told as such and no further."""


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two middle ones, finite where these are."""
    low, high = median_low(values), median_high(values)
    if low == high:
        return low
    mean = (low + high) / 2
    return mean if math.isfinite(mean) else low / 2 + high / 2


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The difference of two groups of trials, on the log scale."""

    centre: float
    """Mean log(new) minus mean log(old)."""
    error: float
    """Standard error of `centre`."""
    freedom: float
    """Degrees of freedom of `error`."""

    def half_width(self, tail: float) -> float:
        """Half of the interval that leaves `tail` of probability on each side."""
        return self.error * t_quantile(1 - tail, self.freedom)

    def interval(self, tail: float = ALPHA / 2) -> tuple[float, float]:
        """Interval of the relative effect (new / old - 1); 99 % unless told otherwise."""
        half = self.half_width(tail)
        return relative(self.centre - half), relative(self.centre + half)


def t_quantile(probability: float, freedom: float) -> float:
    """Quantile of Student's t."""
    from scipy.stats import t

    return float(t.ppf(probability, freedom))


def relative(log_ratio: float) -> float:
    """exp(x) - 1, held to finite numbers."""
    return math.expm1(max(-MAX_LOG, min(MAX_LOG, log_ratio)))


def welch(old: Sequence[float], new: Sequence[float]) -> Difference:
    """Welch's difference of two groups of at least two positive values each, on logarithms."""
    a, b = _logs(old), _logs(new)
    va, vb = _noise(a) / len(a), _noise(b) / len(b)
    total = va + vb
    if total == 0:
        return Difference(centre=fmean(b) - fmean(a), error=0.0, freedom=float(len(a) + len(b) - 2))
    # As shares of the total, since squares of tiny variances underflow to 0 / 0.
    sa, sb = va / total, vb / total
    freedom = 1 / (sa**2 / (len(a) - 1) + sb**2 / (len(b) - 1))
    return Difference(centre=fmean(b) - fmean(a), error=math.sqrt(total), freedom=freedom)


def pooled(old: Sequence[float], new: Sequence[float], *, spread: float, freedom: float) -> Difference:
    """Difference of groups of at least one positive value each, given what is known of the spread beforehand.

    Args:
        old: Values of the baseline's trials.
        new: Values of this run's trials.
        spread: Relative standard deviation between processes, measured earlier.
        freedom: Degrees of freedom of that measurement; both groups' own spread is pooled with it.
    """
    a, b = _logs(old), _logs(new)
    own = (len(a) - 1) * _noise(a) + (len(b) - 1) * _noise(b)
    total = freedom + len(a) + len(b) - 2
    sd = math.sqrt(max(spread**2, (freedom * spread**2 + own) / total))
    return Difference(centre=fmean(b) - fmean(a), error=sd * math.sqrt(1 / len(a) + 1 / len(b)), freedom=total)


def _logs(values: Sequence[float]) -> list[float]:
    return [math.log(v) for v in values]


def _noise(logs: Sequence[float]) -> float:
    return variance(logs) if len(logs) > 1 else 0.0


def mcnemar(lost: int, won: int) -> float:
    """Exact two-sided McNemar p value of the discordant pairs; 1 where there are none."""
    if lost + won == 0:
        return 1.0
    from scipy.stats import binomtest

    return float(binomtest(lost, lost + won, 0.5).pvalue)


def losses_to_see(won: int, limit: int, alpha: float = ALPHA) -> int | None:
    """Smallest number of losses that would be significant beside `won` wins; None if `limit` does not suffice."""
    low, high = won + 1, limit
    if high < low or mcnemar(high, won) >= alpha:
        return None
    while low < high:  # p falls as losses grow beyond wins
        middle = (low + high) // 2
        low, high = (low, middle) if mcnemar(middle, won) < alpha else (middle + 1, high)
    return low


def paired_drop_bound(lost: int, won: int, examples: int) -> float:
    """Upper one-sided 95 % bound of the drop of a share on paired examples.

    Wald's with half a pair added to each discordant cell (Agresti and Min), which holds its level
    where few or no pairs are discordant.
    """
    b, c, n = lost + 0.5, won + 0.5, examples + 2.0
    error = math.sqrt(max(0.0, b + c - (b - c) ** 2 / n)) / n
    return (b - c) / n + 1.645 * error


__all__ = [
    "ALPHA", "BETA", "Difference", "losses_to_see", "mcnemar", "median", "paired_drop_bound", "pooled", "relative",
    "t_quantile", "welch",
]  # fmt: skip
