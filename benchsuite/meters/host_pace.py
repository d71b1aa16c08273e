"""How fast the host is: the same piece of work each time, in a process that holds nothing that is guarded.

A step that is bound by the host slows down with it, however little the libraries changed. This says which it was. Done
before and after training and evaluation; by its name this meter begins before those that watch them, and ends after.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from .. import yardwork
from ..nouns import Better, Kind, Measured, Metric, Phase, Role
from ..scene import Meter, Scene

YARDSTICK = Metric(
    name="host.yardstick", unit="s", kind=Kind.WALL, concern="stack", title="a fixed piece of host work",
    better=Better.LOWER, role=Role.EXPLAIN, relative=0.25, depends_on=("python",),
)  # fmt: skip
REPEATS = 5
BESIDE = (Phase.TRAIN, Phase.EVALUATE)
PATIENCE = 60.0
"""Seconds for what takes a tenth of one."""


class PaceMeter(Meter):
    """Has the work done before and after the phases that are timed."""

    name = "host_pace"
    metrics = (YARDSTICK,)

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def start(self, phase: Phase, scene: Scene) -> None:
        """See `Meter.start`."""
        if phase in BESIDE:
            self.seconds += measured()

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase not in BESIDE:
            return {}
        self.seconds += measured()
        if not self.seconds:
            return {}
        return {YARDSTICK.name: Measured(value=median(self.seconds), samples=tuple(self.seconds))}


def measured() -> list[float]:
    """Seconds of each repetition, in a bare interpreter: no site, no user's variables, no library.

    Empty where none can be started: what only explains ends no trial.
    """
    command = [sys.executable, "-I", "-S", str(Path(yardwork.__file__)), str(REPEATS)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    except (OSError, subprocess.SubprocessError):
        return []
    return [int(line) / 1e9 for line in done.stdout.split()]


METER = PaceMeter
