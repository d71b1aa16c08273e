"""Intervals and tests on scipy, for judges.

The unit of replication is the trial, a fresh process: nothing here may be fed with rounds inside
one process. Differences of positive quantities are taken on logarithms, so that "twice" and "half"
weigh the same. scipy.stats is imported inside functions: importing it costs about a second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median_high, median_low

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


def t_quantile(probability: float, freedom: float) -> float:
    """Quantile of Student's t."""
    from scipy.stats import t

    return float(t.ppf(probability, freedom))


def relative(log_ratio: float) -> float:
    """exp(x) - 1, held to finite numbers."""
    return math.expm1(max(-MAX_LOG, min(MAX_LOG, log_ratio)))


def mcnemar(lost: int, won: int) -> float:
    """Exact two-sided McNemar p value of the discordant pairs; 1 where there are none."""
    if lost + won == 0:
        return 1.0
    from scipy.stats import binomtest

    return float(binomtest(lost, lost + won, 0.5).pvalue)


def paired_drop_bound(lost: int, won: int, examples: int) -> float:
    """Upper one-sided 95 % bound of the drop of a share on paired examples.

    Wald's with half a pair added to each discordant cell (Agresti and Min), which holds its level
    where few or no pairs are discordant.
    """
    b, c, n = lost + 0.5, won + 0.5, examples + 2.0
    error = math.sqrt(max(0.0, b + c - (b - c) ** 2 / n)) / n
    return (b - c) / n + 1.645 * error


__all__ = [
    "ALPHA", "BETA", "mcnemar", "median", "paired_drop_bound", "relative", "t_quantile",
]  # fmt: skip
