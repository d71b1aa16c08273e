"""Padding changes the answer: the attention mask is not honoured."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import FUNCTION

DRIFT = "function.padding_drift"


def find(seen: Evidence) -> Clue | None:
    """Padded and unpadded inputs are answered differently, and were not."""
    drift = seen.number_moved(DRIFT)
    if drift is None or drift[1] <= drift[0]:
        return None
    return Clue(
        words=f"the attention mask is ignored: padding moves logits by {drift[1]:.3g} (was {drift[0]:.3g})",
        parts=(DRIFT,),
    )


RULE = Rule(
    name="mask_ignored",
    rank=16,
    find=find,
    effects={**FUNCTION, "count.*": 0, "operators.*": 0},
    unless=("evaluation_random", "tokens"),
    packages=("transformers", "torch"),
)
