"""Gradients do not reach the update as the backward pass left them: scaled, rounded or lost on the way."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import first, number

KEPT = "optimizer.gradients.kept"
LEAST = 5e-5


def find(seen: Evidence) -> Clue | None:
    """Gradients at the update, as multiples of those after backward, differ."""
    moved = first(seen, KEPT)
    times, rest = (number(moved[2], key) if moved else None for key in ("times", "rest"))
    if moved is None or times is None or rest is None:
        return None
    told = [f"they are x{times:.4g}"] if abs(times - 1) > LEAST else []
    told += [f"{rest:.2%} of them is of something else"] if rest > LEAST else []
    words = "gradients do not reach the update as the backward pass left them, under a limit that never bites"
    return Clue(words=f"{words}: {'; '.join(told)}" if told else "gradients reach the update unchanged again",
                parts=(KEPT,))  # fmt: skip


RULE = Rule(
    name="gradients_changed",
    rank=31,
    find=find,
    effects={**CURVE, **either(WORK)},
    unless=("clipping", "gradients", "trainable_set"),
    packages=("accelerate", "torch", "transformers"),
)
