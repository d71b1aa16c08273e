"""Whether what dropout keeps makes up for what it drops: the mean of ones that went through it is one.

Modules are tried one by one. Not covered: dropout inside attention functions, and where in a model it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..nouns import JSON
from ..scene import Scene
from ._probing import SessionMeter, apart
from ._training import apart_from_chance, training

# Seeded, so that the same build of torch draws the same: a mean of 0.1's scatters by 0.0013, of 0.5's by 0.004.
SCALE = apart("model.dropout.scale", "ones after dropout: their mean, and the largest", absolute=0.02)
SEED, SHAPE = 1, (64, 1024)


class DropoutScaleMeter(SessionMeter):
    """Asks every dropout module of the prepared model."""

    name = "dropout_scale"
    metrics = (SCALE,)

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, JSON] = {}

    def prepared(self, scene: Scene) -> None:
        """See `SessionMeter.prepared`."""
        import torch

        with apart_from_chance(scene):
            torch.manual_seed(SEED)
            self.found = scales(scene.model.modules(), scene.device)

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return {SCALE.name: self.found}


def scales(modules: Iterable[Any], device: str) -> dict[str, JSON]:
    """Of ones that went through each such module, the mean and the largest, where they are furthest from what is due.

    The largest as a multiple of 1 / (1 - p), so that it is one too; one and one where there is no dropout.
    """
    import torch

    ones = torch.ones(SHAPE, device=device)
    means, largest = [1.0], [1.0]
    for module in modules:
        if isinstance(module, torch.nn.Dropout) and 0 < module.p < 1:
            with torch.no_grad(), training(module):
                after = module(ones).float()
            means.append(float(after.mean()))
            largest.append(float(after.max()) * (1 - module.p))
    return {"mean": _worst(means), "largest": _worst(largest)}


def _worst(values: list[float]) -> float:
    off = [value - 1 for value in values]
    return round(1 + max(off, key=abs), 4)


METER = DropoutScaleMeter
