"""What the Trainer logs is not what it did: a figure of its log differs from what its steps and rows gave."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._looks import first, number, some

LOG = "trainer.log"
FIGURES = {
    "loss": ("the logged loss", "what the steps returned"),
    "train_loss": ("the training's mean loss (train_loss)", "what the steps returned"),
    "learning_rate": ("the logged learning rate", "the optimizer's"),
    "grad_norm": ("the logged gradient norm", "the norm before clipping"),
    "eval_loss": ("the logged validation loss (eval_loss)", "the mean over rows"),
}
NEAR = 0.005


def find(seen: Evidence) -> Clue | None:
    """A share moved, or is no longer told."""
    moved = first(seen, LOG)
    told = list(_told(*moved[1:])) if moved else []
    return Clue(words=some(told), parts=(LOG,)) if told else None


def _told(old: JSON, new: JSON) -> Iterator[str]:
    for key, (subject, what) in FIGURES.items():
        was, now = number(old, key), number(new, key)
        if now is None and was is not None:
            yield f"{subject} is not told, or means nothing"
        elif now is not None and (was is None or abs(now - was) > NEAR):
            before = "" if was is None or abs(was - 1) <= NEAR else f" (was {was:.3g})"
            yield f"{subject} is {now:.3g} of {what}{before}"


RULE = Rule(
    name="logged",
    rank=27,
    find=find,
    effects={"quality.loss": 0, "quality.grad_norm": 0, "quality.validation_loss": 0, "function.evaluation": 0,
             "count.operators.evaluation": 0, "count.python_calls.evaluation": 0,
             "operators.evaluation": 0, "defaults.accumulation*": 0},
    unless=("modes", "evaluation_random", "group_rates"),
    packages=("transformers", "accelerate"),
)  # fmt: skip
