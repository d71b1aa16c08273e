"""What is sent backward is not the gradient of the batch's mean cross-entropy: scaled, smoothed, another loss."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import first, number

GRADIENT = "optimizer.gradient"
LEAST = 0.001
"""A share that stands out of rounding."""


def find(seen: Evidence) -> Clue | None:
    """Loss or gradient, as multiples of plain cross-entropy's, differ."""
    moved = first(seen, GRADIENT)
    if moved is None:
        return None
    told = [words for key, name in (("loss", "the loss"), ("gradient", "its gradient"))
            if (words := _times(name, number(moved[2], key)))]  # fmt: skip
    rest = number(moved[2], "rest") or 0.0
    told += [f"{rest:.1%} of the gradient is of something else"] if rest > LEAST else []
    words = "; ".join(told) or "loss and gradient are plain cross-entropy's again"
    return Clue(words=f"what trains is not plain cross-entropy: {words}" if told else words, parts=(GRADIENT,))


def _times(name: str, share: float | None) -> str:
    if share is None:
        return f"{name} cannot be told"
    return f"{name} is x{share:.4g}" if abs(share - 1) > LEAST else ""


RULE = Rule(
    name="gradient",
    rank=27,
    find=find,
    effects={**CURVE, **either(WORK), "function.evaluation": 0, "*.accumulation*": 0, "optimizer.backward.*": 0},
    packages=("transformers", "accelerate", "torch"),
)
