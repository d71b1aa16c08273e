"""What is alive and should not be: after tear-down modules, Trainers and tensors; on the way, bytes of tensors.

Each trial is one training, so that one Trainer kept alive by a library shows as 1. Modules without
parameters and parts, such as activation functions that a library keeps in a table, are not counted.
Bytes are by storage, each once, on whatever device.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..nouns import JSON, Better, Kind, Measured, Metric, Phase
from ..scene import Meter, Scene


def _live(name: str, title: str) -> Metric:
    return Metric(name=name, unit="1", kind=Kind.EXACT, concern="memory", title=title)


MODULES = _live("memory.live_modules", "modules alive after tear-down")
TRAINERS = _live("memory.live_trainers", "Trainers alive after tear-down")
# Tables of the libraries and the trial's own logits: 7 to 9 kB, the same in every trial.


def _bytes(name: str, title: str) -> Metric:
    return Metric(
        name=name, unit="B", kind=Kind.BYTES, concern="memory", title=title, better=Better.LOWER, relative=0.005,
        absolute=4096.0,
    )  # fmt: skip


# Tables of the libraries and the trial's own logits: 7 to 9 kB, the same in every trial.
TENSORS = _bytes("memory.live_tensors", "tensors alive after tear-down")
# Measured on the CPU: the same in fresh processes, to the byte.
HELD = {
    Phase.LOAD: _bytes("memory.held.load", "tensors alive once the model is loaded"),
    Phase.PREPARE: _bytes("memory.held.prepare", "tensors alive once the model is prepared"),
    Phase.TRAIN: _bytes("memory.held.train", "tensors alive once training has returned"),
}
EPOCH = _bytes("memory.held.epoch", "most tensors alive as an epoch ends")


class LiveObjectMeter(Meter):
    """Walks all that the garbage collector knows, between phases and when model and Trainer have been let go of.

    As an epoch ends, CUDA's allocator is asked instead: the walk would take time from the training.
    """

    name = "live_objects"
    metrics = (MODULES, TRAINERS, TENSORS, *HELD.values(), EPOCH)

    def __init__(self) -> None:
        self.held: list[int] = []

    def callbacks(self, scene: Scene) -> list[Any]:
        """See `Meter.callbacks`."""
        return [] if scene.case.profile.shared else [_watching(self.held, on_cuda=scene.on_cuda)]

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if scene.case.profile.shared:
            return {}
        found: dict[str, JSON] = census() if phase is Phase.TEARDOWN else {}
        if phase in HELD:
            found[HELD[phase].name] = tensor_bytes()
        if phase is Phase.TRAIN and self.held:
            found[EPOCH.name] = max(self.held)
        return {name: Measured(value=value) for name, value in found.items()}


def _watching(held: list[int], *, on_cuda: bool) -> Any:
    import torch
    from transformers import TrainerCallback

    class Watching(TrainerCallback):  # type: ignore[misc]
        def on_epoch_end(self, *_: Any, **__: Any) -> None:
            held.append(torch.cuda.memory_allocated() if on_cuda else tensor_bytes())

    return Watching()


def census() -> dict[str, JSON]:
    """Counts and bytes by metric name. Classes are asked of the type: some objects lie about theirs."""
    import torch
    from transformers import Trainer

    held = tensor_bytes()
    modules = trainers = 0
    for thing in gc.get_objects():
        kind = type(thing)
        modules += issubclass(kind, torch.nn.Module) and bool(thing._parameters or thing._modules)
        trainers += issubclass(kind, Trainer)
    return {MODULES.name: modules, TRAINERS.name: trainers, TENSORS.name: held}


def tensor_bytes() -> int:
    """Bytes of all tensors that Python reaches, by storage."""
    import torch

    gc.collect()
    storages: dict[int, int] = {}
    for thing in gc.get_objects():
        if issubclass(type(thing), torch.Tensor) and thing.layout is torch.strided and thing.device.type != "meta":
            # A tensor that only stands for others, as of a tracer, has no storage.
            with suppress(RuntimeError, NotImplementedError):
                storage = thing.untyped_storage()
                storages[storage.data_ptr()] = storage.nbytes()
    return sum(storages.values())


METER = LiveObjectMeter
