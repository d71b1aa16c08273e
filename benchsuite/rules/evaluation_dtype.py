"""Evaluation hands its logits on in another dtype than it did: they are converted on their way."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import first

LOGITS = "function.evaluation.dtype"


def find(seen: Evidence) -> Clue | None:
    """The logits' dtype differs."""
    moved = first(seen, LOGITS)
    if moved is None:
        return None
    return Clue(words=f"evaluation hands its logits on in {moved[2]}, did in {moved[1]}", parts=(LOGITS,))


RULE = Rule(
    name="evaluation_dtype",
    rank=26,
    find=find,
    effects={"function.evaluation": 0, "count.operators.evaluation": 0, "operators.evaluation": 0,
             "quality.validation_loss": 0, "quality.accuracy.epochs": 0},
    unless=("modes", "evaluation_rows", "unquantised_dtype"),
    packages=("transformers", "accelerate"),
)  # fmt: skip
