"""What the trial ran on, for explanations: versions, torch's build, variables, and modules imported.

Taken before any probe, so that the modules are those that training and evaluation brought in.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Mapping

from .. import environment
from ..nouns import JSON, Measured, Phase
from ..scene import Meter, Scene
from ._probing import shown

PACKAGES = shown("stack.packages", "versions of what can matter")
TORCH = shown("stack.torch", "how torch was built")
VARIABLES = shown("stack.variables", "environment variables")
MODULES = shown("stack.modules", "modules imported, by package")
MATTERING = (
    *environment.GUARDED, "numpy", "scipy", "safetensors", "huggingface-hub", "pyarrow", "pandas", "scikit-learn",
    "triton", "kernels", "flash-attn", "xformers", "apex", "deepspeed", "mkl", "intel-openmp", "packaging", "psutil",
)  # fmt: skip
PREFIXES = ("nvidia-", "intel-extension", "torchao", "liger")
NUMERIC = re.compile(
    r"^(ATEN_|CUBLAS|CUDNN_|CUDA_LAUNCH|CUDA_DEVICE_MAX|CUDA_MODULE|NVIDIA_TF32|TORCH_|PYTORCH_|TORCHINDUCTOR_|OMP_|"
    r"MKL_|KMP_|OPENBLAS_|DNNL_|ONEDNN_|BNB_|BITSANDBYTES_|ACCELERATE_|TRANSFORMERS_|NCCL_|HF_HUB_OFFLINE|"
    r"TOKENIZERS_PARALLELISM|PYTHONHASHSEED|USE_TORCH|DISABLE_)"
)
SECRET = re.compile(r"TOKEN(?!IZERS)|KEY|SECRET|PASSWORD")
"""Of names; tokenizers are none, though their name begins like one."""


class StackMeter(Meter):
    """Looks when the probe phase begins."""

    name = "stack"
    metrics = (PACKAGES, TORCH, VARIABLES, MODULES)

    def __init__(self) -> None:
        self.seen: dict[str, JSON] = {}

    def start(self, phase: Phase, scene: Scene) -> None:
        """See `Meter.start`."""
        if phase is Phase.PROBE:
            self.seen = {
                PACKAGES.name: mattering(environment.packages()),
                TORCH.name: torch_build(),
                VARIABLES.name: variables(os.environ),
                MODULES.name: imported(tuple(sys.modules)),
            }

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.PROBE:
            return {}
        return {name: Measured(value=value) for name, value in self.seen.items()}


def mattering(packages: Mapping[str, str]) -> dict[str, JSON]:
    """Those of the installed packages that can move a number."""
    return {name: v for name, v in packages.items() if name in MATTERING or name.startswith(PREFIXES)}


def torch_build() -> dict[str, JSON]:
    """Settings of torch's build by name, without compiler flags that hold folders."""
    import torch

    settings = dict(re.findall(r"(\w+)=([^,\n]+)", torch.__config__.show()))
    kept = {name: text.strip() for name, text in settings.items() if "/" not in text and not name.endswith("FLAGS")}
    return {
        "version": torch.__version__, "git": torch.version.git_version, "cuda": torch.version.cuda,
        "debug": torch.version.debug, **dict(sorted(kept.items())),
    }  # fmt: skip


def variables(environ: Mapping[str, str]) -> dict[str, JSON]:
    """Variables that change numbers or memory; a value that holds a folder is "set", and none that is a secret."""
    names = sorted(name for name in environ if NUMERIC.match(name) and not SECRET.search(name))
    return {name: "set" if "/" in environ[name] or "\\" in environ[name] else environ[name] for name in names}


def imported(modules: tuple[str, ...]) -> dict[str, JSON]:
    """How many modules of each top-level package have been imported; our own are left out."""
    found = Counter(name.partition(".")[0] for name in modules)
    found.pop(__name__.partition(".")[0], None)
    return dict(sorted(found.items()))


METER = StackMeter
