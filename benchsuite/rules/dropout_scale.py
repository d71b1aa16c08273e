"""Dropout does not make up for what it drops, so that training and evaluation see sums of different sizes."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import first, number

SCALE, ATTENTION = "model.dropout.scale", "model.dropout.attention"


def find(seen: Evidence) -> Clue | None:
    """The mean of ones that went through dropout is another, in a module or in attention."""
    moved = first(seen, SCALE)
    if moved is None:
        return _in_attention(seen)
    sides = [(number(side, "mean"), number(side, "largest")) for side in moved[1:]]
    (old, was), (new, now) = sides
    if None in (old, was, new, now):
        return Clue(words="dropout scales otherwise", parts=(SCALE,))
    return Clue(
        words="dropout scales otherwise: ones that went through it have mean "
        f"{new:.3g}, had {old:.3g}, and what it keeps is x{now:.3g} of 1 / (1 - p), was x{was:.3g}",
        parts=(SCALE,),
    )


def _in_attention(seen: Evidence) -> Clue | None:
    moved = first(seen, ATTENTION)
    if moved is None:
        return None
    told = [
        f"{words} is x{new:.3g} of what is due, was x{old:.3g}"
        for key, words in (("ones", "the sum of its weights"), ("half", "what one half of the keys gets"))
        if None not in (pair := (number(moved[1], key), number(moved[2], key))) and pair[0] != pair[1]
        for old, new in [pair]
    ]
    words = "attention with dropout does not answer in the mean as it does without"
    return Clue(words=f"{words}: {'; '.join(told)}" if told else words, parts=(ATTENTION,))


RULE = Rule(
    name="dropout_scale",
    rank=25,
    find=find,
    effects={**CURVE, **either(WORK), "optimizer.backward.recomputed": 0},
    unless=("adapter", "dropout_drawn"),
    packages=("torch", "transformers", "peft"),
)
