"""More tensors are alive between phases: copies that somebody keeps."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import size, some

WHEN = {
    "memory.held.prepare": "once the model is prepared",
    "memory.held.train": "once training has returned",
}


def find(seen: Evidence) -> Clue | None:
    """Bytes of tensors alive at one of these moments differ."""
    moved = {metric: pair for metric in WHEN if (pair := seen.number_moved(metric))}
    if not moved:
        return None
    told = [f"{WHEN[metric]} {size(old)} -> {size(new)}" for metric, (old, new) in moved.items()]
    way = 1 if any(new > old for old, new in moved.values()) else -1
    return Clue(words=f"tensors that are kept: {some(told, len(WHEN))}", parts=tuple(moved), direction=way)


RULE = Rule(
    name="held",
    rank=46,
    find=find,
    effects={"vram.*": 1, "memory.*": 1, "ram.*": 1},
    packages=("transformers", "accelerate", "peft", "bitsandbytes", "torch"),
)
