"""A random generator moves otherwise from step to step: where it comes back, dropout draws the same numbers again."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE
from benchsuite.rules._looks import first, some

STEPS = "seeds.steps"


def find(seen: Evidence) -> Clue | None:
    """A generator moves in another way from step to step."""
    moved = first(seen, STEPS)
    if moved is None or not all(isinstance(side, Mapping) for side in moved[1:]):
        return None
    _, old, new = moved
    words = [f"{name}'s is {new[name]}, was {old[name]}" for name in new if name in old and new[name] != old[name]]
    return Clue(words=f"random generators in training steps: {some(words)}", parts=(STEPS,)) if words else None


RULE = Rule(
    name="draws_repeated",
    rank=27,
    find=find,
    effects=CURVE,
    # Where nothing is dropped any more, nothing is drawn.
    unless=("dropout_drawn", "modes", "module_classes", "untrained"),
    packages=("transformers", "accelerate", "torch"),
)
