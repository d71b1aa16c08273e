"""Processes for the trials to come: they import their libraries beforehand, and wait for their job.

Importing took 12 to 22 s on an H200's host, of one core, and touches no device. In a call of `benchsuite ab` those of
the next trials import all at once, and none measures before all of them wait: what measures has no neighbour at work.
In a run the next one's imports while a trial probes and times nothing any more. Each trial is a process of its own.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping
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

        Raises:
            SuiteError: the log cannot be written.
        """
        for i, (its, worker) in enumerate(self._waiting):
            if its == seat:
                del self._waiting[i]
                worker.log = worker.log.replace(log)
                return worker
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
            SuiteError: a log cannot be written.
        """
        for seat in self.missing(seats) if self.wanted else ():
            log = self.logs / f"ahead-{next(self._numbers)}.log"
            self._waiting.append((seat, Worker(log=log, variables=seat.variables, python=seat.python)))

    def gather(self, timeout: float) -> None:
        """Until all have imported their libraries, or died of it: then the trial that is given one tells."""
        for _, worker in self._waiting:
            worker.until_ready(timeout)

    def end(self) -> None:
        """Kill all that wait, and leave nothing of them."""
        for _, worker in self._waiting:
            worker.end()
            worker.log.unlink(missing_ok=True)
        self._waiting.clear()
