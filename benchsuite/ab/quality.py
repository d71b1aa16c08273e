"""Accuracy of two sides on the same examples: the smallest drop that they would have shown.

Pairs of predictions, example by example: what both arms answer alike says nothing about their
difference. Several seeds are several tables, never one long one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from benchsuite.stats import ALPHA

POWER = 0.9
STEPS = 24
"""Halvings of a search for a share: far beyond one example of any data set."""


@dataclass(frozen=True, kw_only=True)
class Turned:
    """How the predictions of two arms differ."""

    lost: int
    """Examples that only the first arm has right."""
    won: int
    """Examples that only the second arm has right."""
    examples: int


def power(drop: float, differing: float, examples: int, *, alpha: float = ALPHA, margin: float = 0.0) -> float:
    """Probability that exact McNemar shows a drop at `alpha`, and that it is seen to be beyond `margin`.

    Args:
        drop: The true drop, a share.
        differing: Share of examples that differ between the arms, at least `drop`.
        examples: Examples in the validation split.
        alpha: Two-sided level.
        margin: What a drop must exceed, a share.
    """
    import numpy as np
    from scipy.stats import binom

    count = np.arange(examples + 1)
    chance = binom.pmf(count, examples, differing)
    worse = 0.5 * (1 + drop / differing) if differing else 0.5
    return float((chance * binom.sf(_fewest(examples, alpha, margin) - 1, count, worse)).sum())


@lru_cache(maxsize=8)
def _fewest(examples: int, alpha: float, margin: float) -> Any:
    """Of each number of differing examples, the fewest losses that are significant and beyond the margin."""
    import numpy as np
    from scipy.stats import binom

    count = np.arange(examples + 1)
    # The upper tail of a fair coin.
    fewest = count - binom.ppf(alpha / 2, count, 0.5) + 1
    fewest = np.where(binom.sf(fewest - 2, count, 0.5) <= alpha / 2, fewest - 1, fewest)
    return np.maximum(fewest, np.floor((count + examples * margin) / 2) + 1) if margin else fewest


def visible(seen: Turned, *, alpha: float = ALPHA, wanted: float = POWER, margin: float = 0.0) -> float:
    """Smallest drop that a run of these examples would have shown in 9 of 10 cases, as a share; 1 for none.

    As many examples differ without a drop as differ here beyond this run's own drop; each lost one comes on top.
    """
    noise = (seen.lost + seen.won - abs(seen.lost - seen.won)) / seen.examples
    low, high = 0.0, 1.0 - noise
    if not high or power(high, noise + high, seen.examples, alpha=alpha, margin=margin) < wanted:
        return 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        enough = power(middle, noise + middle, seen.examples, alpha=alpha, margin=margin) >= wanted
        low, high = (low, middle) if enough else (middle, high)
    return high
