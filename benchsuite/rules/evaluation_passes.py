"""Evaluation runs the model more often, or less: each of its operators comes so many times as often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._looks import amount, first
from benchsuite.units import is_number

BY_NAME, COUNT = "operators.evaluation", "count.operators.evaluation"
MODEL = ("embedding", "layer_norm", "rms_norm", "addmm", "linear", "scaled_dot_product", "gelu", "silu")
"""What only a model does, on any architecture some of it; a Trainer's own work has none."""


def find(seen: Evidence) -> Clue | None:
    """All of the model's operators come the same whole multiple as often."""
    moved = first(seen, BY_NAME)
    ratios = set(_ratios(*moved[1:])) if moved else set()
    times = ratios.pop() if len(ratios) == 1 else 1.0
    if times == 1.0 or not max(times, 1 / times).is_integer():
        return None
    counts = seen.numbers(COUNT)
    cost = f": operators {' -> '.join(map(amount, counts))}" if counts else ""
    words = f"evaluation runs the model {times:g} times as often for each batch{cost}"
    return Clue(words=words, direction=1 if times > 1 else -1, parts=seen.like(BY_NAME, COUNT))


def _ratios(old: JSON, new: JSON) -> Iterator[float]:
    """How many times as often each of the model's operators comes; nothing of those that one side lacks."""
    sides = [side if isinstance(side, Mapping) else {} for side in (old, new)]
    for name, before in sides[0].items():
        now = sides[1].get(name)
        if any(word in name for word in MODEL) and is_number(before) and is_number(now) and before and now:
            yield float(now) / float(before)


RULE = Rule(
    name="evaluation_passes",
    rank=23,
    find=find,
    effects={COUNT: 1, BY_NAME: 0, "time.train": 1, "throughput.train": -1, "energy.train": 1},
    unless=("evaluation_rows", "received", "module_classes", "trainable_set", "quantised_set"),
    packages=("transformers", "accelerate"),
)
