"""The log says something else, and the trained model is the same bit for bit: the log is wrong, not the training."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import Outcome
from benchsuite.rules._looks import first, number, some

BITS, TRAINED, FIGURES = "trainer.log.bits", "function.trained_bits", "trainer.log.figures"
SERIES = {
    "quality.loss": "losses", "quality.grad_norm": "gradient norms", "quality.validation_loss": "validation losses",
    "quality.accuracy.epochs": "accuracies", "optimizer.lr": "learning rates",
}  # fmt: skip


def find(seen: Evidence) -> Clue | None:
    """Figures of evaluations are not those computed, or any figure differs while the model's bits do not."""
    parts = tuple(metric for metric in (FIGURES, BITS) if first(seen, metric))
    trained = seen.verdicts.get(TRAINED)
    same = trained is not None and trained.outcome is Outcome.OK
    if FIGURES not in parts and not (BITS in parts and same):
        return None
    said = list(_said(seen))
    if said:
        return Clue(words=f"the log is wrong, not the training: {some(said)}", parts=parts)
    return Clue(words="the log says otherwise, though the trained model is the same bit for bit", parts=parts)


def _said(seen: Evidence) -> Iterator[str]:
    moved = first(seen, FIGURES)
    if moved and number(moved[2], "otherwise"):
        _, _, new = moved
        yield f"an evaluation's {new.get('first', 'figure')}" if isinstance(new, dict) else "an evaluation's figure"
    for metric, words in SERIES.items():
        pair = seen.pair(metric)
        lists = [side if isinstance(side, list) else [] for side in pair or ()]
        others = sum(a != b for a, b in zip(*lists, strict=False)) if lists else 0
        if others:
            yield f"{others} of {len(lists[1])} {words} are others"


RULE = Rule(
    name="log_alone",
    rank=26,
    find=find,
    effects={"quality.loss": 0, "quality.grad_norm": 0, "quality.validation_loss": 0, "quality.accuracy.epochs": 0,
             "count.python_calls.log": 0, "count.python_calls.evaluation": 0},
    unless=("logged",),
    packages=("transformers", "accelerate"),
)  # fmt: skip
