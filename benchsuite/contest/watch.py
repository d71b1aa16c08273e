"""Watches the machine while a trial runs: who else is on the GPU, and whether the system swaps."""

from __future__ import annotations

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
    """Counts until it is stopped. Costs two calls of the driver a look; makes no context on the device."""

    def __init__(self, gpu: str) -> None:
        self.gpu = gpu
        self.most = self._left_over()
        self.swap = _swapped()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True, name="machine-watch")

    def _run(self) -> None:
        while not self.done.wait(INTERVAL):
            self.most = max(self.most, self._processes() - OWN)

    def _left_over(self) -> int:
        """Who computes before the trial starts. The driver forgets a process that ended a little later."""
        began = time.monotonic()
        while (found := self._processes()) and time.monotonic() - began < PATIENCE:
            time.sleep(0.1)
        return found

    def _processes(self) -> int:
        return compute_processes(self.gpu) if self.gpu else 0

    def seen(self) -> Seen:
        """What was seen; the watch ends."""
        self.done.set()
        self.thread.join()
        return Seen(strangers=self.most, swapped=_swapped() - self.swap)


@contextmanager
def watching(gpu: str) -> Iterator[Watch]:
    """A watch around one trial on the GPU of that UUID, or on none."""
    watch = Watch(gpu)
    watch.thread.start()
    try:
        yield watch
    finally:
        watch.done.set()


def compute_processes(uuid: str) -> int:
    """How many processes compute on a GPU; 0 where the driver does not tell."""
    import pynvml

    try:
        pynvml.nvmlInit()
        try:
            handle: Any = pynvml.nvmlDeviceGetHandleByUUID(uuid)
            return len(pynvml.nvmlDeviceGetComputeRunningProcesses(handle))
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError:
        return 0


def _swapped() -> int:
    import psutil

    memory = psutil.swap_memory()
    return int(memory.sin + memory.sout)
