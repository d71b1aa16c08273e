"""Resident memory of the trial's process: after load, and its peak."""

from __future__ import annotations

import resource
from collections.abc import Mapping

from ..nouns import Better, Kind, Measured, Metric, Phase
from ..scene import Meter, Scene


def _ram(name: str, title: str) -> Metric:
    return Metric(
        name=name, unit="B", kind=Kind.WALL, concern="memory", title=title, better=Better.LOWER, relative=0.25
    )


LOADED = _ram("ram.after_load", "RAM after load")
PEAK = _ram("ram.peak", "RAM peak")


class RamMeter(Meter):
    """RSS by psutil; the peak by the kernel's own count."""

    name = "ram"
    metrics = (LOADED, PEAK)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        import psutil

        if phase is Phase.LOAD:
            return {LOADED.name: Measured(value=psutil.Process().memory_info().rss)}
        if phase is Phase.TEARDOWN:
            return {PEAK.name: Measured(value=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)}
        return {}


METER = RamMeter
