"""How fast the host is: the same piece of work each time, which uses nothing that is guarded.

A step that is bound by the host slows down with it, however little the libraries changed. This says which it was.
Measured beside training and evaluation, never inside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from ..nouns import Better, Kind, Measured, Metric, Phase, Role
from ..scene import Meter, Scene

YARDSTICK = Metric(
    name="host.yardstick", unit="s", kind=Kind.WALL, concern="stack", title="a fixed piece of host work",
    better=Better.LOWER, role=Role.EXPLAIN, relative=0.25,
)  # fmt: skip
REPEATS = 5
ROUNDS = 12_000
"""About 5 ms of it."""
BESIDE = (Phase.TRAIN, Phase.EVALUATE)


class YardstickMeter(Meter):
    """Does the work before and after the phases that are timed."""

    name = "yardstick"
    metrics = (YARDSTICK,)

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def start(self, phase: Phase, scene: Scene) -> None:
        """See `Meter.start`."""
        if phase in BESIDE:
            self._measure(scene)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase not in BESIDE:
            return {}
        self._measure(scene)
        return {YARDSTICK.name: Measured(value=median(self.seconds), samples=tuple(self.seconds))}

    def _measure(self, scene: Scene) -> None:
        for _ in range(REPEATS):
            began = scene.clock.now()
            work()
            self.seconds.append(scene.clock.now() - began)


class _Box:
    def __init__(self, value: int) -> None:
        self.value = value

    def moved(self, by: int) -> _Box:
        return _Box(self.value + by)


def work() -> int:
    """Calls, objects, attributes and dictionaries: what a library's way to the device is made of."""
    seen: dict[int, _Box] = {}
    for i in range(ROUNDS):
        box = _Box(i).moved(i % 7)
        seen[box.value % 512] = box
    return sum(box.value for box in seen.values())


METER = YardstickMeter
