"""In what order processes run, and after how many pairs the data may be looked at. All of it before the first one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchsuite.nouns import UsageError

FEWEST = 2
"""Pairs that a decision on a time needs at least: four processes, three unknowns."""
MOST = 32
"""Pairs beyond which a call does not plan: what 32 do not show wants a better metric, not more time."""
ROUNDING = 1e-9
"""So that 0.3 s hold three pairs of 0.1 s."""
ONE_LOOK, TWO_LOOKS = 3, 6
"""Pairs up to which one look, or two, are worth their share of the error rate."""


def order(pairs: int) -> tuple[tuple[str, str], ...]:
    """The arms of each pair in the order in which to run them: ("a", "b"), ("b", "a"), ("a", "b"), ..."""
    return tuple(("a", "b") if i % 2 == 0 else ("b", "a") for i in range(pairs))


def affordable(budget: float, pair: float, *, most: int = MOST) -> int:
    """Pairs that fit into a budget, as planned; the plan stands though pairs turn out slower, or its last look is lost.

    Args:
        budget: Seconds for one case.
        pair: Seconds that a pair of processes is expected to take.
        most: Pairs beyond which none is planned.

    Raises:
        UsageError: not even `FEWEST` pairs fit.
    """
    count = min(most, int(budget / pair + ROUNDING)) if pair > 0 else most
    if count < FEWEST:
        least = math.ceil(FEWEST * pair)
        raise UsageError(
            f"a budget of {budget:g} s holds {max(count, 0)} pairs of {pair:g} s; at least {FEWEST} are needed: "
            f"give --budget {least}s or more for each case"
        )
    return count


def looks(pairs: int) -> tuple[int, ...]:
    """After how many pairs to look at the data, the last after `pairs`.

    Few looks, since each takes a share of the error rate: a first one finds what is large, or is
    clearly nothing, early.
    """
    if pairs <= ONE_LOOK:
        return (pairs,)
    if pairs <= TWO_LOOKS:
        return (ONE_LOOK, pairs)
    return (math.ceil(pairs / 3), math.ceil(2 * pairs / 3), pairs)


def in_order(a: Sequence[float], b: Sequence[float]) -> list[float]:
    """Values of both arms, pair by pair, in the order in which their processes ran; surplus ones are left out."""
    sides = {"a": a, "b": b}
    return [sides[arm][i] for i, pair in enumerate(order(min(len(a), len(b)))) for arm in pair]
