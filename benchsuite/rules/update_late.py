"""Late in training an update is not what the optimizer's formula makes of its settings: bias correction."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import first, number

LATE = "optimizer.formula.late"


def find(seen: Evidence) -> Clue | None:
    """An update after thousands lies elsewhere, one after a few does not."""
    moved = first(seen, LATE)
    if moved is None:
        return None
    off = number(moved[2], "largest")
    far = f": off by {off:.2%} after 5000 updates" if off else ""
    return Clue(words=f"late in training an update is not AdamW's, such as by its bias correction{far}", parts=(LATE,))


RULE = Rule(
    name="update_late",
    rank=32,
    find=find,
    effects={**CURVE, **either(WORK)},
    unless=("update_formula", "optimizer_class", "trainable_set", "quantised_set"),
    packages=("torch", "bitsandbytes", "accelerate"),
)
