"""The backward pass computes other gradients than the model in 64 bits has: a lost, scaled or misplaced one."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import first, number

BACKWARD = "optimizer.backward"


def find(seen: Evidence) -> Clue | None:
    """Gradients lie further from the twin's, or nearer, than they did."""
    moved = first(seen, BACKWARD)
    if moved is None:
        return None
    old, new = (number(side, "largest") for side in moved[1:])
    off = f": off by up to {new:.1%}, were by {old:.1%}" if old is not None and new is not None else ""
    return Clue(words=f"gradients are not those of the model in 64 bits{off}", parts=(BACKWARD,))


RULE = Rule(
    name="backward",
    rank=33,
    find=find,
    effects={**CURVE, **either(WORK)},
    unless=("quantised_set", "quantisation_format", "unquantised_dtype", "trainable_set", "modes"),
    packages=("bitsandbytes", "torch", "peft", "transformers"),
)
