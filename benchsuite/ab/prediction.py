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

from benchsuite.nouns import Better, Outcome
from benchsuite.stats import ALPHA, relative, t_quantile
from benchsuite.units import percent

CALIBRATED = 5
"""Trials from which the spread between processes counts as known."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How trials of one metric differ on one machine, on the log scale."""

    within: float
    """Standard deviation between processes of one sitting."""
    freedom: float
    """Degrees of freedom of `within`; 0 where each sitting has one trial."""
    between: float
    """Standard deviation between sittings, beyond what `within` explains; 0 for one sitting."""
    nights: int
    """Sittings that it was seen in."""


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
    alpha: float = ALPHA,
) -> Prediction:
    """The interval for the geometric mean of `new` trials of one further sitting.

    Args:
        sittings: The baseline's trials, positive, one sequence a sitting.
        new: Trials of the run that is to be judged.
        floor: Smallest relative half width; all there is where nothing is known of the spread.
        better: Where less or more is better, all of `alpha` goes to the other side.
        known: A calibrated spread of this metric on this machine; it can only add to what the trials show.
        alpha: Rate at which an unchanged run falls outside.
    """
    filled = [s for s in sittings if s]
    seen = _joined(spread(filled), known)
    error, freedom = _error([len(s) for s in filled], seen, new)
    tail = alpha / 2 if better is Better.NEITHER else alpha
    half = max(math.log1p(floor), error * t_quantile(1 - tail, freedom) if freedom else 0.0)
    centre = math.exp(fmean([math.log(v) for s in filled for v in s]))
    calibrated = seen.freedom >= CALIBRATED - 1
    return Prediction(
        centre=centre,
        low=None if better is Better.LOWER else centre * math.exp(-half),
        high=None if better is Better.HIGHER else centre * math.exp(half),
        half=relative(half),
        spread=seen,
        calibrated=calibrated,
        note=_note(seen, floor),
    )


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
    if whole <= means or not seen.freedom:
        return math.sqrt(whole), seen.nights - 1.0
    return math.sqrt(whole), whole**2 / (means**2 / (seen.nights - 1) + (whole - means) ** 2 / seen.freedom)


def _note(seen: Spread, floor: float) -> str:
    if not seen.freedom:
        return f"one trial shows no spread between processes: the built-in {percent(floor)[1:]}, uncalibrated"
    parts = []
    if seen.freedom < CALIBRATED - 1:
        parts.append(f"only {seen.freedom:g} degrees of freedom for the spread between processes, uncalibrated")
    if seen.nights == 1:
        parts.append("one sitting: how far nights lie apart is not in it")
    return "; ".join(parts)


def place(prediction: Prediction, new: Sequence[float], better: Better) -> Outcome:
    """Where new trials lie: ok inside; outside, `regressed` on the worse side, and `changed` where neither is.

    `inconclusive` where a single trial is outside: one process may have been disturbed, two are not by chance.
    A move to the better side is `improved` by as much as would be a regression.
    """
    shift = math.log(math.exp(fmean([math.log(v) for v in new])) / prediction.centre)
    if abs(shift) <= math.log1p(prediction.half):
        return Outcome.OK
    if better is Better.NEITHER:
        return Outcome.CHANGED if len(new) > 1 else Outcome.INCONCLUSIVE
    if (shift < 0) == (better is Better.LOWER):
        return Outcome.IMPROVED
    return Outcome.REGRESSED if len(new) > 1 else Outcome.INCONCLUSIVE
