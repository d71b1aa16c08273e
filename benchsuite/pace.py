"""How fast the host was, by a fixed piece of work: what of a time is the machine's, and not the libraries'.

Pure. A baseline is of some host on some day. On another one of the same name, or beside a busy neighbour, whatever is
bound by the host takes longer, and nothing that is guarded has changed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from .nouns import Finding, Metric, Outcome, Record
from .stats import median, relative
from .units import is_number, percent

YARDSTICK = "host.yardstick"
SAME = 0.10
"""Hosts whose paces lie closer together are taken for the same: the smallest effect that counts in any wall time."""
REACH = 2.0
"""What a slower host may do to a time, in multiples of its own slowdown on the log scale.

An evaluation batch of QLoRA on an H200 took 83 % longer on a host that ran single steps 48 % slower: 1.5 times.
"""
BY_TIME = ("s", "1/s", "J")
"""Units of what a slow host moves."""


def allowing(metric: Metric, found: Finding, old: Sequence[Record], new: Sequence[Record]) -> Finding:
    """`found`, or no answer where the host's own pace may have made the move.

    Args:
        metric: What was judged.
        found: What its judge says.
        old: The baseline's trials.
        new: This run's.
    """
    moved = found.outcome in (Outcome.REGRESSED, Outcome.IMPROVED)
    if not moved or metric.unit not in BY_TIME or metric.name == YARDSTICK or found.effect is None:
        return found
    slower = shift(old, new)
    if slower is None or abs(slower) <= math.log1p(SAME):
        return found
    # The logarithm of the time, whatever the figure counts.
    longer = math.log1p(found.effect) * (-1 if metric.unit == "1/s" else 1)
    if not 0 < longer / slower <= REACH:
        return found
    return replace(found, outcome=Outcome.INCONCLUSIVE, detail=_words(found, slower))


def shift(old: Sequence[Record], new: Sequence[Record]) -> float | None:
    """Logarithm of the time that the fixed work takes, new over old; None where a side did not measure it."""
    sides = [[_seconds(trial) for trial in side] for side in (old, new)]
    before, after = ([s for s in side if s is not None] for side in sides)
    return math.log(median(after) / median(before)) if before and after else None


def _seconds(trial: Record) -> float | None:
    found = trial.metrics.get(YARDSTICK)
    good = found is not None and is_number(found.value) and 0 < found.value < math.inf
    return float(found.value) if good and found is not None else None


def _words(found: Finding, slower: float) -> str:
    word = "slower" if slower > 0 else "faster"
    how = f"{percent(relative(abs(slower)))[1:]} {word}"
    return (
        f"{percent(found.effect or 0.0)}, but the host was {how} at a fixed piece of work ({YARDSTICK}) than when the "
        "baseline was recorded: this move can be the machine's; compare on one machine in one sitting: benchsuite ab"
    )
