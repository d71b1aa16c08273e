"""Gradients with checkpoints against those without, under one seed and with dropout as it is.

What is recomputed must be what was computed, masks of dropout among it. A model without checkpoints
has the same gradients twice, and is not asked.
"""

from __future__ import annotations

from .. import compat, trial
from ..scene import Scene
from ._probing import apart
from ._training import apart_from_chance, batch, distances, learnt, summary, training
from .twin import FixingMeter, dealt, fixed

# Measured under `tiny` in qlora on transformers 4.57.6 and 5.23: 0. Backward passes of a GPU add in no fixed order;
# other masks, and half of a gradient, make 0.3 and more.
RECOMPUTED = apart(
    "optimizer.backward.recomputed", "gradients with checkpoints against those without", absolute=0.02, relative=0.5
)
SEED = 1


class UncheckpointedMeter(FixingMeter):
    """Asks before the probe's training; values that were drawn are fixed, so that no adapter is zero."""

    name = "uncheckpointed"
    metrics = (RECOMPUTED,)

    def prepared(self, scene: Scene) -> None:
        """See `SessionMeter.prepared`."""
        self.found = {RECOMPUTED.name: {"largest": 0.0}}
        if not compat.is_checkpointing(scene.model):
            return
        with apart_from_chance(scene), fixed(scene.model, self.drawn(scene)), training(scene.model):
            own = _drawn(scene)
            with compat.without_checkpointing(scene.model):
                wanted = _drawn(scene)
        self.found = {RECOMPUTED.name: {"largest": summary(distances(own, wanted))["largest"]}}


def _drawn(scene: Scene) -> dict[str, object]:
    import torch

    torch.manual_seed(SEED)
    with trial.autocast(scene):
        return learnt(scene.model, batch(scene, dealt(scene)))


METER = UncheckpointedMeter
