"""Kernels, as many as before or nearly so, take longer; says which, and which came or went."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import TIME
from benchsuite.rules._looks import kernel, larger, same_number, some
from benchsuite.units import percent, show, show_change

TOTAL, COUNT, TABLE = "device.kernel_time.step", "count.kernels.step", "kernels.times"


def find(seen: Evidence) -> Clue | None:
    """Kernel time moved and the number of kernels did not, or by less than counts."""
    moved = seen.number_moved(TOTAL)
    if moved is None or not same_number(seen, COUNT):
        return None
    old, new = moved
    way = 1 if new > old else -1
    table = seen.pair(TABLE) or ({}, {})
    named = [_told(name, a, b) for name, a, b in larger(*table) if (b - a) * way > 0]
    which = f": {some(named, 3)}" if named else ""
    speed = "slower" if way > 0 else "faster"
    return Clue(words=f"{_number(seen)} is {speed} by {percent(new / old - 1)}{which}", direction=way)


def _number(seen: Evidence) -> str:
    (old, new), same = seen.numbers(COUNT) or (0.0, 0.0), "the same number of kernels"
    return same if old == new else f"nearly {same} ({old:g} -> {new:g} a step)"


def _told(name: str, old: float, new: float) -> str:
    """A kernel's change, or that it is new or gone."""
    if old and new:
        return f"{kernel(name)} {show_change(old, new, 's')}"
    return f"{kernel(name)} is {'gone' if old else 'new'} ({show(old or new, 's')})"


RULE = Rule(name="slower_kernels", rank=51, find=find, effects=TIME, packages=("torch", "bitsandbytes"))
