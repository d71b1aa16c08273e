"""Calls made of real trials: processes that measured every arm in interleaved blocks, drawn without sharing any.

Arms are such as "clean", "clean again" and delays of 0.25 to 5 %. In a call, the two arms of a pair
come from different processes that ran next to each other, as in a real call, and no process is in
two calls; so calls are independent, and their rates have exact intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchsuite.nouns import SuiteError

from .estimate import Array
from .estimate import arms as places


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One metric of one regime, as recorded over several sittings."""

    arms: tuple[str, ...]
    sittings: tuple[Array, ...]
    """Positive values, processes (in the order in which they ran) x arms x blocks."""


def calls(recorded: Recorded, a: str, b: str, *, pairs: int) -> Array:
    """Cut the sittings into calls.

    Args:
        recorded: The trials.
        a: Arm that stands for the old side.
        b: Arm that stands for the new side.
        pairs: Pairs of a call; what is left of a sitting is not used.

    Returns:
        Logarithms of calls x processes (in ABBA order) x blocks; each process shows one arm only.

    Raises:
        SuiteError: no sitting is as long as a call, or there is no such arm.
    """
    size = 2 * pairs
    arm = [_number(recorded, name) for name in (a, b)]
    which = np.where(places(pairs) < 0, arm[0], arm[1])
    found = [
        sitting[start : start + size][np.arange(size), which]
        for sitting in map(np.asarray, recorded.sittings)
        for start in range(0, len(sitting) - size + 1, size)
    ]
    if not found:
        longest = max((len(sitting) for sitting in recorded.sittings), default=0)
        raise SuiteError(f"a call of {pairs} pairs takes {size} processes, and the longest sitting has {longest}")
    return np.log(np.stack(found))


def _number(recorded: Recorded, name: str) -> int:
    if name not in recorded.arms:
        raise SuiteError(f"no arm {name!r} was recorded; there are {', '.join(recorded.arms)}")
    return recorded.arms.index(name)
