"""Gradients are clipped otherwise."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import first, some

CLIPPING = "optimizer.clipping"
NAMES = {"held": "norm over limit", "limit": "limit"}


def find(seen: Evidence) -> Clue | None:
    """The clipping fingerprint differs."""
    moved = first(seen, CLIPPING)
    if moved is None:
        return None
    told = [f"{NAMES.get(move.path, move.path)} {move.words}".strip() for move in moves(moved[1], moved[2])]
    return Clue(words=f"gradients are clipped otherwise: {some(told)}", parts=(CLIPPING,))


RULE = Rule(
    name="clipping",
    rank=31,
    find=find,
    effects={**CURVE, **either(WORK), "optimizer.gradients.kept": 0},
    packages=("transformers", "accelerate", "torch"),
)
