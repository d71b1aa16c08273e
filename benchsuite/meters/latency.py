"""Evaluation speed of the reloaded model: batches timed one by one with the device settled between them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from ..nouns import Better, Kind, Measured, Metric, Phase, Role
from ..scene import Meter, Scene


def _latency(name: str, title: str, role: Role = Role.GATE) -> Metric:
    return Metric(
        name=name, unit="s", kind=Kind.WALL, concern="latency", title=title, better=Better.LOWER, relative=0.25,
        role=role,
    )  # fmt: skip


BATCH = _latency("latency.batch", "evaluation batch, median")
P95 = _latency("latency.batch.p95", "evaluation batch, 95th percentile", Role.EXPLAIN)
P99 = _latency("latency.batch.p99", "evaluation batch, 99th percentile", Role.EXPLAIN)
SAMPLE = _latency("latency.sample", "evaluation of one example")
THROUGHPUT = Metric(
    name="throughput.evaluate", unit="1/s", kind=Kind.WALL, concern="latency", title="examples evaluated a second",
    better=Better.HIGHER, relative=0.25,
)  # fmt: skip


class LatencyMeter(Meter):
    """Summarises `Scene.batch_seconds`."""

    name = "latency"
    metrics = (BATCH, P95, P99, SAMPLE, THROUGHPUT)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.EVALUATE or not scene.batch_seconds:
            return {}
        batches = tuple(scene.batch_seconds)
        per_sample = sum(batches) / len(scene.rows["validation"])
        return {
            BATCH.name: Measured(value=statistics.median(batches), samples=batches),
            P95.name: Measured(value=percentile(batches, 95)),
            P99.name: Measured(value=percentile(batches, 99)),
            SAMPLE.name: Measured(value=per_sample),
            THROUGHPUT.name: Measured(value=1 / per_sample),
        }


def percentile(values: tuple[float, ...], percent: int) -> float:
    """A percentile of at least one value, by linear interpolation."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


METER = LatencyMeter
