"""More tensors are alive once training has returned: copies that somebody keeps beside model and optimizer."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import size

HELD = "memory.held.train"


def find(seen: Evidence) -> Clue | None:
    """Their bytes differ."""
    moved = seen.number_moved(HELD)
    if moved is None:
        return None
    old, new = moved
    words = f"tensors that are kept: once training has returned {size(old)} -> {size(new)}"
    return Clue(words=words, parts=(HELD,), direction=1 if new > old else -1)


RULE = Rule(
    name="held",
    rank=46,
    find=find,
    effects={"vram.*": 1, "memory.*": 1, "ram.*": 1},
    packages=("transformers", "accelerate", "peft", "bitsandbytes", "torch"),
)
