"""What training leaves of the process that others share: threads of Python that run on, and garbage collection.

Read as training ends, before any probe of ours switches anything. Threads are told by name, each name once and
without its numbers: how many a pool starts hangs on how quick its first ones are. Left out are the suite's own, those
that are no Python thread (autograd's, where a hook asks for its thread's name), and tqdm's, which hangs on time.
"""

from __future__ import annotations

import gc
import re
import threading
from collections.abc import Iterable, Mapping

from ..nouns import JSON, Measured, Phase
from ..scene import Meter, Scene
from ._probing import exact

# Measured on the CPU: identical over fresh processes of qlora.
PROCESS = exact("trainer.process", "threads and garbage collection that training leaves", depends_on=("python",))
OWN, TIMED = __name__.partition(".")[0], "tqdm"
NUMBERS = re.compile(r"[-_]?\d+([-_]\d+)*")


class ProcessMeter(Meter):
    """Looks once, after training."""

    name = "process"
    metrics = (PROCESS,)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        return {PROCESS.name: Measured(value=left())} if phase is Phase.TRAIN else {}


def left() -> dict[str, JSON]:
    """Names of threads that run on, whether garbage is collected, and after how many objects."""
    return {
        "threads": names(threading.enumerate()),
        "collects": gc.isenabled(),
        "thresholds": list(gc.get_threshold()),
    }


def names(threads: Iterable[threading.Thread]) -> list[str]:
    """Names without numbers, each once, of threads that somebody else started in Python."""
    own = (threading._DummyThread, type(threading.main_thread()))
    others = (t for t in threads if not isinstance(t, own) and _home(t) not in {OWN, TIMED})
    return sorted({NUMBERS.sub("", thread.name) for thread in others})


def _home(thread: threading.Thread) -> str:
    """The package whose code a thread runs: its function's, or else its class's."""
    place = getattr(getattr(thread, "_target", None), "__globals__", {})
    # A worker is run as a program: its functions' module is called "__main__", and their package is ours all the same.
    return str(place.get("__package__") or type(thread).__module__).partition(".")[0]


METER = ProcessMeter
