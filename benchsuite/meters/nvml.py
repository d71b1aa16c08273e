"""The GPU as its driver sees it during training: use, clocks, heat, reasons to slow down, energy.

Sampled twice a second from a thread of its own; NVML refreshes its figures no faster than every
20-100 ms, so that windows under a few seconds read noise and energy is then left out.
"""

from __future__ import annotations

import os
import statistics
import threading
from collections.abc import Mapping
from typing import Any

from ..nouns import JSON, Better, Kind, Measured, Metric, Phase, Role
from ..scene import Meter, Scene

INTERVAL = 0.5
SHORTEST_ENERGY_WINDOW = 5.0


def _shown(name: str, unit: str, title: str) -> Metric:
    return Metric(name=name, unit=unit, kind=Kind.WALL, concern="device", title=title, role=Role.EXPLAIN)


ENERGY = Metric(
    name="energy.train", unit="J", kind=Kind.WALL, concern="training", title="energy of training",
    better=Better.LOWER, relative=0.25,
    may_lack=f"a training under {SHORTEST_ENERGY_WINDOW:.0f} s has none, the driver's counter is too coarse",
)  # fmt: skip
UTILISATION = _shown("nvml.utilisation", "%", "GPU utilisation, mean")
SM_CLOCK = _shown("nvml.sm_clock", "MHz", "SM clock, median")
MEMORY_CLOCK = _shown("nvml.memory_clock", "MHz", "memory clock, median")
TEMPERATURE = _shown("nvml.temperature", "C", "GPU temperature, highest")
POWER = _shown("nvml.power", "W", "power draw, mean")
THROTTLE = Metric(
    name="nvml.throttle_reasons", unit="1", kind=Kind.WALL, concern="device", title="throttle reasons seen, bit mask",
    role=Role.EXPLAIN, judge="shown",
)  # fmt: skip
PROCESS = _shown("nvml.process_memory", "B", "GPU memory of the process, context included")


class NvmlMeter(Meter):
    """Watches the one device that the trial sees while it trains. Yields nothing on the CPU."""

    name = "nvml"
    metrics = (ENERGY, UTILISATION, SM_CLOCK, MEMORY_CLOCK, TEMPERATURE, POWER, THROTTLE, PROCESS)
    early = True

    def __init__(self) -> None:
        self.watch: Watch | None = None

    def start(self, phase: Phase, scene: Scene) -> None:
        """See `Meter.start`."""
        if phase is Phase.TRAIN and scene.on_cuda:
            self.watch = Watch()
            self.watch.start()

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.TRAIN or self.watch is None:
            return {}
        found = self.watch.finish(scene.seconds["time.train"])
        return {name: Measured(value=value) for name, value in found.items()}


class Watch(threading.Thread):
    """Samples one device until told to finish. What a driver does not answer is left out."""

    def __init__(self) -> None:
        super().__init__(daemon=True, name="nvml-watch")
        import pynvml

        self.nvml = pynvml
        pynvml.nvmlInit()
        self.handle = _own_device(pynvml)
        self.done = threading.Event()
        self.samples: dict[str, list[float]] = {}
        self.joules = self._ask("nvmlDeviceGetTotalEnergyConsumption")

    def run(self) -> None:
        """Sample at once, then every `INTERVAL` seconds."""
        while True:
            self._sample()
            if self.done.wait(INTERVAL):
                return

    def _ask(self, function: str, *more: Any) -> Any:
        try:
            return getattr(self.nvml, function)(self.handle, *more)
        except self.nvml.NVMLError:
            return None

    def _sample(self) -> None:
        use = self._ask("nvmlDeviceGetUtilizationRates")
        power = self._ask("nvmlDeviceGetPowerUsage")
        answers = {
            UTILISATION.name: None if use is None else use.gpu,
            SM_CLOCK.name: self._ask("nvmlDeviceGetClockInfo", self.nvml.NVML_CLOCK_SM),
            MEMORY_CLOCK.name: self._ask("nvmlDeviceGetClockInfo", self.nvml.NVML_CLOCK_MEM),
            TEMPERATURE.name: self._ask("nvmlDeviceGetTemperature", self.nvml.NVML_TEMPERATURE_GPU),
            POWER.name: None if power is None else power / 1e3,
            THROTTLE.name: self._ask("nvmlDeviceGetCurrentClocksThrottleReasons"),
        }
        for name, value in answers.items():
            if value is not None:
                self.samples.setdefault(name, []).append(value)

    def finish(self, seconds: float) -> dict[str, JSON]:
        """Stop sampling; the summary by metric name."""
        self.done.set()
        self.join()
        found: dict[str, JSON] = {name: _summary(name, values) for name, values in self.samples.items()}
        joules = self._ask("nvmlDeviceGetTotalEnergyConsumption")
        if joules is not None and self.joules is not None and seconds >= SHORTEST_ENERGY_WINDOW:
            found[ENERGY.name] = (joules - self.joules) / 1e3
        mine = [p for p in self._ask("nvmlDeviceGetComputeRunningProcesses") or () if p.pid == os.getpid()]
        if mine and mine[0].usedGpuMemory is not None:
            found[PROCESS.name] = mine[0].usedGpuMemory
        self.nvml.nvmlShutdown()
        return found


def _summary(name: str, values: list[float]) -> float:
    if name == THROTTLE.name:
        mask = 0
        for value in values:
            mask |= int(value)
        return mask
    if name == TEMPERATURE.name:
        return max(values)
    return statistics.median(values) if name in (SM_CLOCK.name, MEMORY_CLOCK.name) else statistics.fmean(values)


def _own_device(nvml: Any) -> Any:
    """Handle of the device that this process was given: a UUID or MIG name in CUDA_VISIBLE_DEVICES, else the first."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    if visible.startswith(("GPU-", "MIG-")):
        return nvml.nvmlDeviceGetHandleByUUID(visible)
    return nvml.nvmlDeviceGetHandleByIndex(int(visible) if visible.isdigit() else 0)


METER = NvmlMeter
