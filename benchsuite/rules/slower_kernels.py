"""The same kernels, as often, take longer; says which."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import TIME
from benchsuite.rules._looks import kernel, larger, same_number, some
from benchsuite.units import percent, show_change

TOTAL, COUNT, TABLE = "device.kernel_time.step", "count.kernels.step", "kernels.times"


def find(seen: Evidence) -> Clue | None:
    """Kernel time moved and the number of kernels did not."""
    moved = seen.number_moved(TOTAL)
    if moved is None or not same_number(seen, COUNT):
        return None
    old, new = moved
    way = 1 if new > old else -1
    table = seen.pair(TABLE) or ({}, {})
    named = [f"{kernel(name)} {show_change(a, b, 's')}" for name, a, b in larger(*table) if (b - a) * way > 0 and a]
    which = f": {some(named, 3)}" if named else ""
    speed = "slower" if way > 0 else "faster"
    return Clue(words=f"the same number of kernels is {speed} by {percent(new / old - 1)}{which}", direction=way)


RULE = Rule(name="slower_kernels", rank=51, find=find, effects=TIME, packages=("torch", "bitsandbytes"))
