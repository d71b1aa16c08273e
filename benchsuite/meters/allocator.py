"""CUDA allocator: gross peaks of each phase, bytes held after loading, cuBLAS workspaces.

Peaks are what a user meets: everything the process holds, workspaces included. What a load itself
takes is the difference across it, so that a workspace from before does not count as model.
Nothing is yielded on the CPU.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping

from ..nouns import Better, Kind, Measured, Metric, Phase
from ..scene import Meter, Scene

MEASURED = (Phase.LOAD, Phase.PREPARE, Phase.TRAIN, Phase.SAVE, Phase.RELOAD, Phase.EVALUATE)
HARDWARE = ("gpu", "gpu_memory")


def _bytes(name: str, title: str) -> Metric:
    return Metric(
        name=name, unit="B", kind=Kind.BYTES, concern="memory", title=title, better=Better.LOWER, depends_on=HARDWARE
    )


PEAKS = {phase: _bytes(f"vram.peak.{phase}", f"VRAM peak, {phase}") for phase in MEASURED}
RESERVED = {phase: _bytes(f"vram.reserved.{phase}", f"VRAM reserved by the allocator, {phase}") for phase in MEASURED}
AFTER = {
    Phase.LOAD: _bytes("vram.after_load", "VRAM after load"),
    Phase.RELOAD: _bytes("vram.after_reload", "VRAM after reload"),
}
LEFT = _bytes("vram.left", "VRAM still held after tear-down")
WORKSPACE = _bytes("vram.cublas_workspace", "cuBLAS workspaces")


class AllocatorMeter(Meter):
    """Resets the allocator's peaks at each phase's start and reads them at its end."""

    name = "allocator"
    metrics = (*PEAKS.values(), *RESERVED.values(), *AFTER.values(), LEFT, WORKSPACE)

    def __init__(self) -> None:
        self.before = 0

    def start(self, phase: Phase, scene: Scene) -> None:
        """See `Meter.start`."""
        if not scene.on_cuda:
            return
        import torch

        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        self.before = _held()

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if not scene.on_cuda:
            return {}
        import torch

        torch.cuda.synchronize()
        found: dict[str, int] = {}
        if phase in PEAKS:
            found[PEAKS[phase].name] = torch.cuda.max_memory_allocated()
            found[RESERVED[phase].name] = torch.cuda.max_memory_reserved()
        if phase in AFTER:
            found[AFTER[phase].name] = _held() - self.before
        if phase is Phase.TEARDOWN and not scene.case.profile.shared:
            found.update(_left())
        return {name: Measured(value=value) for name, value in found.items()}


def _held() -> int:
    import torch

    gc.collect()
    return int(torch.cuda.memory_allocated())


def _left() -> dict[str, int]:
    """Bytes that outlive everything, with cuBLAS's workspaces told apart by clearing them."""
    import torch

    held = _held()
    torch._C._cuda_clearCublasWorkspaces()
    left = _held()
    return {LEFT.name: left, WORKSPACE.name: held - left}


METER = AllocatorMeter
