"""A training step runs the model more often, or less: all that it draws comes so many times as often."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import TIME, WORK
from benchsuite.rules._looks import amount, first
from benchsuite.units import is_number

DRAWN, FLOPS = "model.dropout.drawn", "count.flops.step"
PASS = 1.2
"""A forward pass is a third of a step's arithmetic; dropout that comes or goes moves none to speak of."""


def find(seen: Evidence) -> Clue | None:
    """Every share of dropout is drawn one and the same multiple of times, and the step computes more, or less."""
    moved, flops = first(seen, DRAWN), seen.number_moved(FLOPS)
    times = multiple(*moved[1:]) if moved else None
    if times is None or flops is None or not _whole(times) or not _costly(times, *flops):
        return None
    cost = " -> ".join(map(amount, flops))
    words = f"the model runs {times:g} times as often in a training step: FLOPs {cost}"
    return Clue(words=words, direction=1 if times > 1 else -1, parts=(DRAWN,))


def _whole(times: float) -> bool:
    return max(times, 1 / times).is_integer()


def _costly(times: float, old: float, new: float) -> bool:
    """Whether the step's arithmetic moved the same way, by as much as a forward pass could."""
    return new >= old * PASS if times > 1 else old >= new * PASS


def multiple(old: JSON, new: JSON) -> float | None:
    """How many times as often training draws each share; None where shares came or went, or differ in that."""
    sides = [side.get("training") if isinstance(side, Mapping) else None for side in (old, new)]
    before, after = (side if isinstance(side, Mapping) else {} for side in sides)
    if not before or before.keys() != after.keys():
        return None
    pairs = [(before[share], after[share]) for share in before]
    ratios = {float(b) / float(a) for a, b in pairs if is_number(a) and is_number(b) and a}
    return ratios.pop() if len(ratios) == 1 and ratios != {1.0} else None


RULE = Rule(
    name="passes",
    rank=23,
    find=find,
    effects={**TIME, **WORK, DRAWN: 0, "seeds.rng": 0, "memory.saved_for_backward": 0, "memory.peak.*": 0},
    unless=("checkpointing", "adapter", "trainable_set", "quantised_set", "module_classes"),
    packages=("transformers", "accelerate"),
)
