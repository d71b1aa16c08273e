"""More or less is kept for the backward pass, such as inputs of weights that do not train."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import ACTIVATIONS
from benchsuite.rules._looks import size

SAVED = "memory.saved_for_backward"


def find(seen: Evidence) -> Clue | None:
    """Bytes saved for the backward pass moved."""
    moved = seen.number_moved(SAVED)
    if moved is None:
        return None
    old, new = moved
    kept = "more" if new > old else "less"
    return Clue(
        words=f"{kept} is kept for the backward pass: {size(old)} -> {size(new)} a step",
        direction=1 if new > old else -1,
    )


RULE = Rule(
    name="activations",
    rank=45,
    find=find,
    effects={**ACTIVATIONS, "count.allocations.step": 0},
    packages=("bitsandbytes", "peft", "torch", "transformers"),
)
