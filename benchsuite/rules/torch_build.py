"""torch was built otherwise: another CUDA, cuDNN or BLAS, other flags."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.rules._effects import FUNCTION, RESIDENT, TIME, WORK, either
from benchsuite.rules._looks import first, some

PART = "stack.torch"


def find(seen: Evidence) -> Clue | None:
    """A part of torch's own description differs."""
    moved = first(seen, PART)
    if moved is None:
        return None
    told = [f"{move.path} {move.words}".strip() for move in moves(moved[1], moved[2])]
    return Clue(words=f"torch was built otherwise: {some(told, 3)}", parts=(PART,))


RULE = Rule(
    name="torch_build",
    rank=49,
    find=find,
    effects={**FUNCTION, **either(TIME), **either(WORK), **either(RESIDENT), "memory.*": 0},
    packages=("torch",),
)
