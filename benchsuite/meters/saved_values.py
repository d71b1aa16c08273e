"""Whether the file holds the trained values, and the reloaded model the file's: exactly, and tensor by tensor.

Tensors are told by a sum over their bits, whatever they are called: names differ between a model and its
adapter's file. A tensor of the file that no tensor of the model equals has been rounded, or left as it
was. Not covered: values that changed places within a tensor, and tensors that did with each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..nouns import JSON, Measured, Phase
from ..scene import Scene
from ._probing import ProbeMeter, exact
from .weights import tensors

VALUES = exact("saved.values", "values on their way through the file")
Sum = tuple[str, int, int]
"""Dtype, number of elements and sum of a tensor's bits."""


class SavedValueMeter(ProbeMeter):
    """Sums the trained model after training and the reloaded one after reload; reads the file in the probe phase."""

    name = "saved_values"
    metrics = (VALUES,)

    def __init__(self) -> None:
        self.trained: frozenset[Sum] = frozenset()
        self.reloaded: frozenset[Sum] = frozenset()

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is Phase.TRAIN and not scene.case.profile.shared:
            self.trained = frozenset(sums(scene.model))
        if phase is Phase.RELOAD and not scene.case.profile.shared:
            self.reloaded = frozenset(sums(scene.model))
        return super().stop(phase, scene)

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        held = list(tensors(scene.saved)) if Path(scene.saved).is_dir() else []
        sides = {"not_as_trained": self.trained, "not_as_saved": self.reloaded}
        found = {side: sorted(n for n, t in held if not equals(t, known)) for side, known in sides.items()}
        return {VALUES.name: {"tensors": len(held), **found}}


def sums(model: Any) -> Iterator[Sum]:
    """Of every parameter and buffer."""
    for tensor in (*model.parameters(), *model.buffers()):
        yield bits(tensor)


def equals(tensor: Any, known: frozenset[Sum]) -> bool:
    """Whether one of the known sums is `tensor`'s, in its own dtype or cast to the one that was summed."""
    import torch

    numel = tensor.numel()
    dtypes = {dtype for dtype, size, _ in known if size == numel}
    casts = (tensor.to(getattr(torch, dtype)) for dtype in dtypes)
    return any(bits(cast) in known for cast in casts)


def bits(tensor: Any) -> Sum:
    """A tensor's sum over its bits, read as integers and weighted by nothing: any one value that differs shows."""
    import torch

    width = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[tensor.element_size()]
    # On the host: summed on the device, the 64-bit copy would stand in the peaks of the phases that are measured.
    whole = tensor.detach().cpu().contiguous().view(width).sum(dtype=torch.int64)
    return str(tensor.dtype).removeprefix("torch."), tensor.numel(), int(whole)


METER = SavedValueMeter
