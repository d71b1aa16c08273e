"""Stand-ins for what a machine may lack: a GPU's driver library."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

NVML = '''"""A driver library that shows one GPU, which no torch here can use."""

from types import SimpleNamespace

NVML_ERROR_LIBRARY_NOT_FOUND, NVML_ERROR_DRIVER_NOT_LOADED = 12, 9


class NVMLError(Exception):
    value = 999


class NVMLError_NotSupported(NVMLError):
    value = 3


def nvmlInit(): ...
def nvmlShutdown(): ...
def nvmlDeviceGetCount(): return 1
def nvmlDeviceGetHandleByIndex(index): return index
def nvmlDeviceGetMemoryInfo(handle): return SimpleNamespace(total=15 << 30, free=14 << 30)
def nvmlDeviceGetUUID(handle): return "GPU-0000"
def nvmlDeviceGetName(handle): return "Tesla T4"
def nvmlDeviceGetComputeRunningProcesses(handle): return []
def nvmlDeviceGetCudaComputeCapability(handle): return (7, 5)
def nvmlSystemGetDriverVersion(): return "470.82.01"
'''
"""Source of a module `pynvml`, to lie first on a path."""

BROKEN_NVML = NVML.replace(
    "def nvmlInit(): ...",
    "def nvmlInit(): raise NVMLError('Driver/library version mismatch')",
)
"""The same where the driver does not answer."""


class NvmlError(Exception):
    """What a fake driver raises."""

    def __init__(self, value: int, text: str) -> None:
        super().__init__(text)
        self.value = value


class NvmlNotSupportedError(NvmlError):
    """What it raises of what it cannot tell; pynvml has one class for each code."""


def nvml(gpus: list[dict[str, Any]], **calls: Any) -> ModuleType:
    """A module `pynvml` that shows `gpus`; `calls` replace functions by their name without "nvml"."""
    module = ModuleType("pynvml")

    def named(uuid: str) -> dict[str, Any]:
        for gpu in gpus:
            if gpu["uuid"] == uuid:
                return gpu
        raise NvmlError(6, "Not Found")

    functions = {
        "Init": lambda: None,
        "Shutdown": lambda: None,
        "DeviceGetCount": lambda: len(gpus),
        "DeviceGetHandleByIndex": lambda i: gpus[i],
        "DeviceGetHandleByUUID": named,
        "DeviceGetMemoryInfo": lambda g: SimpleNamespace(total=g["memory"], free=g.get("free", g["memory"])),
        "DeviceGetUUID": lambda g: g["uuid"],
        "DeviceGetName": lambda g: g["name"],
        "DeviceGetComputeRunningProcesses": lambda g: [None] * g.get("processes", 0),
        "DeviceGetCudaComputeCapability": lambda g: g.get("capability", (9, 0)),
        "SystemGetDriverVersion": lambda: "580.95.05",
    } | calls
    for name, function in functions.items():
        setattr(module, f"nvml{name}", function)
    vars(module).update(NVMLError=NvmlError, NVMLError_NotSupported=NvmlNotSupportedError)
    vars(module).update(NVML_ERROR_LIBRARY_NOT_FOUND=12, NVML_ERROR_DRIVER_NOT_LOADED=9)
    return module
