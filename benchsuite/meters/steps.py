"""The time of every optimizer step, from the batch in hand to the weights updated.

On CUDA by device events, which wait for nothing and so disturb nothing; on the CPU by the trial's
clock. Fetching the batch is not in it, nor are logging and evaluation.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from ..nouns import Better, Kind, Measured, Metric, Phase
from ..plans import uncounted_steps
from ..scene import Meter, Scene

STEP = Metric(
    name="time.step", unit="s", kind=Kind.WALL, concern="step", title="training step, median", better=Better.LOWER,
    relative=0.25,
)  # fmt: skip


PACE = 0.2
"""Seconds from one word of progress to the next: whoever watches reads no more, and each one wakes a second process."""


class StepMeter(Meter):
    """Marks the begin and end of each step by a Trainer callback."""

    name = "steps"
    metrics = (STEP,)
    early = True
    inner = 1

    def __init__(self) -> None:
        self.marks: list[tuple[Any, Any]] = []

    def callbacks(self, scene: Scene) -> list[Any]:
        """See `Meter.callbacks`."""
        from transformers import TrainerCallback

        mark = _event_mark if scene.on_cuda else scene.clock.now
        marks = self.marks

        class Marks(TrainerCallback):  # type: ignore[misc]
            told = -PACE

            def on_step_begin(self, *_: Any, **__: Any) -> None:
                self.began = mark()

            def on_step_end(self, args: Any, state: Any, control: Any, **__: Any) -> None:
                marks.append((self.began, mark()))
                now = scene.clock.now()
                if now - self.told >= PACE:
                    scene.progress({"step": state.global_step, "of": state.max_steps})
                    self.told = now

        return [Marks()]

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.TRAIN or not self.marks:
            return {}
        seconds = [_seconds(began, ended) for began, ended in self.marks]
        counted = seconds[uncounted_steps(len(seconds)) :]
        return {STEP.name: Measured(value=statistics.median(counted), samples=tuple(counted))}


def _event_mark() -> Any:
    import torch

    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event


def _seconds(began: Any, ended: Any) -> float:
    return float(ended - began) if isinstance(began, float) else began.elapsed_time(ended) / 1e3


METER = StepMeter
