"""torch computes float32 in another precision: TF32, reduced-precision reductions, determinism."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.judges.values import common
from benchsuite.rules._effects import FUNCTION, TIME, WORK, either
from benchsuite.rules._looks import first, some

FLAGS = "model.precision_flags"


def find(seen: Evidence) -> Clue | None:
    """A flag differs."""
    moved = first(seen, FLAGS)
    if moved is None:
        return None
    sides = common(moved[1], moved[2]), common(moved[2], moved[1])
    told = [f"{move.path} {move.words}" for move in sorted(moves(*sides), key=lambda move: "refused" in move.words)]
    return Clue(words=f"precision flags of torch: {some(told)}", parts=(FLAGS,))


RULE = Rule(
    name="precision_flags",
    rank=40,
    find=find,
    effects={**either(TIME), **either(WORK), **FUNCTION, "memory.*": 0},
    packages=("torch", "transformers", "accelerate"),
)
