"""The Trainer's evaluation says something else than the model's own logits and the rows' own labels."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.rules._looks import first, some

FIGURES = "function.evaluation"


def find(seen: Evidence) -> Clue | None:
    """A figure that agreed no longer does."""
    moved = first(seen, FIGURES)
    if moved is None:
        return None
    told = [f"{move.path} {move.words}" for move in moves(moved[1], moved[2])]
    return Clue(
        words=f"the Trainer's evaluation does not agree with the model's answers: {some(told)}", parts=(FIGURES,)
    )


RULE = Rule(
    name="evaluation_figures",
    rank=27,
    find=find,
    effects={"quality.validation_loss": 0, "quality.accuracy.epochs": 0, "operators.evaluation": 0,
             "count.operators.evaluation": 0, "count.python_calls.evaluation": 0},
    unless=("modes", "evaluation_random", "evaluation_rows", "received", "gradient"),
    packages=("transformers", "accelerate"),
)  # fmt: skip
