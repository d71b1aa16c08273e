"""A training that is resumed from its checkpoint goes another way than one that was never cut off."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import first, number
from benchsuite.units import percent

METRIC = "defaults.resumed"
WORDS = {
    "loss": "the loss",
    "learning_rate": "the learning rate",
    "grad_norm": "the gradient norm",
    "weights": "the weights",
}


def find(seen: Evidence) -> Clue | None:
    """A distance moved; says which grew."""
    moved = first(seen, METRIC)
    if moved is None:
        return None
    pairs = {words: (number(moved[1], key), number(moved[2], key)) for key, words in WORDS.items()}
    told = [f"{words} by {percent(b)[1:]}" for words, (a, b) in pairs.items() if b and a is not None and b > a]
    if not told:
        return Clue(words="a resumed training goes on as one that was not cut off", parts=(METRIC,), unpinned=True)
    return Clue(
        words=f"a training resumed from its checkpoint parts from one that was not cut off: {', '.join(told)}",
        parts=(METRIC,), unpinned=True,
    )  # fmt: skip


RULE = Rule(name="resumed", rank=30, find=find, packages=("transformers", "accelerate", "torch"))
