"""Gradient accumulation is no longer the same as a larger batch: loss and gradients come out k times too large.

In transformers 5.x a BERT's are (issue 47688); AdamW hides it from the accuracy.
"""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import CURVE
from benchsuite.rules._looks import number

METRICS = ("optimizer.accumulation", "defaults.accumulation")
RATIOS = {"loss_ratio": "the loss", "grad_norm_ratio": "the gradient norm"}
NEAR = 0.1
"""A ratio that moved by less than this share is something else: other rows, or chance."""


def find(seen: Evidence) -> Clue | None:
    """A ratio of the accumulated to the whole batch moved."""
    parts = [metric for metric in METRICS if seen.moved(metric) and _told(*(seen.moved(metric) or (None, None)))]
    if not parts:
        return None
    told = _told(*(seen.moved(parts[0]) or (None, None)))
    where = "" if parts[0] == METRICS[0] else "with nothing pinned, "
    return Clue(
        words=f"{where}gradient accumulation multiplies {' and '.join(told)}", parts=tuple(parts), unpinned=bool(where)
    )


def _told(old: JSON, new: JSON) -> list[str]:
    pairs = [(words, number(old, key), number(new, key)) for key, words in RATIOS.items()]
    return [
        f"{words} by {b:.2f} (was {a:.2f})"
        for words, a, b in pairs
        if a is not None and b is not None and abs(b - a) > NEAR * abs(a)
    ]


RULE = Rule(
    name="accumulation",
    rank=28,
    find=find,
    effects=CURVE,
    unless=("evaluation_random", "gradient"),
    packages=("transformers", "accelerate"),
)
