"""A training step asks the system for something: the garbage collector runs, a file is read, a clock is waited for."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import TRAIN_TIME
from benchsuite.rules._looks import counted, first, larger

CALLS = "count.system_calls.step"


def find(seen: Evidence) -> Clue | None:
    """Calls by name came or went."""
    moved = first(seen, CALLS)
    if moved is None:
        return None
    calls = larger(*moved[1:])
    way = 1 if sum(new - old for _, old, new in calls) >= 0 else -1
    return Clue(words=f"a training step calls the system: {counted(calls)} times", parts=(CALLS,), direction=way)


RULE = Rule(
    name="system_calls",
    rank=47,
    find=find,
    effects={name: way for name, way in TRAIN_TIME.items() if not name.startswith("device.")}
    | {"count.c_calls.step": 1, "c_calls.*": 0},
    packages=("transformers", "accelerate", "torch", "peft"),
)
