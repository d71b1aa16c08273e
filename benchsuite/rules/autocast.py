"""Layers compute in another precision: autocast was switched, or what they are given has another dtype."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import ACTIVATIONS, FUNCTION, TIME, WORK, either
from benchsuite.rules._looks import first

PART = "model.layer_dtypes"


def find(seen: Evidence) -> Clue | None:
    """The map of the layers' results moved in its dtypes, or autocast did."""
    moved = first(seen, PART)
    if moved is None:
        return None
    _, old, new = moved
    before, after = _part(old, "autocast"), _part(new, "autocast")
    if before != after:
        words = f"autocast is {after} around the layers, was {before}"
    else:
        words = f"layers return {_part(new, 'dtypes')}, were {_part(old, 'dtypes')}"
    return Clue(words=words, parts=(PART,))


def _part(value: JSON, key: str) -> str:
    return str(value.get(key)) if isinstance(value, dict) else str(value)


RULE = Rule(
    name="autocast",
    rank=38,
    find=find,
    effects={**either(TIME), **either(WORK), **either(ACTIVATIONS), **FUNCTION, "vram.reserved.*": 0, "vram.peak.*": 0},
    unless=("unquantised_dtype", "quantised_set", "quantisation_format"),
    packages=("transformers", "accelerate", "torch", "peft"),
)
