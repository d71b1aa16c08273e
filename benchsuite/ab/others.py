"""The rules that other tools decide by, on the same raw values, so that their error rates stand in the same table.

Each rule compares rounds of arm b with rounds of arm a, as its tool does: of one process a side, or,
in its favour, of all processes of the call poured together. The tools and their defaults:
pytest-benchmark's `--benchmark-compare-fail=min:5%` and `median:5%`; Student's t and Mann-Whitney's
test on rounds at 5 %; Mann-Whitney with a change of 10 % (asv's factor 1.1); TorchBench's 7 % on medians.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .decide import FASTER, OK, SLOWER
from .estimate import Array, arms
from .noise import Noise, offsets, rounds
from .power import Outcomes, Row, row

LEVEL = 0.05
STRICT = 0.002
"""asv's level for its Mann-Whitney test."""


@dataclass(frozen=True, kw_only=True)
class Other:
    """A rule and its name."""

    name: str
    judge: Callable[[Array, Array], Array]
    """Rounds of a and of b as logarithms (calls x rounds) -> +1 for slower, -1 for faster, 0."""


def _by_ratio(a: Array, b: Array, share: float) -> Array:
    change, band = b - a, np.log1p(share)
    return np.where(change > band, 1, np.where(change < -band, -1, 0))


def least(share: float) -> Callable[[Array, Array], Array]:
    """A threshold on the ratio of minima."""
    return lambda a, b: _by_ratio(a.min(axis=1), b.min(axis=1), share)


def middle(share: float) -> Callable[[Array, Array], Array]:
    """A threshold on the ratio of medians."""
    return lambda a, b: _by_ratio(np.median(a, axis=1), np.median(b, axis=1), share)


def student(a: Array, b: Array) -> Array:
    """Two-sided t test with pooled variance on rounds, at 5 %."""
    from scipy.special import stdtrit

    n, m = a.shape[1], b.shape[1]
    pooled = (a.var(axis=1, ddof=1) * (n - 1) + b.var(axis=1, ddof=1) * (m - 1)) / (n + m - 2)
    score = (b.mean(axis=1) - a.mean(axis=1)) / np.sqrt(pooled * (1 / n + 1 / m))
    return np.where(np.abs(score) > stdtrit(n + m - 2, 1 - LEVEL / 2), np.sign(score), 0).astype(int)


def ranks(level: float) -> Callable[[Array, Array], Array]:
    """Two-sided Mann-Whitney test on rounds (normal approximation; values are continuous, so ties are not expected)."""

    def judge(a: Array, b: Array) -> Array:
        from scipy.special import ndtri

        n, m = a.shape[1], b.shape[1]
        order = np.concatenate([a, b], axis=1).argsort(axis=1).argsort(axis=1) + 1
        rank_sum = order[:, n:].sum(axis=1) - m * (n + m + 1) / 2
        score = rank_sum / np.sqrt(n * m * (n + m + 1) / 12)
        return np.where(np.abs(score) > ndtri(1 - level / 2), np.sign(score), 0).astype(int)

    return judge


def both(first: Callable[[Array, Array], Array], second: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    """What two rules agree on."""
    return lambda a, b: np.where(first(a, b) == second(a, b), first(a, b), 0)


OTHERS = (
    Other(name="min, 5 %", judge=least(0.05)),
    Other(name="median, 5 %", judge=middle(0.05)),
    Other(name="t on rounds, 5 % level", judge=student),
    Other(name="Mann-Whitney on rounds, 5 % level", judge=ranks(LEVEL)),
    Other(name="Mann-Whitney and 10 %", judge=both(ranks(STRICT), middle(0.10))),
    Other(name="median, 7 %", judge=middle(0.07)),
)


def judged(other: Other, steps: Array, *, pooled: bool) -> Array:
    """What a rule says of many calls.

    Args:
        other: The rule.
        steps: Logarithms of every round, processes in ABBA order; calls x processes x rounds.
        pooled: Whether it gets the rounds of all processes, or of the first of each arm.
    """
    arm = arms(steps.shape[1] // 2)
    sides = [steps[:, arm == side] for side in (-1.0, 1.0)]
    if not pooled:
        sides = [side[:, :1] for side in sides]
    a, b = (side.reshape(len(steps), -1) for side in sides)
    return other.judge(a, b)


def compared(scene: str, steps: Array, *, effect: float, pair: float) -> tuple[Row, ...]:
    """A row for each rule, with one process a side and with all poured together."""
    every = []
    for pooled in (False, True):
        pairs = steps.shape[1] // 2 if pooled else 1
        for other in OTHERS:
            said = judged(other, steps, pooled=pooled)
            coded = np.select([said > 0, said < 0], [SLOWER, FASTER], OK)[None]
            name = f"{other.name}; {'all processes' if pooled else '1 process a side'}"
            outcomes = Outcomes(said=coded, pairs=np.full(len(steps), float(pairs)))
            every.append(row(name, scene, outcomes, [effect != 0], effect=effect, pair=pair))
    return tuple(every)


def simulated(noise: Noise, *, calls: int, pairs: int, effect: float, seed: int, steps: int = 0) -> Array:
    """Rounds of whole calls; calls x processes x rounds, logarithms in ABBA order."""
    rng = np.random.default_rng(seed)
    whole = offsets(noise, rng, calls, 2 * pairs) + np.log1p(effect) * (arms(pairs) > 0)
    return whole[..., None] + rounds(noise, rng, (calls, 2 * pairs), steps=steps)
