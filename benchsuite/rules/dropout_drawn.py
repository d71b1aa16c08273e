"""Dropout that is drawn is not the modules': another share, more often or more seldom, or in evaluation."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import first, some

DRAWN = "model.dropout.drawn"


def find(seen: Evidence) -> Clue | None:
    """The dispatcher saw other draws."""
    moved = first(seen, DRAWN)
    if moved is None:
        return None
    told = [
        f"in {side} {_said(old)}, was {_said(new)}"
        for side in ("training", "evaluation")
        for new, old in [(_side(moved[1], side), _side(moved[2], side))]
        if old != new
    ]
    return Clue(words=f"dropout is drawn otherwise: {'; '.join(told)}", parts=(DRAWN,))


def _side(value: JSON, side: str) -> Mapping[str, JSON]:
    found = value.get(side) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _said(draws: Mapping[str, JSON]) -> str:
    return some(f"{share} {times} times" for share, times in draws.items()) or "none"


RULE = Rule(
    name="dropout_drawn",
    rank=24,
    find=find,
    effects={**CURVE, **either(WORK), "memory.saved_for_backward": 0, "memory.peak.*": 0, "model.dropout.scale": 0},
    unless=("adapter", "checkpointing", "trainable_set", "quantised_set", "module_classes", "modes", "passes",
            "untrained"),
    packages=("transformers", "peft", "torch"),
)  # fmt: skip
