"""Probes machine and versions. The parent's half imports no torch and makes no CUDA context."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import distributions
from typing import Any

from .nouns import JSON, Device, Environment, SuiteError
from .versions import GUARDED, guarded

__all__ = [
    "GUARDED", "VARIABLES", "Gpu", "bare", "check_torch", "choose", "cpu_model", "describe", "ended", "gpus", "guarded",
    "machine_slug", "packages",
]  # fmt: skip

VARIABLES = (
    "ATEN_CPU_CAPABILITY", "CUBLAS_WORKSPACE_CONFIG", "CUDA_LAUNCH_BLOCKING", "MKL_NUM_THREADS", "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS", "PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
)  # fmt: skip
"""Environment variables that change numerics or memory."""


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
    """Every GPU that NVML sees; none where there is no NVIDIA driver.

    Raises:
        SuiteError: a driver is there and does not answer.
    """
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        absent = (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
        if getattr(error, "value", None) in absent:
            return ()
        raise SuiteError(f"the NVIDIA driver does not answer: {error}. Try `nvidia-smi`; a driver that was upgraded "
                         "under a running kernel needs a reboot.") from error  # fmt: skip
    try:
        return tuple(_gpu(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount()))
    except pynvml.NVMLError as error:
        raise SuiteError(f"the NVIDIA driver stopped answering: {error}. Try `nvidia-smi`.") from error
    finally:
        pynvml.nvmlShutdown()


def _gpu(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    return Gpu(
        index=index,
        uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
        name=_text(nvml.nvmlDeviceGetName(handle)),
        memory=memory.total,
        free=memory.free,
        processes=_processes(nvml, handle),
        capability=tuple(nvml.nvmlDeviceGetCudaComputeCapability(handle)),
        driver=_text(nvml.nvmlSystemGetDriverVersion()),
    )


def _processes(nvml: Any, handle: Any) -> int:
    try:
        return len(nvml.nvmlDeviceGetComputeRunningProcesses(handle))
    except nvml.NVMLError_NotSupported:
        # Virtual GPUs and Windows drivers tell nobody; the free memory has to do then.
        return 0


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def choose(found: tuple[Gpu, ...], wanted: str) -> Gpu:
    """The GPU that `wanted` names by index or UUID, or the emptiest.

    Raises:
        SuiteError: there is none of that name.
    """
    if not wanted:
        return max(found, key=lambda gpu: (-gpu.processes, gpu.free, -gpu.index))
    for gpu in found:
        if wanted in (str(gpu.index), gpu.uuid, f"cuda:{gpu.index}"):
            return gpu
    have = ", ".join(f"{gpu.index} ({gpu.name}, {gpu.uuid})" for gpu in found) or "none"
    raise SuiteError(f"no GPU {wanted!r} here (--suite-device). NVML sees: {have}.")


def machine_slug(gpu: Gpu | None) -> str:
    """Name of the machine: GPU name and memory in GiB, or the CPU's architecture."""
    if gpu is None:
        return f"cpu-{platform.machine().lower() or 'unknown'}"
    name = re.sub(r"[^a-z0-9]+", "-", gpu.name.lower()).strip("-")
    return f"{name}-{round(gpu.memory / 2**30)}gb"


TORCH_PROBE = """
import json, torch
try:
    torch.zeros(1, device="cuda")
    error = ""
except Exception as e:
    error = (str(e).strip().splitlines() or [type(e).__name__])[0]
print(json.dumps([torch.__version__, torch.version.cuda, error]))
"""


def check_torch(gpu: Gpu, executable: str = sys.executable) -> None:
    """Make one CUDA tensor in a process of its own.

    Raises:
        SuiteError: NVML sees the GPU and torch cannot use it; names driver, build and command.
    """
    import json

    env = {**os.environ, "CUDA_VISIBLE_DEVICES": gpu.uuid}
    done = subprocess.run([executable, "-c", TORCH_PROBE], env=env, capture_output=True, text=True, check=False)
    try:
        version, cuda, error = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        raise SuiteError(f"torch does not import: {ended(done)}. Reinstall torch in {executable}.") from None
    if error:
        build = f"built for CUDA {cuda}" if cuda else "a CPU build"
        raise SuiteError(
            f"the driver shows {gpu.name} (driver {gpu.driver}), but torch {version} ({build}) "
            f"cannot use it: {error.rstrip('.')}. "
            "Install a build of torch that this driver serves (`benchsuite doctor` names it), then check with: "
            'python -c "import torch; torch.zeros(1, device=0)"'
        )


def ended(done: subprocess.CompletedProcess[str]) -> str:
    """How a process that failed ended, in words."""
    if done.returncode < 0:
        return f"its process was killed by signal {-done.returncode}"
    return (done.stderr.strip().splitlines() or ["its process said nothing"])[-1].rstrip(".")


def packages() -> dict[str, str]:
    """Every installed distribution and its version, names normalised."""
    found: dict[str, str] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name:
            # The first of a name on sys.path is the one that is imported.
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), distribution.version)
    return dict(sorted(found.items()))


def cpu_model() -> str:
    """The CPU's own name, where the system tells it."""
    try:
        with open("/proc/cpuinfo") as lines:
            names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def describe(device: Device, machine: str) -> Environment:
    """The worker's own environment, torch imported: what its metrics may depend on, and notes.

    A GPU case's hardware names no CPU and a CPU case's no GPU: neither decides the other's numbers.
    """
    import torch

    python = ".".join(platform.python_version_tuple()[:2])
    hardware: dict[str, JSON] = {"python": python}
    if device is Device.CUDA:
        properties = torch.cuda.get_device_properties(0)
        hardware |= {
            "gpu": properties.name,
            "gpu_memory": f"{round(properties.total_memory / 2**30)} GiB",
            "capability": f"{properties.major}.{properties.minor}",
        }
    else:
        hardware |= {
            "cpu_arch": platform.machine(),
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "cpu_model": cpu_model(),
            "threads": torch.get_num_threads(),
        }
    return Environment(machine=machine, hardware=hardware, packages=packages(), notes=_notes(torch))


def _notes(torch: Any) -> dict[str, JSON]:
    return {
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version() if torch.backends.cudnn.is_available() else None,
        "driver": _driver(),
        "cpu_model": cpu_model(),
        "cpu_count": os.cpu_count(),
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }


def _driver() -> str | None:
    try:
        found = gpus()
    except SuiteError as error:
        return str(error)
    return found[0].driver if found else None


def bare(machine: str) -> Environment:
    """An environment for the record of a trial that died before it could look around."""
    return Environment(machine=machine, hardware={}, packages=packages(), notes={"python": platform.python_version()})
