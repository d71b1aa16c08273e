"""The optimizer keeps other moments than its formula says: rounded ones, or other sums."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import first, number

MOMENTS = "optimizer.formula.moments"


def find(seen: Evidence) -> Clue | None:
    """Moments after one update lie elsewhere."""
    moved = first(seen, MOMENTS)
    if moved is None:
        return None
    off = number(moved[2], "largest")
    if not off:
        return Clue(words="AdamW's moments are what its formula makes of them again", parts=(MOMENTS,))
    return Clue(
        words=f"AdamW's moments are not what its formula makes of them: off by {off:.2%} of the largest, as if rounded",
        parts=(MOMENTS,),
    )


RULE = Rule(
    name="moments",
    rank=32,
    find=find,
    effects={**CURVE, **either(WORK), "optimizer.formula*": 0},
    unless=("update_formula", "optimizer_class", "trainable_set", "quantised_set"),
    packages=("torch", "bitsandbytes", "accelerate"),
)
