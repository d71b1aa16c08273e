"""Training sees the rows in another order, or in other batches."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE
from benchsuite.rules._looks import first

ORDER, BATCHES = "input.order", "input.batches"


def find(seen: Evidence) -> Clue | None:
    """The order's digest differs, or the batches do while the tokens are the same."""
    if first(seen, ORDER):
        return Clue(words="training sees the rows in another order", parts=seen.like(ORDER))
    if first(seen, BATCHES) and not first(seen, "input.digests"):
        return Clue(words="training sees the same rows in other batches", parts=(BATCHES,))
    return None


RULE = Rule(
    name="order",
    rank=12,
    find=find,
    effects={**CURVE, "seeds.rng": 0, "input.*": 0, "count.flops.step": 0, "memory.saved_for_backward": 0},
    packages=("accelerate", "torch", "transformers"),
)
