"""Each training step leaves tensors, or memory of Python's and numpy's, behind that nobody lets go of."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import size

LEFT, HEAP = "memory.left_by_step", "memory.heap_left_by_step"


def find(seen: Evidence) -> Clue | None:
    """More is alive after some steps than before, or no longer."""
    moved = {metric: pair for metric in (LEFT, HEAP) if (pair := seen.number_moved(metric))}
    if not moved:
        return None
    left = [_told(metric, *pair) for metric, pair in moved.items()]
    grew = any(new > old for old, new in moved.values())
    return Clue(words=f"each training step leaves {', '.join(left)}", parts=tuple(moved), direction=1 if grew else -1)


def _told(metric: str, old: float, new: float) -> str:
    if metric == LEFT:
        return f"{new:g} tensors in memory (left {old:g})"
    return f"{size(new)} of Python's memory (left {size(old)})"


RULE = Rule(
    name="left_by_step",
    rank=44,
    find=find,
    effects={"vram.peak.*": 1, "vram.reserved.*": 1, "vram.left": 1, "ram.*": 1, "memory.peak.*": 1,
             "count.allocations.step": 0, "count.operators.step": 0, "operators.by_name": 0, "memory.live_tensors": 1},
    packages=("transformers", "accelerate", "torch"),
)  # fmt: skip
