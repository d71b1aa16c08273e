"""A model is built more often than once where one is loaded: its checkpoint is read again, and its head drawn."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import FUNCTION
from benchsuite.rules._looks import counted, first, larger

BUILT = "model.built"


def find(seen: Evidence) -> Clue | None:
    """Another number of constructions of some class."""
    moved = first(seen, BUILT)
    if moved is None:
        return None
    classes = larger(*moved[1:])
    way = 1 if sum(new - old for _, old, new in classes) >= 0 else -1
    return Clue(words=f"one loading builds its model {counted(classes)} times", parts=(BUILT,), direction=way)


RULE = Rule(
    name="built",
    rank=17,
    find=find,
    effects={"time.load": 1, "time.reload": 1, "ram.*": 1, "vram.peak.load": 1, "vram.reserved.*": 1, **FUNCTION,
             "weights.initialised": 0, "weights.spread": 0, "count.python_calls.load": 1,
             "count.python_calls.reload": 1},
    packages=("transformers", "accelerate", "peft"),
)  # fmt: skip
