"""Time to import the libraries, as the worker saw it before anything else was done."""

from __future__ import annotations

from collections.abc import Mapping

from ..nouns import Better, Kind, Measured, Metric, Phase
from ..scene import Meter, Scene

TIME = Metric(
    name="time.import", unit="s", kind=Kind.WALL, concern="load", title="import of the libraries", better=Better.LOWER,
    relative=0.5,
)  # fmt: skip


class ImportMeter(Meter):
    """Hands on what the worker noted in `Scene.seconds`."""

    name = "imports"
    metrics = (TIME,)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.LOAD or TIME.name not in scene.seconds:
            return {}
        return {TIME.name: Measured(value=scene.seconds[TIME.name])}


METER = ImportMeter
