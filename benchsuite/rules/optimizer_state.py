"""The optimizer keeps something else of each tensor: another state, another dtype, copies of weights."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.rules._effects import CURVE, RESIDENT, WORK, either
from benchsuite.rules._looks import first, some

STATE = "optimizer.state"


def find(seen: Evidence) -> Clue | None:
    """Names, dtypes or bytes of the optimizer's state differ."""
    moved = first(seen, STATE)
    if moved is None:
        return None
    told = [f"{move.path} {move.words}".strip() for move in moves(moved[1], moved[2])]
    return Clue(words=f"the optimizer keeps something else of its tensors: {some(told)}", parts=(STATE,))


RULE = Rule(
    name="optimizer_state",
    rank=31,
    find=find,
    effects={**CURVE, **either(WORK), **either(RESIDENT), "memory.*": 0, "optimizer.formula*": 0},
    unless=("optimizer_class", "trainable_set", "quantised_set", "updates"),
    packages=("torch", "bitsandbytes", "accelerate"),
)
