"""Processes for the trials to come: they import their libraries beforehand, and wait for their job.

Importing took 12 to 22 s on an H200's host, of one core, and touches no device. In a call of `benchsuite ab` those of
the next trials import all at once, and none measures before all of them wait: what measures has no neighbour at work.
In a run the next one's imports while a trial probes and times nothing any more. Each trial is a process of its own.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .process import Worker

MOST = 14
"""Processes that may wait: seven pairs, which is what 120 s hold of the shortest trials on an H200."""
ALONE, FEWEST_CORES = 1, 4
"""Cores that are left to the rest of the machine while processes import; and how many there must be for it to pay."""
BESIDE_PROBES = 2
"""Cores that a trial which probes and one that imports need."""
MEMORY = 2 * 2**30
"""Bytes that one is allowed for. It took 0.5 GB with torch's CPU build and all else imported; CUDA's takes more."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def room() -> int:
    """How many processes may import at once on this machine; an even number, for pairs."""
    import psutil

    if cores() < FEWEST_CORES:
        return 0
    fit = min(MOST, cores() - ALONE, psutil.virtual_memory().available // MEMORY)
    return int(fit) // 2 * 2


@dataclass(frozen=True, kw_only=True)
class Seat:
    """What a waiting process was started with; it serves any job that needs the same."""

    python: str
    variables: Mapping[str, str]


class Ahead:
    """Those that wait.

    Args:
        logs: Folder for what they say before they are given a job.
        wanted: Whether anything is started ahead at all.
    """

    def __init__(self, logs: Path, *, wanted: bool) -> None:
        self.logs = logs
        self.wanted = wanted
        self._waiting: list[tuple[Seat, Worker]] = []
        self._numbers = itertools.count()

    def worker(self, seat: Seat, log: Path) -> Worker:
        """A process in this seat: one that waits, else a new one. It is the caller's from now on.

        One that was killed while it waited is passed over: it measured nothing, and a new one tells of its imports.

        Raises:
            SuiteError: the log cannot be written, or no process started.
        """
        while waiting := next((one for one in self._waiting if one[0] == seat), None):
            if waiting[1].usable:
                waiting[1].rename(log)
                self._waiting.remove(waiting)
                return waiting[1]
            self._drop(waiting)
        return Worker(log=log, variables=seat.variables, python=seat.python)

    def missing(self, seats: Iterable[Seat]) -> list[Seat]:
        """Those of `seats` in which nobody waits, a seat as often as it is named."""
        there, found = [seat for seat, _ in self._waiting], []
        for seat in seats:
            if seat in there:
                there.remove(seat)
            else:
                found.append(seat)
        return found

    def fill(self, seats: Iterable[Seat]) -> None:
        """Have a process wait in each of `seats`; as many in one seat as it is named.

        Raises:
            SuiteError: a log cannot be written, or no process started.
        """
        for seat in self.missing(seats) if self.wanted else ():
            log = self.logs / f"ahead-{next(self._numbers)}.log"
            self._waiting.append((seat, Worker(log=log, variables=seat.variables, python=seat.python)))

    def keep(self, seats: Collection[Seat]) -> None:
        """Let go of those that wait in none of `seats`: nobody will ask for them."""
        for waiting in [one for one in self._waiting if one[0] not in seats]:
            self._drop(waiting)

    def gather(self, timeout: float) -> None:
        """Until all have imported their libraries, or died of it, or `timeout` seconds are over.

        Those that did not end in time are killed; the trial that is given one tells.
        """
        began = time.monotonic()
        for _, worker in self._waiting:
            worker.until_ready(timeout, began)

    def end(self) -> None:
        """Kill all that wait, and leave nothing of them."""
        while self._waiting:
            self._drop(self._waiting[-1])

    def _drop(self, waiting: tuple[Seat, Worker]) -> None:
        waiting[1].end()
        with contextlib.suppress(OSError):
            waiting[1].log.unlink(missing_ok=True)
        self._waiting.remove(waiting)
