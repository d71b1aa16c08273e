"""Probes machine and versions. The parent's half imports no torch and makes no CUDA context."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import distributions
from typing import Any

from .driver import Gpu, choose, gpus, hidden, installed
from .freeze import NEEDS
from .needs import needs
from .nouns import JSON, Device, Environment, SuiteError
from .versions import GUARDED, guarded

__all__ = [
    "GUARDED", "VARIABLES", "Gpu", "bare", "check_torch", "choose", "cpu_model", "describe", "ended", "gpus", "guarded",
    "hidden", "installed", "machine_slug", "packages", "threads",
]  # fmt: skip

VARIABLES = (
    "ATEN_CPU_CAPABILITY", "CUBLAS_WORKSPACE_CONFIG", "CUDA_LAUNCH_BLOCKING", "MKL_NUM_THREADS", "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS", "PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
)  # fmt: skip
"""Environment variables that change numerics or memory."""


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


@cache
def threads() -> int:
    """Threads of torch as they were when first asked: by a worker, before any other library is imported."""
    import torch

    return int(torch.get_num_threads())


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
            "threads": threads(),
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
        NEEDS: list(needs()),
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }


def _driver() -> str | None:
    try:
        # The trial's own variable hides all GPUs but its own.
        found = installed()
    except SuiteError as error:
        return str(error)
    return found[0].driver if found else None


def bare(machine: str) -> Environment:
    """An environment for the record of a trial that died before it could look around."""
    return Environment(machine=machine, hardware={}, packages=packages(), notes={"python": platform.python_version()})
