"""What the next trials may look like, given a baseline's: intervals from process to process, and from night to night.

The unit is the process. Trials of one sitting share its night, so that only several sittings tell
how far nights lie apart; with one, the interval is of the same night and says so. Nothing here may
be fed with rounds inside one process.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from benchsuite.nouns import Better, Outcome, Spread
from benchsuite.stats import ALPHA, BETA, MAX_LOG, relative, t_quantile
from benchsuite.units import percent

__all__ = [
    "ALONE",
    "CALIBRATED",
    "FEWEST_NIGHTS",
    "Prediction",
    "Spread",
    "log_shift",
    "middle",
    "place",
    "predict",
    "reach",
    "spread",
]

CALIBRATED = 5
"""Trials from which the spread between processes counts as known."""
FEWEST_NIGHTS = 4
"""Of fewer sittings a variance is hardly known: with two, Student's quantile is 32, and nothing would be seen."""
ALONE = 2.0
"""By how many half widths a single trial must lie outside to be called worse: one process may have been disturbed."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Where the geometric mean of new trials lies unless something changed."""

    centre: float
    """The baseline's value, in the metric's unit."""
    low: float | None
    """Lower end; None where only more is worse and less is not asked about."""
    high: float | None
    half: float
    """Relative effect that this interval can see."""
    error: float
    """Standard error of log(new mean / centre)."""
    freedom: float
    """Degrees of freedom of `error`; 0 where nothing is known of it."""
    spread: Spread
    calibrated: bool
    """False where the spread rests on fewer than `CALIBRATED` trials, or the floor alone is known."""
    note: str
    """What widened it, in words; empty for nothing."""


def spread(sittings: Sequence[Sequence[float]]) -> Spread:
    """Components of variance of positive values, one sequence a sitting (moments, unbalanced one-way layout)."""
    logs = [[math.log(v) for v in sitting] for sitting in sittings if sitting]
    freedom = sum(len(sitting) - 1 for sitting in logs)
    inner = sum((len(s) - 1) * variance(s) for s in logs if len(s) > 1) / freedom if freedom else 0.0
    return Spread(
        within=math.sqrt(inner), freedom=float(freedom), between=math.sqrt(_between(logs, inner)), nights=len(logs)
    )


def _between(logs: Sequence[Sequence[float]], inner: float) -> float:
    if len(logs) < 2:  # noqa: PLR2004 - two sittings are what a difference needs
        return 0.0
    sizes = [len(s) for s in logs]
    grand = sum(map(sum, logs)) / sum(sizes)
    mean_square = sum(len(s) * (fmean(s) - grand) ** 2 for s in logs) / (len(logs) - 1)
    size = (sum(sizes) - sum(n**2 for n in sizes) / sum(sizes)) / (len(logs) - 1)
    return max(0.0, (mean_square - inner) / size)


def predict(
    sittings: Sequence[Sequence[float]],
    *,
    new: int,
    floor: float,
    better: Better = Better.NEITHER,
    known: Spread | None = None,
    fresh: Sequence[float] = (),
    alpha: float = ALPHA,
) -> Prediction:
    """The interval for the geometric mean of `new` trials of one further sitting.

    Args:
        sittings: The baseline's trials, positive, one sequence a sitting.
        new: Trials of the run that is to be judged.
        floor: Smallest relative half width; all there is where nothing is known of the spread.
        better: Where less or more is better, all of `alpha` goes to the other side.
        known: A calibrated spread of this metric on this machine; it can only add to what the trials show.
        fresh: The new trials, where they are to tell of the spread between processes too; they only widen `known`'s
            and the baseline's.
        alpha: Rate at which an unchanged run falls outside.
    """
    filled = [s for s in sittings if s]
    seen = _joined(spread([fresh]), _joined(spread(filled), known))
    error, freedom = _error([len(s) for s in filled], seen, new)
    half = max(math.log1p(floor), error * t_quantile(1 - _tail(better, alpha), freedom) if freedom else 0.0)
    centre = middle([v for s in filled for v in s])
    calibrated = max(seen.freedom + 1, seen.nights) >= CALIBRATED
    return Prediction(
        centre=centre,
        low=None if better is Better.LOWER else centre * math.exp(-min(half, MAX_LOG)),
        high=None if better is Better.HIGHER else centre * math.exp(min(half, MAX_LOG)),
        half=relative(half),
        error=error,
        freedom=freedom,
        spread=seen,
        calibrated=calibrated,
        note=_note(seen, floor),
    )


def _tail(better: Better, alpha: float) -> float:
    return alpha / 2 if better is Better.NEITHER else alpha


def reach(seen: Spread, *, old: int, new: int, better: Better, alpha: float = ALPHA) -> float:
    """Smallest relative effect that `new` trials show in 19 of 20 runs against `old` of one sitting, by noise alone.

    Raises:
        ValueError: the spread rests on nothing.
    """
    error, freedom = _error([old], seen, new)
    if not freedom:
        raise ValueError("a spread of one trial says nothing")
    return relative(error * (t_quantile(1 - _tail(better, alpha), freedom) + t_quantile(1 - BETA, freedom)))


def _joined(own: Spread, known: Spread | None) -> Spread:
    if known is None:
        return own
    freedom = own.freedom + known.freedom
    pooled = own.freedom * own.within**2 + known.freedom * known.within**2
    inner = math.sqrt(max(pooled / freedom, known.within**2)) if freedom else 0.0
    return Spread(
        within=inner,
        freedom=freedom,
        between=max(own.between, known.between),
        nights=max(own.nights, known.nights),
    )


def _error(sizes: Sequence[int], seen: Spread, new: int) -> tuple[float, float]:
    """Standard error of (new mean - baseline's mean), and Satterthwaite's degrees of freedom for it."""
    total = sum(sizes)
    inner = seen.within**2 * (1 / total + 1 / new)
    if seen.nights == 1:
        return math.sqrt(inner), seen.freedom
    # What is known of nights is the spread of their means, which holds a part of `within`; the two
    # components apart would claim more freedom than there is, and missed 3 times as often as said.
    share, size = sum((n / total) ** 2 for n in sizes) + 1, total / len(sizes)
    means = (seen.between**2 + seen.within**2 / size) * share
    whole = inner + seen.between**2 * share
    nights = max(seen.nights, FEWEST_NIGHTS) - 1.0
    if whole <= means or not seen.freedom:
        return math.sqrt(whole), nights
    return math.sqrt(whole), whole**2 / (means**2 / nights + (whole - means) ** 2 / seen.freedom)


def _note(seen: Spread, floor: float) -> str:
    if not seen.freedom and seen.nights < 2:  # noqa: PLR2004 - as in `_between`
        return f"one trial shows no spread between processes: the built-in {percent(floor)[1:]}, uncalibrated"
    parts = []
    if max(seen.freedom + 1, seen.nights) < CALIBRATED:
        few = f"only {seen.freedom:g} degree{'' if seen.freedom == 1 else 's'} of freedom"
        parts.append(f"{few} for the spread between processes, uncalibrated")
    if seen.nights == 1:
        parts.append("one sitting: how far nights lie apart is not in it")
    elif seen.nights < FEWEST_NIGHTS:
        parts.append(f"{seen.nights} sittings: how far nights lie apart is hardly known")
    return "; ".join(parts)


def place(prediction: Prediction, new: Sequence[float], better: Better) -> Outcome:
    """Where new trials lie: ok inside; outside, `regressed` on the worse side, and `changed` where neither is.

    `inconclusive` where a single trial is outside by less than as much again (`ALONE`): one process may have been
    disturbed, two are not by chance. A move to the better side is `improved` by as much as would be a regression.
    """
    shift = abs(log_shift(prediction, new))
    half = math.log1p(prediction.half)
    if shift <= half:
        return Outcome.OK
    outcome = _moved(better, log_shift(prediction, new))
    alone = len(new) == 1 and shift <= ALONE * half
    return Outcome.INCONCLUSIVE if alone and outcome is not Outcome.IMPROVED else outcome


def middle(values: Sequence[float]) -> float:
    """The geometric mean, since effects are told of mean logarithms; to the last bit where the values agree."""
    return values[0] if len(set(values)) == 1 else math.exp(fmean(map(math.log, values)))


def log_shift(prediction: Prediction, new: Sequence[float]) -> float:
    """Mean logarithm of the new trials over the baseline's value."""
    return fmean([math.log(v) for v in new]) - math.log(prediction.centre)


def _moved(better: Better, shift: float) -> Outcome:
    if better is Better.NEITHER:
        return Outcome.CHANGED
    return Outcome.IMPROVED if (shift < 0) == (better is Better.LOWER) else Outcome.REGRESSED
