"""What gradient checkpointing recomputes is not what was computed: other masks of dropout, or other gradients."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import first, number

RECOMPUTED = "optimizer.backward.recomputed"


def find(seen: Evidence) -> Clue | None:
    """Gradients with checkpoints differ from those without, and did not."""
    moved = first(seen, RECOMPUTED)
    if moved is None:
        return None
    off = number(moved[2], "largest")
    if not off:
        return Clue(words="checkpoints recompute what was computed again", parts=(RECOMPUTED,))
    return Clue(
        words="checkpoints recompute something else than was computed, such as other masks of dropout: under one seed "
        f"gradients with and without them differ by {off:.0%}",
        parts=(RECOMPUTED,),
    )


RULE = Rule(
    name="recomputed",
    rank=31,
    find=find,
    effects={**CURVE, **either(WORK)},
    unless=("modes",),
    packages=("torch", "transformers", "peft"),
)
