"""The Trainer runs with other arguments than it did, for all that the suite pins."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE, TIME, WORK, either
from benchsuite.rules._looks import some, values_moved

ARGUMENTS = "trainer.arguments"


def find(seen: Evidence) -> Clue | None:
    """A value that both sides name differs."""
    told = [f"{m.path} {m.words}" for m in values_moved(seen, ARGUMENTS)]
    return Clue(words=f"the Trainer's arguments: {some(told, 3)}", parts=(ARGUMENTS,)) if told else None


RULE = Rule(
    name="arguments",
    rank=42,
    find=find,
    effects={**CURVE, **either(TIME), **either(WORK)},
    packages=("transformers", "accelerate"),
)
