"""What the reloaded model says of every validation row: accuracy, loss, logits."""

from __future__ import annotations

from collections.abc import Mapping

from ..nouns import Better, Kind, Measured, Metric, Phase, Role
from ..scene import Meter, Scene
from .curves import CPU

ACCURACY = Metric(
    name="quality.accuracy.reloaded", unit="1", kind=Kind.QUALITY, concern="quality",
    title="accuracy of the reloaded model", better=Better.HIGHER,
)  # fmt: skip
# How much of it may be lost before it counts is the task's margin.
# Measured under tiny between CPU capabilities AVX512, AVX2 and DEFAULT, one thread and two, and transformers 4.57.6
# with peft 0.18 and 5.23 with 0.21: the loss lies within 1e-8 in fp32 and 0.0044 in qlora; the farthest of 1744 logits
# within 7e-6 in fp32, and 1.2 in qlora, which is why they only explain.
LOSS = Metric(
    name="quality.loss.reloaded", unit="", kind=Kind.QUALITY, judge="distance", concern="quality",
    title="validation loss of the reloaded model", relative=0.05, absolute=0.02, depends_on=CPU,
)  # fmt: skip
LOGITS = Metric(
    name="quality.logits", unit="", kind=Kind.QUALITY, judge="distance", concern="quality", role=Role.EXPLAIN,
    title="logits of the reloaded model", relative=0.05, absolute=0.25, depends_on=CPU,
)  # fmt: skip


class PredictionMeter(Meter):
    """Accuracy's samples are the rows, right 1.0 or wrong 0.0, in their order: what paired tests need.

    The logits themselves go into `Record.predictions`; `LOGITS` is judged from there.
    """

    name = "predictions"
    metrics = (ACCURACY, LOSS, LOGITS)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.EVALUATE:
            return {}
        import torch

        labels = torch.tensor(scene.examples.validation.labels)
        right = (scene.logits.argmax(-1) == labels).double()
        loss = torch.nn.functional.cross_entropy(scene.logits.double(), labels)
        return {
            ACCURACY.name: Measured(value=float(right.mean()), samples=tuple(right.tolist())),
            LOSS.name: Measured(value=float(loss)),
        }


METER = PredictionMeter
