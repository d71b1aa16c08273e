"""What an evaluation keeps of each batch while it runs: answers, labels and losses, and no more than these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import builders
from ..nouns import JSON, Better, Kind, Metric
from ..scene import Scene
from ._aside import aside
from ._probing import SessionMeter
from .live_objects import known, tensor_bytes

# Measured on the CPU: 640 bytes of 32 rows in fp32, qlora, lora and amp: two logits, a label and a loss of each row.
KEPT = Metric(
    name="memory.kept_by_batch", unit="B", kind=Kind.BYTES, concern="memory", better=Better.LOWER, relative=0.005,
    absolute=4096.0, title="tensors that an evaluation keeps of each batch",
    may_lack="the validation set is shorter than the batches that are looked at",
)  # fmt: skip
BATCHES = 4
"""The third against the second: what the first makes once is there by then, and the last one's successor never is."""


class EvaluationMemoryMeter(SessionMeter):
    """Lets a Trainer evaluate a few full batches once the probe's steps are over."""

    name = "evaluation_memory"
    metrics = (KEPT,)

    def __init__(self) -> None:
        super().__init__()
        self.alive: list[int] = []

    def trained(self, scene: Scene) -> None:
        """See `SessionMeter.trained`."""
        rows, wanted = scene.rows["validation"], BATCHES * scene.case.profile.eval_batch
        with aside(scene):
            trainer = builders.make_trainer(scene, [_watching(self.alive)], looked_into=True)
            trainer.evaluate(eval_dataset=rows.select(range(min(len(rows), wanted))))

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return {KEPT.name: kept(self.alive)} if len(self.alive) == BATCHES else {}


def _watching(alive: list[int]) -> Any:
    from transformers import TrainerCallback

    class Watching(TrainerCallback):  # type: ignore[misc]
        def on_prediction_step(self, *_: Any, **__: Any) -> None:
            alive.append(tensor_bytes(known()))

    return Watching()


def kept(alive: Sequence[int]) -> int:
    """Bytes that the last batch but one added to what was alive after the one before."""
    return max(0, alive[-2] - alive[-3])


METER = EvaluationMemoryMeter
