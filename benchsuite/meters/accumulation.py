"""Whether gradient accumulation changes loss and gradients: a quarter of the batch 4 times, against the batch once.

Both ratios should be 1. A stack that gets it wrong by a factor shows the factor, and AdamW would
hide it from every curve.
"""

from __future__ import annotations

from collections.abc import Mapping

from .. import builders, invariance
from ..nouns import JSON, Kind, Metric
from ..scene import Scene
from ._probing import SessionMeter

# To five digits 1.0 (transformers 4.55.3) or 4.0 (5.23) in both regimes, whatever the CPU's capability and threads.
ACCUMULATION = Metric(
    name="optimizer.accumulation", unit="", kind=Kind.QUALITY, judge="distance", concern="fingerprint",
    title="gradient accumulation against one large batch", relative=0.0, absolute=0.02,
)  # fmt: skip


class AccumulationMeter(SessionMeter):
    """Two Trainers of one step each, on the case's own model and arguments."""

    name = "accumulation"
    metrics = (ACCUMULATION,)

    def __init__(self) -> None:
        super().__init__()
        self.ratios: Mapping[str, JSON] = {}

    def prepared(self, scene: Scene) -> None:
        """See `SessionMeter.prepared`."""
        self.ratios = invariance.measure(
            scene.model,
            lambda arguments: builders.make_trainer(scene, [], looked_into=True, **arguments),
            scene.case.profile.train_batch,
        )

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return {ACCUMULATION.name: dict(self.ratios)}


METER = AccumulationMeter
