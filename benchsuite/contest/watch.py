"""Watches the machine while a trial runs: who else is on the GPU, and whether the system swaps."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .conditions import Seen

INTERVAL = 0.5
PATIENCE = 2.0
"""Seconds that the last trial's process may still be shown."""
OWN = 1
"""Compute processes of a trial: itself."""


class Watch:
    """Counts until it is stopped. Costs two calls of the driver a look; makes no context on the device.

    This process and what it started are no strangers, by their numbers. Where the driver shows other numbers than
    they have here, one of those that it shows is the trial's.
    """

    def __init__(self, gpu: str) -> None:
        self.gpu = gpu
        self.ours = {os.getpid()}
        self.strange: set[int] = set()
        self.named = False
        self.most = 0
        self.before = self._left_over()
        self.swap = _swapped()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True, name="machine-watch")

    def _run(self) -> None:
        while not self.done.wait(INTERVAL):
            self.most = max(self.most, self._strangers())

    def _left_over(self) -> int:
        """Who computes before the trial starts. The driver forgets a process that ended a little later."""
        began = time.monotonic()
        while (found := self._strangers()) and time.monotonic() - began < PATIENCE:
            time.sleep(0.1)
        return found

    def _strangers(self) -> int:
        """Processes on the GPU that are not ours. Looking for our own costs: it is done for new ones alone."""
        shown = compute_processes(self.gpu) if self.gpu else ()
        if not set(shown) <= self.ours | self.strange:
            self.ours |= children()
            self.strange |= set(shown) - self.ours
        self.named = self.named or not self.ours.isdisjoint(shown)
        return sum(pid not in self.ours for pid in shown)

    def seen(self) -> Seen:
        """What was seen; the watch ends."""
        self.done.set()
        self.thread.join()
        others = self.most if self.named else max(0, self.most - OWN)
        return Seen(strangers=max(self.before, others), swapped=_swapped() - self.swap, named=self.named)


@contextmanager
def watching(gpu: str) -> Iterator[Watch]:
    """A watch around one trial on the GPU of that UUID, or on none."""
    watch = Watch(gpu)
    watch.thread.start()
    try:
        yield watch
    finally:
        watch.done.set()


def compute_processes(uuid: str) -> tuple[int, ...]:
    """Numbers of the processes that compute on a GPU; none where the driver does not tell."""
    import pynvml

    try:
        pynvml.nvmlInit()
        try:
            handle: Any = pynvml.nvmlDeviceGetHandleByUUID(uuid)
            return tuple(process.pid for process in pynvml.nvmlDeviceGetComputeRunningProcesses(handle))
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError:
        return ()


def children() -> set[int]:
    """Numbers of what this process started, and of what those started."""
    import psutil

    return {process.pid for process in psutil.Process().children(recursive=True)}


def _swapped() -> int:
    import psutil

    memory = psutil.swap_memory()
    return int(memory.sin + memory.sout)
