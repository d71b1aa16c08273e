"""What a training step costs the host: processor time of all threads, from the batch in hand to the weights updated.

On a GPU it tells a longer way to the device from a slower device: the step's wall time has both, and the
sum of kernel times has none of it. Time that a thread waits for the device without pause is in it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from typing import Any

from ..nouns import Better, Kind, Measured, Metric, Phase
from ..plans import uncounted_steps
from ..scene import Meter, Scene

HOST = Metric(
    name="time.host.step", unit="s", kind=Kind.WALL, concern="step", title="processor time of a training step, median",
    better=Better.LOWER, relative=0.25,
)  # fmt: skip


class HostMeter(Meter):
    """Reads the process's own clock at each step's begin and end, by a Trainer callback."""

    name = "host"
    metrics = (HOST,)
    early = True
    inner = 2

    def __init__(self) -> None:
        self.steps: list[float] = []

    def callbacks(self, scene: Scene) -> list[Any]:
        """See `Meter.callbacks`."""
        from transformers import TrainerCallback

        steps = self.steps

        class Marks(TrainerCallback):  # type: ignore[misc]
            def on_step_begin(self, *_: Any, **__: Any) -> None:
                self.began = time.process_time()

            def on_step_end(self, *_: Any, **__: Any) -> None:
                steps.append(time.process_time() - self.began)

        return [Marks()]

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.TRAIN or not self.steps:
            return {}
        counted = tuple(self.steps[uncounted_steps(len(self.steps)) :])
        return {HOST.name: Measured(value=statistics.median(counted), samples=counted)}


METER = HostMeter
