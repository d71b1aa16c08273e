"""Evaluation during training sees other rows, another number of them, or the same in other batches."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import columns, first, number, some, values

EVALUATION, RECEIVED = "input.evaluation", "input.received"


def find(seen: Evidence) -> Clue | None:
    """The evaluation loader deals otherwise."""
    moved = first(seen, EVALUATION)
    if moved is None:
        return None
    told = [
        f"{key} {old:g} -> {new:g}"
        for key in ("rows", "batches")
        if (old := number(moved[1], key)) is not None and (new := number(moved[2], key)) is not None and old != new
    ]
    if not told:
        before, now = (values(side, "content") for side in moved[1:])
        other = columns(before, now)
        told = [f"{some(other)} differ"] if other else ["the same rows in other batches"]
    return Clue(words=f"evaluation sees other rows: {', '.join(told)}", parts=(EVALUATION,))


RULE = Rule(
    name="evaluation_rows",
    rank=12,
    find=find,
    effects={"quality.validation_loss": 0, "quality.accuracy.epochs": 0, RECEIVED: 0, "input.evaluated": 0,
             "function.evaluation": 0, "time.train": 0, "count.operators.evaluation": 0,
             "count.python_calls.evaluation": 0, "operators.evaluation": 0},
    unless=("tokens", "received"),
    packages=("transformers", "accelerate", "datasets", "torch"),
)  # fmt: skip
