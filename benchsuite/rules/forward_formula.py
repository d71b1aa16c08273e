"""The same modules with the same weights compute another function: masks, positions, scales, or what stands between."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.rules._effects import FUNCTION, WORK, either
from benchsuite.rules._looks import first

EXACT = "function.exact"


def find(seen: Evidence) -> Clue | None:
    """The model in 64 bits answers otherwise; says from which layer on."""
    moved = first(seen, EXACT)
    if moved is None:
        return None
    place = next((move.path.partition("[")[0] for move in moves(moved[1], moved[2])), "")
    words = "the forward pass is another function: in 64 bits and with the same weights it differs"
    return Clue(words=f"{words}, first in {place}" if place else words, parts=(EXACT,))


RULE = Rule(
    name="forward_formula",
    rank=25,
    find=find,
    effects={**FUNCTION, **either(WORK)},
    unless=("weights", "quantised_set", "quantisation_format", "double_quantisation", "quantised_weights",
            "unquantised_dtype", "trainable_set", "adapter", "module_classes",
            "activation_function", "epsilon", "mask_ignored", "tokens"),
    packages=("transformers", "peft", "torch"),
)  # fmt: skip
