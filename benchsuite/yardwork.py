"""A fixed piece of work, timed in a bare interpreter: `python -I -S yardwork.py N` prints N times in nanoseconds.

Imports nothing but the clock, so that nothing that is guarded has a part in it: no thread, profiler or hook of a
library that trains can slow it down, unless it slows the whole machine.
"""

import sys
from time import perf_counter_ns

ROUNDS = 12_000
"""About 5 ms of it."""


class Box:
    """An object with an attribute and a method."""

    def __init__(self, value: int) -> None:
        self.value = value

    def moved(self, by: int) -> "Box":
        """Another one, further on."""
        return Box(self.value + by)


def work() -> int:
    """Calls, objects, attributes and dictionaries: what a library's way to the device is made of."""
    seen: dict[int, Box] = {}
    for i in range(ROUNDS):
        box = Box(i).moved(i % 7)
        seen[box.value % 512] = box
    return sum(box.value for box in seen.values())


def main() -> None:
    """Do it once to warm up, then as often as the first argument says; a line each."""
    work()
    for _ in range(int(sys.argv[1])):
        began = perf_counter_ns()
        work()
        sys.stdout.write(f"{perf_counter_ns() - began}\n")


if __name__ == "__main__":
    main()
