"""The same modules are quantised in the same format, to other values: another rounding of weights or constants."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import FUNCTION, either
from benchsuite.rules._looks import first, short, some

QUANTISED = "weights.quantised"


def find(seen: Evidence) -> Clue | None:
    """Packed weights, or the constants that they are unpacked by, have other bytes."""
    moved = first(seen, QUANTISED)
    if moved is None or not all(isinstance(side, Mapping) for side in moved[1:]):
        return None
    _, old, new = moved
    other = [name for name in old if name in new and old[name] != new[name]]
    if not other:
        return None
    words = (
        f"{len(other)} of {len(new)} quantised weights, or the constants that unpack them, hold other values: "
        f"{some(map(short, other), 2)}"
    )
    return Clue(words=words, parts=(QUANTISED,))


RULE = Rule(
    name="quantised_weights",
    rank=21,
    find=find,
    effects={**either(FUNCTION), "optimizer.gradient*": 0, "weights.*": 0},
    unless=("weights", "quantised_set", "quantisation_format", "double_quantisation"),
    packages=("bitsandbytes", "transformers"),
)
