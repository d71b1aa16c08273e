"""The log says something else, and the trained model is the same bit for bit: the log is wrong, not the training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON, Outcome
from benchsuite.rules._looks import first, number, some
from benchsuite.units import is_number

BITS, TRAINED, FIGURES = "trainer.log.bits", "function.trained_bits", "trainer.log.figures"
SERIES = {
    "quality.loss": "losses", "quality.grad_norm": "gradient norms", "quality.validation_loss": "validation losses",
    "quality.accuracy.epochs": "accuracies", "optimizer.lr": "learning rates",
}  # fmt: skip

ROUNDED, DIGITS = "quality.loss", 4
"""The one series of which transformers 4 logs so many decimals; 5 logs all of them."""


def find(seen: Evidence) -> Clue | None:
    """Figures of evaluations are not those computed, or any figure differs while the model's bits do not."""
    parts = tuple(metric for metric in (FIGURES, BITS) if first(seen, metric))
    trained = seen.verdicts.get(TRAINED)
    same = trained is not None and trained.outcome is Outcome.OK
    if FIGURES not in parts and not (BITS in parts and same):
        return None
    wrong, others = list(_wrong(seen)), list(_others(seen))
    if not wrong and others and all(other.rounded for other in others):
        return Clue(words=f"the log has other digits, the training is the same: {some(map(str, others))}", parts=parts)
    said = [*wrong, *map(str, others)]
    if said:
        return Clue(words=f"the log is wrong, not the training: {some(said)}", parts=parts)
    return Clue(words="the log says otherwise, though the trained model is the same bit for bit", parts=parts)


def _wrong(seen: Evidence) -> Iterator[str]:
    moved = first(seen, FIGURES)
    if moved and number(moved[2], "otherwise"):
        _, _, new = moved
        yield f"an evaluation's {new.get('first', 'figure')}" if isinstance(new, dict) else "an evaluation's figure"


@dataclass(frozen=True)
class Others:
    """Entries of one series of the log that are not those of before."""

    count: int
    of: int
    words: str
    rounded: bool
    """Whether one of each two is the other with `DIGITS` decimals."""

    def __str__(self) -> str:
        """For people: "20 of 20 losses are others"."""
        return f"{self.count} of {self.of} {self.words} are others"


def _others(seen: Evidence) -> Iterator[Others]:
    for metric, words in SERIES.items():
        old, new = (side if isinstance(side, list) else [] for side in seen.pair(metric) or ((), ()))
        pairs = [(a, b) for a, b in zip(old, new, strict=False) if a != b]
        if pairs:
            rounded = metric == ROUNDED and all(map(_is_rounded, pairs))
            yield Others(count=len(pairs), of=len(new), words=words, rounded=rounded)


def _is_rounded(pair: tuple[JSON, JSON]) -> bool:
    one, other = pair
    return is_number(one) and is_number(other) and (round(one, DIGITS) == other or round(other, DIGITS) == one)


RULE = Rule(
    name="log_alone",
    rank=26,
    find=find,
    effects={"quality.loss": 0, "quality.grad_norm": 0, "quality.validation_loss": 0, "quality.accuracy.epochs": 0,
             "count.python_calls.log": 0, "count.python_calls.evaluation": 0},
    unless=("logged",),
    packages=("transformers", "accelerate"),
)  # fmt: skip
