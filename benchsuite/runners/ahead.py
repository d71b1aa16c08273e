"""Processes for the trials to come: they import their libraries while another is at work, and wait.

Importing took 12 to 22 s on an H200's host, and touches no device: a call makes more trials in its time. Each trial is
still a process of its own. In a call of `benchsuite ab` all but those of the first pair measure beside such neighbours,
in both arms alike; in a run they come when a trial probes and times nothing any more.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .process import Worker

NEIGHBOURS = 2
"""Processes that may import or wait while one measures."""
FEWEST_CORES = 4
"""With fewer, the imports would take what a trial that measures needs."""
BESIDE_PROBES = 2
"""Cores that a trial which probes and one that imports need."""


def room(cores: int = FEWEST_CORES) -> int:
    """How many processes may be started ahead on this machine, where it takes as many cores."""
    return NEIGHBOURS if len(os.sched_getaffinity(0)) >= cores else 0


@dataclass(frozen=True, kw_only=True)
class Seat:
    """What a waiting process was started with; it serves any job that needs the same."""

    python: str
    variables: Mapping[str, str]


class Ahead:
    """One process waits for each seat, at most.

    Args:
        logs: Folder for what they say before they are given a job.
        wanted: Whether anything is started ahead at all.
        safe: See the attribute.
        cores: With fewer than these nothing is started.
    """

    def __init__(self, logs: Path, *, wanted: bool, safe: bool = False, cores: int = FEWEST_CORES) -> None:
        self.logs = logs
        self.wanted = wanted and room(cores) > 0
        self.safe = safe
        """Set once a waiting process would not be taken for a stranger on the GPU, should the driver show it."""
        self._waiting: list[tuple[Seat, Worker]] = []
        self._numbers = itertools.count()

    def worker(self, seat: Seat, log: Path) -> Worker:
        """A process in this seat: the one that waits, else a new one. It is the caller's from now on.

        Raises:
            SuiteError: the log cannot be written.
        """
        for i, (its, worker) in enumerate(self._waiting):
            if its == seat:
                del self._waiting[i]
                worker.log = worker.log.replace(log)
                return worker
        return Worker(log=log, variables=seat.variables, python=seat.python)

    def fill(self, seats: Iterable[Seat]) -> None:
        """Start a process for each seat in which none waits.

        Raises:
            SuiteError: a log cannot be written.
        """
        for seat in seats if self.wanted and self.safe else ():
            if all(its != seat for its, _ in self._waiting):
                log = self.logs / f"ahead-{next(self._numbers)}.log"
                self._waiting.append((seat, Worker(log=log, variables=seat.variables, python=seat.python)))

    def end(self) -> None:
        """Kill all that wait, and leave nothing of them."""
        for _, worker in self._waiting:
            worker.end()
            worker.log.unlink(missing_ok=True)
        self._waiting.clear()
