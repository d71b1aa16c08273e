"""Multiples of a gradient in words. Not a rule itself. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable

TIMES = {0.5: "half of", 2.0: "twice", 0.0: "nothing of", -1.0: "the opposite of"}
AGREE = 0.01
"""How far multiples may lie apart that are told as one."""


def times(multiples: Iterable[float | None]) -> str:
    """Multiples in words, as "half of" or "0.3 times"; empty where they do not agree, or one is none."""
    every = list(multiples)
    known = [one for one in every if one is not None and math.isfinite(one)]
    if not known or len(known) < len(every) or max(known) - min(known) > AGREE:
        return ""
    middle = sum(known) / len(known)
    return next((words for one, words in TIMES.items() if abs(one - middle) <= AGREE), f"{middle:.3g} times")
