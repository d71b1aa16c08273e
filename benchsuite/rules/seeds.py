"""Random generators stand elsewhere at a phase's border: something draws more, less, or reseeds."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.rules._effects import CURVE
from benchsuite.rules._looks import first, some

STATES = "seeds.rng"


def find(seen: Evidence) -> Clue | None:
    """A generator's state differs."""
    moved = first(seen, STATES)
    if moved is None:
        return None
    names = [move.path for move in moves(moved[1], moved[2])]
    return Clue(words=f"random generators stand elsewhere, first at {some(names, 1)}")


RULE = Rule(
    name="seeds",
    rank=46,
    find=find,
    effects={**CURVE, STATES: 0, "weights.initialised": 0, "input.order": 0},
    packages=("transformers", "accelerate", "torch", "datasets"),
)
