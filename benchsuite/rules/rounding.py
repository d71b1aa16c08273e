"""The model in its own precision lies further from 64 bits than it did: a kernel rounds more, or computes otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import FUNCTION, WORK, either
from benchsuite.rules._looks import first, number

ROUNDING = "function.rounding"
MORE = 3.0
"""Times as far as before from which on a layer is told by name."""


def find(seen: Evidence) -> Clue | None:
    """Hidden states lie further from the twin's, or nearer; says from which layer on."""
    moved = first(seen, ROUNDING)
    if moved is None:
        return None
    place = _first(*moved[1:])
    old, new = (number(side, place) for side in moved[1:])
    off = f", off by {new:.2g} in {place}, was by {old:.2g}" if old is not None and new is not None else ""
    less = old is not None and new is not None and new < old
    said = "less than it did" if less else "more than it did, or is another function in this precision alone"
    return Clue(words=f"against the same model in 64 bits it rounds {said}{off}", parts=(ROUNDING,))


def _first(old: JSON, new: JSON) -> str:
    """The first place that lies so much further off, else the one that moved most."""
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return ""
    pairs = [(name, number(old, name), number(new, name)) for name in old if name in new]
    far = [(name, a, b) for name, a, b in pairs if a is not None and b is not None]
    further = [name for name, a, b in far if b > MORE * a]
    return next(iter(further), max(far, key=lambda one: abs(one[2] - one[1]))[0] if far else "")


RULE = Rule(
    name="rounding",
    rank=26,
    find=find,
    effects={**FUNCTION, **either(WORK), "optimizer.backward*": 0},
    unless=("weights", "quantised_set", "quantisation_format", "double_quantisation", "unquantised_dtype",
            "trainable_set", "module_classes", "compute_dtypes", "precision_flags", "modes", "tokens",
            "evaluation_random", "attention"),
    packages=("torch", "bitsandbytes", "peft", "transformers"),
)  # fmt: skip
