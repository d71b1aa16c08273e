"""The files that training left: names, dtypes, shapes and bytes of the saved tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..nouns import JSON, Kind, Measured, Metric, Phase
from ..scene import Meter, Scene

TENSORS = Metric(name="saved.tensors", unit="", kind=Kind.EXACT, concern="fingerprint", title="tensors saved")
BYTES = Metric(name="saved.bytes", unit="B", kind=Kind.BYTES, concern="fingerprint", title="bytes saved")


class AdapterFileMeter(Meter):
    """Reads the safetensors headers of the saved folder."""

    name = "adapter_file"
    metrics = (TENSORS, BYTES)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.SAVE:
            return {}
        from safetensors import safe_open

        found: dict[str, JSON] = {}
        files = sorted(Path(scene.saved).glob("*.safetensors"))
        for file in files:
            with safe_open(str(file), framework="pt") as tensors:
                for name in sorted(tensors.keys()):
                    part = tensors.get_slice(name)
                    found[name] = f"{part.get_dtype()} {'x'.join(map(str, part.get_shape()))}"
        size = sum(file.stat().st_size for file in files)
        return {TENSORS.name: Measured(value=found), BYTES.name: Measured(value=size)}


METER = AdapterFileMeter
