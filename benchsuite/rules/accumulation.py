"""Gradient accumulation is no longer the same as a larger batch: loss and gradients come out k times too large.

In transformers 5.x a BERT's are (issue 47688); AdamW hides it from the accuracy.
"""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import CURVE
from benchsuite.rules._looks import number

TAIL = "defaults.accumulation.tail"
METRICS = ("optimizer.accumulation", "defaults.accumulation", TAIL)
RATIOS = {"loss_ratio": "the loss", "grad_norm_ratio": "the gradient norm"}
STEPS = "gradient_accumulation_steps"
NEAR = 0.1
"""A ratio that moved by less than this share is something else: other rows, or chance."""


def find(seen: Evidence) -> Clue | None:
    """A ratio of the accumulated to the whole batch moved."""
    parts = [metric for metric in METRICS if seen.moved(metric) and _told(*(seen.moved(metric) or (None, None)))]
    if not parts:
        return None
    told = _told(*(seen.moved(parts[0]) or (None, None)))
    where = "" if parts[0] == METRICS[0] else "with nothing pinned, "
    where += "in a last group that is not full, " if parts[0] == TAIL else ""
    return Clue(
        words=f"{where}gradient accumulation multiplies {' and '.join(told)}",
        parts=tuple(parts),
        # A run that does not accumulate itself is moved by it nowhere but in the probes.
        unpinned=bool(where) or not _accumulates(seen),
    )


def _accumulates(seen: Evidence) -> bool:
    """Whether the case itself trains with accumulation, as far as the record tells."""
    steps = [number(arguments, STEPS) for arguments in seen.pair("trainer.arguments") or ()]
    return not steps or any(step != 1 for step in steps)


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
