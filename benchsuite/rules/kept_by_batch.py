"""An evaluation keeps more of each batch while it runs: inputs or hidden states beside its answers."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import size

KEPT = "memory.kept_by_batch"


def find(seen: Evidence) -> Clue | None:
    """Its bytes differ."""
    moved = seen.number_moved(KEPT)
    if moved is None:
        return None
    old, new = moved
    words = f"an evaluation keeps {size(new)} of tensors of each batch until it is over (kept {size(old)})"
    return Clue(words=words, parts=(KEPT,), direction=1 if new > old else -1)


RULE = Rule(
    name="kept_by_batch",
    rank=45,
    find=find,
    effects={"vram.*": 1, "memory.peak.*": 1, "ram.*": 1, "count.operators.evaluation": 1, "operators.evaluation": 0},
    packages=("transformers", "accelerate", "torch"),
)
