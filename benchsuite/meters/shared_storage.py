"""Which parameters and buffers lie in the same memory: tied weights, and copies that are none.

A tie that is lost doubles weights and trains them apart; one that should not be, as of a head with the original that it
stands for, has training write where nothing ought to be written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..nouns import JSON
from ..scene import Scene
from ._probing import SessionMeter, exact

SHARED = exact("model.shared", "parameters and buffers that share memory, as loaded and as prepared for training")


class SharedStorageMeter(SessionMeter):
    """Looks where tensors begin, as the model is loaded and as it is prepared."""

    name = "shared_storage"
    metrics = (SHARED,)

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, JSON] = {}

    def loaded(self, scene: Scene) -> None:
        """See `SessionMeter.loaded`."""
        self.seen["loaded"] = shared(scene.model)

    def prepared(self, scene: Scene) -> None:
        """See `SessionMeter.prepared`."""
        self.seen["prepared"] = shared(scene.model)

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return {SHARED.name: self.seen}


def shared(model: Any) -> Sequence[JSON]:
    """Each set of names whose tensors begin at one address, as one sorted list; empty where each has its own."""
    places: dict[tuple[Any, int], list[str]] = {}
    for name, tensor in (*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)):
        if tensor.numel() and tensor.device.type != "meta":
            places.setdefault((tensor.device, tensor.data_ptr()), []).append(name)
    return sorted(sorted(names) for names in places.values() if len(names) > 1)


METER = SharedStorageMeter
