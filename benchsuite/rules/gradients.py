"""Gradients of the step before are still there, some tensors get none, or they have another dtype."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import first, some

STATE = "optimizer.gradients"


def find(seen: Evidence) -> Clue | None:
    """Where gradients stand at a step's begin and at its update differs."""
    moved = first(seen, STATE)
    if moved is None:
        return None
    begins, updates = ([_said(side, key) for side in moved[1:]] for key in ("at_begin", "at_update"))
    told = [f"when a step begins gradients are {begins[1]}, were {begins[0]}"] if begins[0] != begins[1] else []
    told += [f"at an update they are {updates[1]}, were {updates[0]}"] if updates[0] != updates[1] else []
    return Clue(words="; ".join(told) or "gradients stand otherwise", parts=(STATE,))


def _said(value: JSON, key: str) -> str:
    found = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(found, Mapping):
        return some(f"{name} in {tensors} tensors" for name, tensors in found.items()) or "not there"
    return " or ".join(str(kind) for kind in found) if isinstance(found, list) else str(found)


RULE = Rule(
    name="gradients",
    rank=30,
    find=find,
    effects={**CURVE, **either(WORK), "optimizer.*": 0, "memory.*": 0},
    unless=("updates", "untrained", "trainable_set", "quantised_set", "checkpointing"),
    packages=("transformers", "accelerate", "torch", "peft"),
)
