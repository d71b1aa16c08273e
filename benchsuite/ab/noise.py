"""How times of unchanged processes scatter: a model to simulate from, and its fit to recorded processes.

Everything is on the log scale, so 0.01 is 1 %. A process has an offset of its own; over a sitting
there is drift and a random walk; some processes are disturbed throughout; inside a process the steps
are autocorrelated and some of them stick out. Simulates one metric; several are independent, which
is the worst case for the rate of a whole call.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchsuite.nouns import SuiteError

from .estimate import TO_SD, Array

Generator = Any
"""A `numpy.random.Generator`."""
FAR = 5.0
"""Robust standard deviations beyond which a value is a burst and no part of the spread."""
ENOUGH = 20
"""Processes from which the fourth moment says anything of the tail."""
SITTING = 12
"""Processes from which a walk can be told from offsets; below, all is taken for offsets."""
SHORT = 4
"""Steps from which a process shows a correlation."""
POOL = 20_000
"""Processes whose inner noise is drawn; a call's processes draw from them."""
TINY = 1e-12


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Parameters of one metric's noise, relative."""

    offset: float
    """Scale of a process's own offset; its standard deviation where the tail is normal."""
    tail: float
    """Degrees of freedom of the offsets' Student distribution; infinite for normal."""
    burst_share: float
    """Share of processes that are disturbed throughout."""
    burst_size: float
    """Mean slowdown of such a process, exponentially distributed."""
    drift: float
    """Linear drift from one process to the next."""
    walk: float
    """Standard deviation of a random walk's step from one process to the next."""
    within: float
    """Standard deviation of a step inside a process."""
    correlation: float
    """Correlation of a step with the one before."""
    spike_share: float
    """Share of steps that stick out."""
    spike_size: float
    """Mean slowdown of such a step, exponentially distributed."""
    steps: int
    """Timed steps in a process."""


def rounds(noise: Noise, rng: Generator, shape: tuple[int, ...], *, steps: int = 0) -> Array:
    """Inner noise of processes, step by step: logarithms of `shape` x steps."""
    count = steps or noise.steps
    fresh = rng.standard_normal((*shape, count))
    keep, add = noise.correlation, math.sqrt(1 - noise.correlation**2)
    for i in range(1, count):
        fresh[..., i] = keep * fresh[..., i - 1] + add * fresh[..., i]
    spikes = rng.random(fresh.shape) < noise.spike_share
    return noise.within * fresh + spikes * rng.exponential(noise.spike_size, fresh.shape)


def offsets(noise: Noise, rng: Generator, calls: int, processes: int) -> Array:
    """What whole processes are off by, in the order in which they run: logarithms, calls x processes."""
    shape = (calls, processes)
    own = rng.standard_normal(shape) if math.isinf(noise.tail) else rng.standard_t(noise.tail, shape)
    bursts = (rng.random(shape) < noise.burst_share) * rng.exponential(noise.burst_size, shape)
    walk = np.cumsum(rng.standard_normal(shape), axis=1) * noise.walk
    return noise.offset * own + bursts + walk + noise.drift * np.arange(processes)


def medians(noise: Noise, rng: Generator, calls: int, processes: int) -> Array:
    """The median timed step of each process: logarithms, calls x processes."""
    pool = np.median(rounds(noise, rng, (min(POOL, calls * processes),)), axis=-1)
    return offsets(noise, rng, calls, processes) + rng.choice(pool, (calls, processes))


# ---------------------------------------------------------------- from recorded trials


def fit(processes: Sequence[Sequence[float]]) -> Noise:
    """Fit the model to the steps of recorded processes of one unchanged stack.

    Moments and medians, not likelihood: with few processes some parts cannot be told apart. A tail
    and a linear drift are taken up only where the data show them (a tail from `ENOUGH` processes on).

    Args:
        processes: Positive times of the steps of each process, processes in the order of the sitting.

    Raises:
        SuiteError: fewer than two processes, an empty one, or a value that is not positive.
    """
    if len(processes) < 2 or not all(len(p) and min(p) > 0 for p in processes):  # noqa: PLR2004
        raise SuiteError("noise is fitted to two processes at least, each with steps that took some time")
    logs = [np.log(np.asarray(p, dtype=float)) for p in processes]
    middles = np.array([np.median(p) for p in logs])
    inner = [p - middle for p, middle in zip(logs, middles, strict=True)]
    within, spike_share, spike_size = _core(np.concatenate(inner))
    slope = _slope(middles)
    level = middles - slope * np.arange(len(middles))
    _, burst_share, burst_size = _core(level - np.median(level))
    calm = level[np.abs(level - np.median(level)) <= _reach(level - np.median(level))]
    spread, walk = _offset_and_walk(calm)
    return Noise(
        offset=spread, tail=_tail(calm), burst_share=burst_share, burst_size=burst_size, drift=slope, walk=walk,
        within=within, correlation=_correlation(inner), spike_share=spike_share, spike_size=spike_size,
        steps=int(np.median([len(p) for p in logs])),
    )  # fmt: skip


def _reach(rest: Array) -> float:
    return FAR * max(TO_SD * float(np.median(np.abs(rest))), TINY)


def _core(rest: Array) -> tuple[float, float, float]:
    """Standard deviation of what is near, share of what sticks out upwards, and its mean."""
    reach = _reach(rest)
    near, far = rest[np.abs(rest) <= reach], rest[rest > reach]
    return float(near.std()), len(far) / len(rest), float(far.mean()) if len(far) else 0.0


def _slope(middles: Array) -> float:
    """Theil and Sen's slope where Kendall's test shows one at 5 %, else 0."""
    from scipy.stats import kendalltau, theilslopes

    place = np.arange(len(middles))
    seen = kendalltau(place, middles).pvalue
    return float(theilslopes(middles, place)[0]) if seen < 0.05 else 0.0  # noqa: PLR2004


def _offset_and_walk(level: Array) -> tuple[float, float]:
    """From the mean squares of differences to the next and to the next but one: 2 s^2 + w^2 and 2 s^2 + 2 w^2."""
    if len(level) < SITTING:
        return float(level.std(ddof=1)) if len(level) > 1 else 0.0, 0.0
    one, two = (float(np.square(level[k:] - level[:-k]).mean()) for k in (1, 2))
    walk = min(max(0.0, two - one), one)
    return math.sqrt(max(0.0, (one - walk) / 2)), math.sqrt(walk)


def _tail(level: Array) -> float:
    """Student's degrees of freedom from the kurtosis; infinite where it shows none."""
    if len(level) < ENOUGH or not level.std():
        return math.inf
    excess = float((((level - level.mean()) / level.std()) ** 4).mean()) - 3
    return 4 + 6 / excess if excess > 0 else math.inf


def _correlation(inner: Sequence[Array]) -> float:
    """Correlation of neighbouring steps of which neither sticks out."""
    found = [_neighbours(p) for p in inner if len(p) >= SHORT]
    together, alone = (sum(part[i] for part in found) for i in (0, 1))
    return min(0.99, max(0.0, together / alone)) if alone else 0.0


def _neighbours(steps: Array) -> tuple[float, float]:
    """Sum of products of near neighbours, and of squares as it would be if each went with itself."""
    near = np.abs(steps) <= _reach(steps)
    centred = steps - steps[near].mean()
    both = near[1:] & near[:-1]
    return float((centred[1:] * centred[:-1])[both].sum()), float(np.square(centred[near]).mean() * both.sum())
