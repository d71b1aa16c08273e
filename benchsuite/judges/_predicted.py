"""Judging by prediction: where new trials lie if nothing changed, from the baseline's and a calibrated spread.

Shared by judges of what scatters from process to process. Not a judge itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.ab.prediction import Prediction, log_shift, middle, place, predict
from benchsuite.judges._common import finding, grouped, ratio
from benchsuite.nouns import Better, Finding, Metric, Noise, Outcome, Role, Spread
from benchsuite.stats import ALPHA, BETA, median, relative, t_quantile
from benchsuite.units import percent

BLIND = 1.0
"""Where not even this relative effect would have been seen, nothing is called ok."""


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """Trials of both sides, and where the new ones were to lie."""

    metric: Metric
    old: Sequence[float]
    new: Sequence[float]
    smallest: float
    prediction: Prediction

    @property
    def shift(self) -> float:
        """Logarithm of new over old."""
        return log_shift(self.prediction, self.new)

    @property
    def half(self) -> float:
        """Half of the interval that noise alone spans, without the smallest effect."""
        tail = ALPHA / 2 if self.metric.better is Better.NEITHER else ALPHA
        return self.prediction.error * t_quantile(1 - tail, self.prediction.freedom)

    @property
    def calm(self) -> float:
        """Half of the interval by which "no change" is said."""
        return self.prediction.error * t_quantile(1 - BETA, self.prediction.freedom)

    @property
    def detectable(self) -> float:
        """Smallest effect that lies outside in 19 of 20 cases, and so is not called ok."""
        return relative(math.log1p(self.prediction.half) + self.calm)

    @property
    def calibrated(self) -> bool:
        """Whether this machine's own spread is known from elsewhere than the trials."""
        return self.metric.noise is not None and self.metric.noise.known is not None


def by_prediction(
    metric: Metric, old: Sequence[float], new: Sequence[float], smallest: float, builtin: Spread | None = None
) -> Finding:
    """Judge positive values of new trials by the interval in which unchanged ones lie.

    Outside the interval, and beyond the smallest effect that counts, is a move, unless it is hearsay. Inside, "no
    change" is said where the 95 % bound on the worse side lies within that effect; or, of a calibrated spread, where
    the shift itself does and less than a doubling would have been seen. Else there is no answer.

    Args:
        metric: Its `noise` says which sittings the old trials are of, and what was calibrated.
        old: The baseline's trials.
        new: This run's.
        smallest: Smallest relative effect that counts.
        builtin: What is known of the spread where nothing was calibrated.
    """
    noise = metric.noise or Noise(sittings=(0,) * len(old), known=None)
    prediction = predict(
        grouped(old, noise.sittings),
        new=len(new),
        floor=smallest,
        better=metric.better,
        known=noise.known or builtin,
        fresh=new,
    )
    if not prediction.freedom:
        return _unknown(old, new)
    return _told(_Seen(metric=metric, old=old, new=new, smallest=smallest, prediction=prediction))


def _unknown(old: Sequence[float], new: Sequence[float]) -> Finding:
    effect = ratio(median(old), median(new))
    seen = "" if effect is None else f"{percent(effect)}, but "
    detail = (
        f"{seen}there are {len(old)} and {len(new)} trials, and the spread between processes shows only from two on a "
        "side, better five"
    )
    return finding(Outcome.INCONCLUSIVE, median(old), median(new), effect=effect, detail=detail)


def _told(seen: _Seen) -> Finding:
    outcome = place(seen.prediction, seen.new, seen.metric.better)
    if _hearsay(seen) if outcome is not Outcome.OK else not _settled(seen):
        outcome = Outcome.INCONCLUSIVE
    return finding(
        outcome,
        seen.prediction.centre,
        middle(seen.new),
        effect=relative(seen.shift),
        interval=(relative(seen.shift - seen.half), relative(seen.shift + seen.half)),
        detectable=seen.detectable,
        detail=_open(seen) if outcome is Outcome.INCONCLUSIVE else _decided(seen),
    )


def _hearsay(seen: _Seen) -> bool:
    """Whether a move is one process's word, on a machine that was never calibrated, of what only explains.

    Such are all times on a CPU, where whatever else runs moves them, and where a shipped baseline is another machine's.
    """
    return len(seen.new) == 1 and seen.metric.role is Role.EXPLAIN and not seen.calibrated


def _settled(seen: _Seen) -> bool:
    """Whether a move inside the interval may be called none."""
    worst = {Better.LOWER: seen.shift, Better.HIGHER: -seen.shift, Better.NEITHER: abs(seen.shift)}[seen.metric.better]
    band = math.log1p(seen.smallest)
    return worst + seen.calm < band or (seen.calibrated and worst <= band and seen.detectable < BLIND)


# ---------------------------------------------------------------- words


def _decided(seen: _Seen) -> str:
    lie = "one trial lies" if len(seen.new) == 1 else f"{len(seen.new)} trials lie"
    said = (
        f"{percent(relative(seen.shift))}; with nothing changed, {lie} within +-{percent(relative(seen.half))[1:]} of "
        f"the baseline's {len(seen.old)}; smallest effect that counts {_counts(seen)}, that could be seen "
        f"{percent(seen.detectable)[1:]}"
    )
    return f"{said}; {seen.prediction.note}" if seen.prediction.note else said


def _open(seen: _Seen) -> str:
    # The effect in front and the reach at the end are each metric's own; reports that list many cut them off.
    alone = len(seen.new) == 1 and abs(seen.shift) > math.log1p(seen.prediction.half)
    why = "one process may have been disturbed" if alone else "that can be noise"
    return (
        f"{percent(relative(seen.shift))}, but there are {len(seen.old)} and {len(seen.new)} trials: {why}; smallest "
        f"effect that counts {_counts(seen)}; a move under {percent(seen.detectable)[1:]} would be out of reach"
    )


def _counts(seen: _Seen) -> str:
    return f"{percent(seen.smallest)[1:]}{'' if seen.calibrated else ' (uncalibrated)'}"
