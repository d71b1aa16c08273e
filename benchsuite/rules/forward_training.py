"""The forward pass is another function while it trains, and the same in evaluation: where dropout acts, which mask."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import first

TRAINING = "function.exact.training"


def find(seen: Evidence) -> Clue | None:
    """The model in 64 bits answers otherwise in training mode; says from which layer on."""
    moved = first(seen, TRAINING)
    if moved is None:
        return None
    place = next((move.path.partition("[")[0] for move in moves(moved[1], moved[2])), "")
    words = (
        "in training the forward pass is another function: in 64 bits, with the same weights and fixed masks in the "
    )
    words += "place of dropout's it differs"
    return Clue(words=f"{words}, first in {place}" if place else words, parts=(TRAINING,))


RULE = Rule(
    name="forward_training",
    rank=26,
    find=find,
    effects={**CURVE, **either(WORK), "optimizer.backward.*": 0},
    unless=("forward_formula", "weights", "quantised_set", "quantisation_format", "double_quantisation",
            "unquantised_dtype", "trainable_set", "adapter", "module_classes", "activation_function", "epsilon",
            "mask_ignored", "tokens", "modes", "initialisation"),
    packages=("transformers", "torch", "peft"),
)  # fmt: skip
