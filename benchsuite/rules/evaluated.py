"""Evaluation in training is computed over fewer rows than it is dealt, or over more: some are dropped on the way."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import first, some
from benchsuite.units import is_number

ROWS, LABELS = "input.evaluated", "input.evaluated.labels"


def find(seen: Evidence) -> Clue | None:
    """Some evaluation's number of rows differs, or the number of evaluations; or its labels are not the data set's."""
    moved = first(seen, ROWS)
    if moved is None:
        return _mixed(seen)
    if not all(isinstance(side, list) for side in moved[1:]):
        return None
    old, new = ([v for v in side if is_number(v)] for side in moved[1:])
    if len(old) != len(new):
        return Clue(words=f"training evaluates {len(new)} times, did {len(old)}", parts=(ROWS,))
    told = [
        f"the {_nth(i)} over {b:g} rows, was {a:g}" for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b
    ]
    if not told:
        return None
    return Clue(words=f"evaluations in training are computed over other rows: {some(told)}", parts=(ROWS,))


def _mixed(seen: Evidence) -> Clue | None:
    moved = first(seen, LABELS)
    if moved is None or not isinstance(moved[2], list):
        return None
    told = [f"in the {_nth(i)} {words}" for i, words in enumerate(moved[2]) if [words] != moved[1][:1]]
    words = f"evaluations in training are computed over other rows: labels are not the data set's ({some(told)})"
    return Clue(words=words, parts=(LABELS,))


def _nth(index: int) -> str:
    return {0: "first", 1: "second", 2: "third"}.get(index, f"{index + 1}th")


RULE = Rule(
    name="evaluated",
    rank=13,
    find=find,
    effects={"quality.validation_loss": 0, "quality.accuracy.epochs": 0, "function.evaluation": 0, "trainer.log": 0,
             "count.operators.evaluation": 0, "operators.evaluation": 0},
    unless=("evaluation_rows", "tokens", "received"),
    packages=("accelerate", "transformers", "datasets", "torch"),
)  # fmt: skip
