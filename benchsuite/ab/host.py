"""Host work that repeats exactly: python calls, operators, CUDA API calls, allocator requests a step.

Judged without statistics: any difference beyond the smallest effect is a finding, after one process
a side. It is how a slower host path is found where host time is too noisy. Takes no part in the
call's error rate; what the libraries' own change of version moves is for the caller to explain.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from benchsuite.nouns import Better, Outcome
from benchsuite.units import show_change

from .decide import Decision

SMALLEST = 0.01


def host_work(
    a: Sequence[float], b: Sequence[float], *, smallest: float = SMALLEST, better: Better = Better.LOWER
) -> Decision:
    """Decide one count from at least one process a side.

    Where processes of one side disagree, the nearest two of both sides are compared, so that a
    finding holds for every two; `inconclusive` where these agree and the sides' medians do not.
    """
    low, high = _gap(a, b)
    outcome = Outcome.OK
    if _beyond(low, high, smallest):
        outcome = _moved(better, high - low)
    elif _beyond(median(a), median(b), smallest):
        outcome = Outcome.INCONCLUSIVE
    return Decision(
        outcome=outcome,
        decided=True,
        effect=high / low - 1 if low else None,
        interval=None,
        worst=None,
        detectable=smallest,
        pairs=min(len(a), len(b)),
        detail=_detail(a, b),
    )


def _beyond(old: float, new: float, smallest: float) -> bool:
    # What was 0 and no longer is has no ratio, and is always beyond.
    return abs(new - old) > smallest * old


def _gap(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    """The two nearest values of sides that do not overlap; of those that do, one value twice."""
    if min(b) > max(a):
        return max(a), min(b)
    if max(b) < min(a):
        return min(a), max(b)
    return median(a), median(a)


def _moved(better: Better, difference: float) -> Outcome:
    if better is Better.NEITHER:
        return Outcome.CHANGED
    return Outcome.REGRESSED if (difference > 0) == (better is Better.LOWER) else Outcome.IMPROVED


def _detail(a: Sequence[float], b: Sequence[float]) -> str:
    old, new = (_plain(median(side)) for side in (a, b))
    parts = ["exactly the same" if {*a} == {*b} == {old} else show_change(old, new, "1")]
    parts += [
        f"processes of {arm} disagree: {min(side):.15g} to {max(side):.15g}"
        for arm, side in (("a", a), ("b", b))
        if len(set(side)) > 1
    ]
    return "; ".join(parts)


def _plain(value: float) -> float:
    return int(value) if float(value).is_integer() else value
