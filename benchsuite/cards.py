"""What NVML tells of GPUs beyond `environment.gpus`: clocks, limits, who is there, and what CUDA the driver serves."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import psutil

from .condition import Card, Tenant
from .driver import Gpu, answering


def look(found: Sequence[Gpu]) -> tuple[tuple[Card, ...], tuple[int, int] | None]:
    """A card for each GPU, and the newest CUDA that the driver serves. What NVML does not tell is left out."""
    if not found:
        return (), None
    with answering() as nvml:
        serves = _ask(nvml, "nvmlSystemGetCudaDriverVersion_v2") or _ask(nvml, "nvmlSystemGetCudaDriverVersion")
        cards = tuple(_card(nvml, gpu) for gpu in found)
    return cards, (serves // 1000, serves % 1000 // 10) if serves else None


def _ask(nvml: Any, function: str, *arguments: Any) -> Any:
    """What NVML answers, or None: drivers, virtual GPUs and older bindings each lack some function."""
    try:
        return getattr(nvml, function)(*arguments)
    except (nvml.NVMLError, AttributeError):
        return None


def _card(nvml: Any, gpu: Gpu) -> Card:
    # By name: CUDA_VISIBLE_DEVICES may count otherwise than the driver.
    handle = _ask(nvml, "nvmlDeviceGetHandleByUUID", gpu.uuid)
    sm = getattr(nvml, "NVML_CLOCK_SM", 1)
    persistence = _ask(nvml, "nvmlDeviceGetPersistenceMode", handle)
    return Card(
        index=gpu.index, uuid=gpu.uuid, name=gpu.name, memory=gpu.memory, free=gpu.free,
        capability=gpu.capability, driver=gpu.driver, tenants=_tenants(nvml, handle),
        persistence=None if persistence is None else bool(persistence),
        throttle=_ask(nvml, "nvmlDeviceGetCurrentClocksThrottleReasons", handle) or 0,
        clocks=_pair(
            _ask(nvml, "nvmlDeviceGetApplicationsClock", handle, sm),
            _ask(nvml, "nvmlDeviceGetDefaultApplicationsClock", handle, sm),
        ),
        power=_pair(
            _ask(nvml, "nvmlDeviceGetEnforcedPowerLimit", handle),
            _ask(nvml, "nvmlDeviceGetPowerManagementDefaultLimit", handle),
        ),
    )  # fmt: skip


def _pair(now: int | None, default: int | None) -> tuple[int, int] | None:
    return (now, default) if now and default else None


def _tenants(nvml: Any, handle: Any) -> tuple[Tenant, ...]:
    found = _ask(nvml, "nvmlDeviceGetComputeRunningProcesses", handle) or ()
    above = {process.pid for process in psutil.Process().parents()}
    return tuple(
        _tenant(process.pid, process.usedGpuMemory, above) for process in found if process.pid != os.getpid()
    )  # fmt: skip


def _tenant(pid: int, memory: int | None, above: set[int]) -> Tenant:
    try:
        process = psutil.Process(pid)
        name, user = process.name(), process.username()
        ours = user == psutil.Process().username()
    except (psutil.Error, KeyError):
        # NVML counts in the host's numbers: in a container they mean nobody, or somebody else.
        name, user, ours = "", "", False
    return Tenant(pid=pid, name=name, user=user, memory=memory, ours=ours, ancestor=pid in above)
