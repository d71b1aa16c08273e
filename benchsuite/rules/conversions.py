"""Tensors are converted between dtypes more or less often: mixed precision, or modules in another dtype."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import ACTIVATIONS, CURVE, TIME, WORK, either
from benchsuite.rules._looks import larger

CENSUS = "operators.by_name"
CONVERSION = "_to_copy"
LEAST = 4
"""Conversions a step from which on they are news."""


def find(seen: Evidence) -> Clue | None:
    """The census holds another number of conversions, and of nothing else so many more or fewer."""
    moved = seen.moved(CENSUS)
    moves = larger(*moved) if moved else []
    if not moves or CONVERSION not in moves[0][0] or abs(moves[0][2] - moves[0][1]) < LEAST:
        return None
    _, old, new = moves[0]
    return Clue(
        words=f"{new:g} conversions between dtypes a step, {old:g} before: mixed precision was switched, "
        "or modules are in another dtype, such as float32 for float16",
        direction=1 if new > old else -1,
    )


RULE = Rule(
    name="conversions",
    rank=47,
    find=find,
    effects={**TIME, **WORK, **CURVE, **either(ACTIVATIONS), "function.*": 0},
    unless=(
        "unquantised_dtype",
        "quantised_set",
        "quantisation_format",
        "attention",
        "checkpointing",
        "compute_dtypes",
        "device_copies",
        "gradients_changed",
        "moments",
        "rounding",
    ),
    packages=("transformers", "accelerate", "torch", "peft"),
)
