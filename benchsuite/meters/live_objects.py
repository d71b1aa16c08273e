"""What is alive and should not be: after tear-down modules, Trainers and tensors; on the way, bytes of tensors.

Each trial is one training, so that one Trainer kept alive by a library shows as 1. Modules without
parameters and parts, such as activation functions that a library keeps in a table, are not counted.
Bytes are by storage, each once, on whatever device.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
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
HELD = _bytes("memory.held.train", "tensors alive once training has returned")


class LiveObjectMeter(Meter):
    """Walks all that the garbage collector knows, as training has returned and as model and Trainer are let go of."""

    name = "live_objects"
    metrics = (MODULES, TRAINERS, TENSORS, HELD)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if scene.case.profile.shared:
            return {}
        found: dict[str, JSON] = census() if phase is Phase.TEARDOWN else {}
        if phase is Phase.TRAIN:
            found[HELD.name] = tensor_bytes(known())
        return {name: Measured(value=value) for name, value in found.items()}


def census() -> dict[str, JSON]:
    """Counts and bytes by metric name."""
    import torch
    from transformers import Trainer

    things = known()
    modules = sum(bool(thing._parameters or thing._modules) for thing in of(torch.nn.Module, things))
    return {
        MODULES.name: modules, TRAINERS.name: len(of(Trainer, things)), TENSORS.name: tensor_bytes(things),
    }  # fmt: skip


def known() -> list[Any]:
    """All that the garbage collector knows and cannot free."""
    gc.collect()
    return gc.get_objects()


def of(kind: type, things: Sequence[Any]) -> list[Any]:
    """Those of a class. Classes are asked of the type, each once: some objects lie about theirs."""
    kinds = {each for each in set(map(type, things)) if issubclass(each, kind)}
    return [thing for thing in things if type(thing) in kinds]


def tensor_bytes(things: Sequence[Any]) -> int:
    """Bytes of the tensors among them, by storage."""
    import torch

    storages: dict[int, int] = {}
    for tensor in of(torch.Tensor, things):
        if tensor.layout is torch.strided and tensor.device.type != "meta":
            # One that only stands for others, as of a tracer, has no storage.
            with suppress(RuntimeError, NotImplementedError):
                storage = tensor.untyped_storage()
                storages[storage.data_ptr()] = storage.nbytes()
    return sum(storages.values())


METER = LiveObjectMeter
