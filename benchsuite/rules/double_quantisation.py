"""Double quantisation went off or on: only the bytes of the quantisation constants show it."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import FUNCTION, RESIDENT, TIME, WORK, either
from benchsuite.rules._looks import first, number, size

BYTES = "model.quantised_bytes"


def find(seen: Evidence) -> Clue | None:
    """The nested constants came or went while the quantised set stayed."""
    moved = first(seen, BYTES)
    if moved is None:
        return None
    nested = [number(value, "nested") or 0.0 for value in moved[1:]]
    absmax = [number(value, "absmax") or 0.0 for value in moved[1:]]
    if bool(nested[0]) == bool(nested[1]):
        return None
    off = not nested[1]
    grown = sum(side[1] - side[0] for side in (absmax, nested))
    state = "off, was on" if off else "on, was off"
    return Clue(
        words=f"double quantisation is {state}: absmax {size(absmax[0])} -> {size(absmax[1])}, "
        f"nested {size(nested[0])} -> {size(nested[1])}",
        parts=(BYTES,),
        direction=1 if off else -1,
        size=grown,
    )


RULE = Rule(
    name="double_quantisation",
    rank=20,
    find=find,
    effects={**RESIDENT, **either(FUNCTION), **either(TIME), **either(WORK), "weights.*": 0, "memory.*": 0},
    packages=("bitsandbytes", "transformers"),
)
