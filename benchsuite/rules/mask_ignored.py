"""The attention mask is not honoured: padding changes the answer, or a mask that leaves nothing out does."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import FUNCTION

DRIFT, MASKLESS = "function.padding_drift", "function.maskless_drift"


def find(seen: Evidence) -> Clue | None:
    """Inputs that should be answered alike are not, and were."""
    drift = seen.number_moved(DRIFT)
    if drift is None or drift[1] <= drift[0]:
        return _maskless(seen)
    return Clue(
        words=f"the attention mask is ignored: padding moves logits by {drift[1]:.3g} (was {drift[0]:.3g})",
        parts=(DRIFT,),
    )


def _maskless(seen: Evidence) -> Clue | None:
    drift = seen.number_moved(MASKLESS)
    if drift is None or drift[1] <= drift[0]:
        return None
    return Clue(
        words=f"without an attention mask the model answers otherwise than with a full one: logits are {drift[1]:.3g} "
        f"apart (were {drift[0]:.3g})",
        parts=(MASKLESS,),
    )


RULE = Rule(
    name="mask_ignored",
    rank=16,
    find=find,
    effects={**FUNCTION, "count.*": 0, "operators.*": 0},
    unless=("evaluation_random", "tokens"),
    packages=("transformers", "torch"),
)
