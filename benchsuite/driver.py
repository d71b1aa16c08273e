"""GPUs as the driver's library, NVML, shows them: those that a program here may use, and the one to take.

Makes no CUDA context. CUDA_VISIBLE_DEVICES is honoured as CUDA would; NVML itself knows nothing of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from . import visible
from .nouns import SuiteError


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """One GPU as NVML shows it."""

    index: int
    uuid: str
    name: str
    memory: int
    """Bytes in all."""
    free: int
    """Bytes that nobody holds."""
    processes: int
    """Compute processes on it."""
    capability: tuple[int, int]
    driver: str


def gpus() -> tuple[Gpu, ...]:
    """Every GPU that a program here may use, numbered as CUDA does: all that NVML sees, or CUDA_VISIBLE_DEVICES' share.

    None where there is no NVIDIA driver.

    Raises:
        SuiteError: a driver is there and does not answer, or the variable's indices could mean other GPUs to CUDA.
    """
    with answering() as nvml:
        found = _installed(nvml)
        value = os.environ.get(visible.VARIABLE)
        if visible.ambiguous(value, [gpu.name for gpu in found], os.environ.get(visible.ORDER, "")):
            raise SuiteError(
                f"{visible.VARIABLE}={value} counts GPUs of different models, and CUDA may count them in another order "
                f"than the driver. Set {visible.ORDER}=PCI_BUS_ID, or name the GPUs by their UUIDs (nvidia-smi -L)."
            )
        known = {gpu.uuid: gpu for gpu in found}
        named = [known.get(name) or _mig(nvml, name) for name in visible.names(value, tuple(known))]
        return tuple(replace(gpu, index=i) for i, gpu in enumerate(takewhile(bool, named)) if gpu)


def installed() -> tuple[Gpu, ...]:
    """Every GPU that NVML sees, hidden or not, numbered as `nvidia-smi` does.

    Raises:
        SuiteError: a driver is there and does not answer.
    """
    with answering() as nvml:
        return _installed(nvml)


def _installed(nvml: Any) -> tuple[Gpu, ...]:
    if nvml is None:
        return ()
    return tuple(_gpu(nvml, nvml.nvmlDeviceGetHandleByIndex(i), i) for i in range(nvml.nvmlDeviceGetCount()))


@contextmanager
def answering() -> Iterator[Any]:
    """The driver's library, ready to be asked; None where there is no driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        absent = (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
        if getattr(error, "value", None) not in absent:
            raise SuiteError(
                f"the NVIDIA driver does not answer: {error}. Try `nvidia-smi`; a driver that was upgraded "
                "under a running kernel needs a reboot."
            ) from error
        yield None
        return
    try:
        yield pynvml
    except pynvml.NVMLError as error:
        raise SuiteError(f"the NVIDIA driver stopped answering: {error}. Try `nvidia-smi`.") from error
    finally:
        pynvml.nvmlShutdown()


def _mig(nvml: Any, name: str) -> Gpu | None:
    """The MIG device of that name, or None where the driver knows none."""
    try:
        handle = nvml.nvmlDeviceGetHandleByUUID(name)
        parent = nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle)
    except nvml.NVMLError:
        return None
    # The name as it was given: CUDA takes it, and older drivers write it otherwise.
    return replace(_gpu(nvml, handle, 0, of=parent), uuid=name)


def hidden() -> str:
    """Why no GPU can be used, in words: there is none, or CUDA_VISIBLE_DEVICES leaves none."""
    value, there = os.environ.get(visible.VARIABLE), len(installed())
    if value is None or not there:
        return "NVML finds no driver"
    return f"{visible.VARIABLE}={value!r} leaves none of the {there} that NVML finds"


def _gpu(nvml: Any, handle: Any, index: int, of: Any = None) -> Gpu:
    """The device of a handle; `of` is the GPU that a MIG device is a part of."""
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    return Gpu(
        index=index,
        uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
        name=_text(nvml.nvmlDeviceGetName(handle)),
        memory=memory.total,
        free=memory.free,
        processes=_processes(nvml, handle),
        capability=tuple(nvml.nvmlDeviceGetCudaComputeCapability(handle if of is None else of)),
        driver=_text(nvml.nvmlSystemGetDriverVersion()),
    )


def _processes(nvml: Any, handle: Any) -> int:
    try:
        return len(nvml.nvmlDeviceGetComputeRunningProcesses(handle))
    except nvml.NVMLError:
        # Virtual GPUs, Windows drivers and GPUs cut into parts do not tell everybody; the free memory has to do then.
        return 0


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def choose(found: tuple[Gpu, ...], wanted: str) -> Gpu:
    """The GPU that `wanted` names by index, UUID or MIG name, or the emptiest.

    Raises:
        SuiteError: there is none of that name.
    """
    if not wanted:
        return max(found, key=lambda gpu: (-gpu.processes, gpu.free, -gpu.index))
    limit = os.environ.get(visible.VARIABLE)
    for gpu in found:
        if wanted in (str(gpu.index), gpu.uuid, f"cuda:{gpu.index}"):
            return gpu
    if wanted.startswith(visible.MIG) and limit is None and (part := _part(wanted)):
        return part
    have = ", ".join(f"{gpu.index} ({gpu.name}, {gpu.uuid})" for gpu in found) or "none"
    seen = "NVML sees" if limit is None else f"{visible.VARIABLE}={limit} leaves"
    raise SuiteError(f"no GPU {wanted!r} here (--suite-device). {seen}: {have}.")


def _part(name: str) -> Gpu | None:
    with answering() as nvml:
        return _mig(nvml, name) if nvml is not None else None
