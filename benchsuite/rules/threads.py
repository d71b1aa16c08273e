"""A library sets how many threads torch computes with."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import FUNCTION, TIME, WORK, either
from benchsuite.rules._looks import first

THREADS = "model.threads"


def find(seen: Evidence) -> Clue | None:
    """The count was set in the process, on one side only or otherwise."""
    moved = first(seen, THREADS)
    if moved is None:
        return None
    return Clue(words=f"torch's threads are set in the process: {moved[1]}, now {moved[2]}", parts=(THREADS,))


RULE = Rule(
    name="threads",
    rank=39,
    find=find,
    effects={**either(TIME), **either(WORK), **FUNCTION, "memory.*": 0},
    packages=("torch", "transformers", "accelerate", "datasets"),
)
