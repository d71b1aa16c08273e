"""How fast the host was, by a fixed piece of work: what of a time is the machine's, and not the libraries'.

Pure. A baseline is of some host on some day. On another one of the same name, or beside a busy neighbour, whatever is
bound by the host takes longer, and nothing that is guarded has changed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .nouns import Finding, Metric, Outcome, Record
from .stats import median, relative
from .units import is_number, percent

YARDSTICK = "host.yardstick"
REACH = 2.0
"""What a slower host may do to a time, in multiples of its own slowdown on the log scale.

Provisional: on an H200 host that ran QLoRA's steps 48 % slower, its evaluation took 83 % longer (1.5 times) and its
reload 113 % (1.9 times). How the fixed work fared there was not measured. On another host the work itself took twice as
long in some processes as in others of one sitting, and steps a quarter longer: see docs/calibrate.md.
"""
BY_TIME = ("s", "1/s", "J")
"""Units of what a slow host moves."""


def unlike(metric: Metric, found: Finding, old: Sequence[Record], new: Sequence[Record]) -> str:
    """Why a move says nothing of the stack: the host's own pace may have made it; empty where it cannot have.

    Args:
        metric: What was judged.
        found: What its judge says.
        old: The baseline's trials that have it.
        new: This run's.
    """
    moved = found.outcome in (Outcome.REGRESSED, Outcome.IMPROVED)
    if not moved or metric.unit not in BY_TIME or metric.name == YARDSTICK:
        return ""
    slower, longer = shift(old, new), _longer(metric, found)
    if not slower or longer is None or not 0 < longer / slower <= REACH:
        return ""
    how = f"{percent(relative(abs(slower)))[1:]} {'slower' if slower > 0 else 'faster'}"
    return (
        f"{percent(found.effect or 0.0)}, but the host was {how} at a fixed piece of work ({YARDSTICK}) than when the "
        "baseline was recorded, and can have made this move"
    )


def _longer(metric: Metric, found: Finding) -> float | None:
    """Logarithm of the time, new over old, whatever the figure counts."""
    if found.effect is None or found.effect <= -1:
        return None
    return math.log1p(found.effect) * (-1 if metric.unit == "1/s" else 1)


def shift(old: Sequence[Record], new: Sequence[Record]) -> float | None:
    """Logarithm of the time that the fixed work takes, new over old.

    None unless every trial measured it, under one Python: a figure's middle is that of all its trials.
    """
    trials = [*old, *new]
    before, after = ([_seconds(trial) for trial in side] for side in (old, new))
    known = [[s for s in side if s is not None] for side in (before, after)]
    pythons = {trial.environment.hardware.get("python") for trial in trials}
    if len(pythons) != 1 or not all(known) or len(known[0]) + len(known[1]) < len(trials):
        return None
    return math.log(median(known[1]) / median(known[0]))


def _seconds(trial: Record) -> float | None:
    found = trial.metrics.get(YARDSTICK)
    good = found is not None and is_number(found.value) and 0 < found.value < math.inf
    return float(found.value) if good and found is not None else None
