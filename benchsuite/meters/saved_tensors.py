"""Bytes that autograd holds for the backward pass when the forward pass has ended.

By storage, each once; parameters themselves are not counted. What is packed after the first look back belongs to
recomputed segments and is not held at once, so it is not in it; nor is what a function keeps on its
context without saving it, which `memory.peak.step` sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from ..nouns import JSON, Better, Kind, Metric
from ..scene import Scene
from ._probing import SessionMeter

SAVED = Metric(
    name="memory.saved_for_backward", unit="B", kind=Kind.BYTES, concern="memory", title="saved for the backward pass",
    better=Better.LOWER, relative=0.001, absolute=0.0,
)  # fmt: skip


class SavedTensorMeter(SessionMeter):
    """Hooks into what autograd packs and unpacks, over one step."""

    name = "saved_tensors"
    metrics = (SAVED,)

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    @contextmanager
    def _watch(self, parameters: frozenset[int]) -> Iterator[None]:
        import torch

        forward = True
        # What was packed is held, so that no two of these addresses are one storage after another.
        held: dict[int, int] = {}

        def pack(tensor: Any) -> Any:
            storage = tensor.untyped_storage()
            if forward and storage.data_ptr() not in parameters:
                held[storage.data_ptr()] = storage.nbytes()
            return tensor

        def unpack(tensor: Any) -> Any:
            nonlocal forward
            forward = False
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
            yield
        self.bytes = sum(held.values())

    def instrument(self, scene: Scene) -> AbstractContextManager[Any]:
        """See `SessionMeter.instrument`."""
        return self._watch(frozenset(p.untyped_storage().data_ptr() for p in scene.model.parameters()))

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return {SAVED.name: self.bytes}


METER = SavedTensorMeter
