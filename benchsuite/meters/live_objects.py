"""What outlives the tear-down: modules, Trainers, and the bytes of tensors that Python still reaches.

Each trial is one training, so that one Trainer kept alive by a library shows as 1. Modules without
parameters and parts, such as activation functions that a library keeps in a table, are not counted.
Bytes are by storage, each once, on whatever device.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping

from ..nouns import JSON, Better, Kind, Measured, Metric, Phase
from ..scene import Meter, Scene


def _live(name: str, title: str) -> Metric:
    return Metric(name=name, unit="1", kind=Kind.EXACT, concern="memory", title=title)


MODULES = _live("memory.live_modules", "modules alive after tear-down")
TRAINERS = _live("memory.live_trainers", "Trainers alive after tear-down")
# Tables of the libraries and the trial's own logits: 7 to 9 kB, the same in every trial.
TENSORS = Metric(
    name="memory.live_tensors", unit="B", kind=Kind.BYTES, concern="memory", title="tensors alive after tear-down",
    better=Better.LOWER, relative=0.005, absolute=4096.0,
)  # fmt: skip


class LiveObjectMeter(Meter):
    """Walks all that the garbage collector knows, when model and Trainer have been let go of."""

    name = "live_objects"
    metrics = (MODULES, TRAINERS, TENSORS)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.TEARDOWN or scene.case.profile.shared:
            return {}
        return {name: Measured(value=value) for name, value in census().items()}


def census() -> dict[str, JSON]:
    """Counts and bytes by metric name. Classes are asked of the type: some objects lie about theirs."""
    import torch
    from transformers import Trainer

    gc.collect()
    modules = trainers = 0
    storages: dict[int, int] = {}
    for thing in gc.get_objects():
        kind = type(thing)
        modules += issubclass(kind, torch.nn.Module) and bool(thing._parameters or thing._modules)
        trainers += issubclass(kind, Trainer)
        if issubclass(kind, torch.Tensor) and thing.layout is torch.strided and thing.device.type != "meta":
            storage = thing.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
    return {MODULES.name: modules, TRAINERS.name: trainers, TENSORS.name: sum(storages.values())}


METER = LiveObjectMeter
