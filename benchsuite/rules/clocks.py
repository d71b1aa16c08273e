"""The GPU itself ran slower: lower clocks, or a reason to throttle that was not there."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import TIME

CLOCK, REASONS = "nvml.sm_clock", "nvml.throttle_reasons"
LEAST = 0.97
IDLE = 1
"""NVML's bit for a GPU that has nothing to do: no reason to be slow."""


def find(seen: Evidence) -> Clue | None:
    """Clocks fell by 3 % or more. Read whatever its verdict: it is of kind wall and may stay inconclusive."""
    clock, reasons = seen.numbers(CLOCK), seen.numbers(REASONS)
    slower = clock is not None and clock[1] < LEAST * clock[0]
    if clock is None or not slower:
        return None
    fresh = int(reasons[1]) & ~int(reasons[0]) & ~IDLE if reasons else 0
    why = f", throttle reasons 0x{fresh:x}" if fresh else ""
    return Clue(words=f"the GPU ran slower: SM clock {clock[0]:.0f} -> {clock[1]:.0f} MHz{why}", parts=(CLOCK,))


RULE = Rule(name="clocks", rank=39, find=find, effects={k: v for k, v in TIME.items() if k != "energy.*"})
