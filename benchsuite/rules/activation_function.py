"""An activation function is another, or answers otherwise than its name says."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.nouns import JSON
from benchsuite.rules._effects import FUNCTION, WORK, either
from benchsuite.rules._looks import first, larger, some

ANSWERS, LAYERS = "function.activations", "model.layers"


def find(seen: Evidence) -> Clue | None:
    """Classes of layers without parameters came or went, or one answers fixed points otherwise."""
    answers, layers = first(seen, ANSWERS), first(seen, LAYERS)
    if answers is None and layers is None:
        return None
    counts = larger(*layers[1:]) if layers else []
    told = [f"{a:g} -> {b:g} {name}" for name, a, b in counts]
    told += [f"{name} answers the same input otherwise" for name in _otherwise(*answers[1:])] if answers else []
    if not told:
        return None
    return Clue(words=f"activations and other layers without parameters: {some(told)}",
                parts=seen.like(ANSWERS, LAYERS))  # fmt: skip


def _otherwise(old: JSON, new: JSON) -> list[str]:
    """Classes on both sides whose answers differ."""
    both = {name for name in old if name in new} if isinstance(old, Mapping) and isinstance(new, Mapping) else set()
    places = [move.path.partition("[")[0] for move in moves(old, new)]
    return [name for name in dict.fromkeys(places) if name in both]


RULE = Rule(
    name="activation_function",
    rank=22,
    find=find,
    effects={**FUNCTION, **either(WORK), "model.computes": 0},
    unless=("adapter", "trainable_set", "quantised_set"),
    packages=("transformers", "torch", "peft"),
)
