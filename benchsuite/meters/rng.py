"""The states of Python's, numpy's and torch's generators at the end of each phase that draws.

A stack that draws once more, or in another order, differs here at the phase where it did so.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from typing import Any

from ..nouns import JSON, Measured, Phase
from ..scene import Meter, Scene
from ._probing import exact

# The same under AVX512, AVX2 and default, with 1 and 2 threads, and in transformers 4.55.3 and 5.23.
STATES = exact("seeds.rng", "states of the random generators", same_stack=True)
BORDERS = (Phase.LOAD, Phase.PREPARE, Phase.TRAIN, Phase.SAVE, Phase.RELOAD, Phase.EVALUATE)


class RngMeter(Meter):
    """Reads states, and so disturbs none. Told once the last of the phases has ended."""

    name = "rng"
    metrics = (STATES,)

    def __init__(self) -> None:
        self.seen: dict[str, JSON] = {}

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase not in BORDERS:
            return {}
        self.seen[phase.value] = states(cuda=scene.on_cuda)
        return {STATES.name: Measured(value=dict(self.seen))}


def states(*, cuda: bool) -> dict[str, JSON]:
    """A digest of each generator's state."""
    import numpy as np
    import torch

    # numpy's legacy generator is the one that libraries draw from.
    legacy: Any = np.random.get_state()
    _, keys, position, *rest = legacy
    found = {
        "python": _digest(repr(random.getstate()).encode()),
        "numpy": _digest(keys.tobytes() + repr((position, *rest)).encode()),
        "torch": _digest(torch.get_rng_state().numpy().tobytes()),
    }
    if cuda:
        found["cuda"] = _digest(torch.cuda.get_rng_state().numpy().tobytes())
    return found


def _digest(state: bytes) -> str:
    return hashlib.sha256(state).hexdigest()[:16]


METER = RngMeter
