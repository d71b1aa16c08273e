"""Each training step leaves tensors behind that nobody lets go of."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule

LEFT = "memory.left_by_step"


def find(seen: Evidence) -> Clue | None:
    """More are alive after some steps than before, or no longer."""
    moved = seen.number_moved(LEFT)
    if moved is None:
        return None
    words = f"each training step leaves {moved[1]:g} tensors in memory (left {moved[0]:g})"
    return Clue(words=words, parts=(LEFT,), direction=1 if moved[1] > moved[0] else -1)


RULE = Rule(
    name="left_by_step",
    rank=44,
    find=find,
    effects={"vram.peak.*": 1, "vram.reserved.*": 1, "vram.left": 1, "ram.*": 1, "memory.peak.*": 1,
             "count.allocations.step": 0, "count.operators.step": 0, "operators.by_name": 0, "memory.live_tensors": 1},
    packages=("transformers", "accelerate", "torch"),
)  # fmt: skip
