"""The files that training left: names, dtypes and shapes of the saved tensors, and bytes of all that holds tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..nouns import JSON, Kind, Measured, Metric, Phase
from ..scene import Meter, Scene
from .saved_files import PICKLED

TENSORS = Metric(name="saved.tensors", unit="", kind=Kind.EXACT, concern="fingerprint", title="tensors saved")
# The embedded task's adapter has 34 kB: the judge's own 1 MiB would let a second copy of it pass.
BYTES = Metric(
    name="saved.bytes", unit="B", kind=Kind.BYTES, concern="fingerprint", title="bytes saved", absolute=16 * 1024
)
WEIGHTS = frozenset({".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".gguf", ".onnx", ".npz"})
"""Endings of files that hold tensors, in whatever format: a copy in an old one counts."""


class AdapterFileMeter(Meter):
    """Reads the safetensors headers of the saved folder, and looks at the size of what may hold tensors besides."""

    name = "adapter_file"
    metrics = (TENSORS, BYTES)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.SAVE:
            return {}
        from safetensors import safe_open

        found: dict[str, JSON] = {}
        folder = Path(scene.saved)
        for file in sorted(folder.glob("*.safetensors")):
            with safe_open(str(file), framework="pt") as tensors:
                for name in sorted(tensors.keys()):
                    part = tensors.get_slice(name)
                    found[name] = f"{part.get_dtype()} {'x'.join(map(str, part.get_shape()))}"
        return {TENSORS.name: Measured(value=found), BYTES.name: Measured(value=weighed(folder))}


def weighed(folder: Path) -> int:
    """Bytes of the folder's files that hold tensors; the Trainer's arguments are packed alike, and hold none."""
    held = (file for file in folder.glob("*") if file.suffix in WEIGHTS and file.name not in PICKLED)
    return sum(file.stat().st_size for file in held)


METER = AdapterFileMeter
