"""The switches of torch that decide in which precision, and by which algorithms, it computes.

Read after training, as training left them. A switch that a version of torch lacks is left out; one that it
refuses to tell is recorded as such. torch 2.9 has its newer switches beside the old ones. Whether the processor
flushes denormals to zero has no switch to read, and a library built with -ffast-math sets it as it is imported: that
is tried out, on the host and in the thread that trains, whatever the device.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..nouns import JSON, Measured, Phase
from ..scene import Meter, Scene
from ._probing import exact

FLAGS = exact("model.precision_flags", "precision flags of torch", judge="values")
ATTRIBUTES = (
    "backends.cuda.matmul.allow_tf32", "backends.cuda.matmul.allow_fp16_reduced_precision_reduction",
    "backends.cuda.matmul.allow_bf16_reduced_precision_reduction", "backends.cuda.matmul.allow_fp16_accumulation",
    "backends.cudnn.allow_tf32", "backends.cudnn.enabled", "backends.cudnn.benchmark", "backends.cudnn.deterministic",
    "backends.mkldnn.enabled", "backends.mkldnn.deterministic", "backends.mkldnn.allow_tf32",
    "backends.fp32_precision", "backends.cuda.matmul.fp32_precision",
    "backends.cudnn.fp32_precision", "backends.cudnn.conv.fp32_precision", "backends.cudnn.rnn.fp32_precision",
    "backends.mkldnn.fp32_precision", "backends.mkldnn.matmul.fp32_precision",
    "backends.mkldnn.conv.fp32_precision", "backends.mkldnn.rnn.fp32_precision",
)  # fmt: skip
ABSENT = "absent"
CALLS = (
    "get_float32_matmul_precision", "get_default_dtype", "are_deterministic_algorithms_enabled",
    "is_deterministic_algorithms_warn_only_enabled", "is_anomaly_enabled", "is_grad_enabled",
    "is_inference_mode_enabled", "backends.cuda.flash_sdp_enabled", "backends.cuda.mem_efficient_sdp_enabled",
    "backends.cuda.math_sdp_enabled", "backends.cuda.cudnn_sdp_enabled",
    "backends.cuda.fp16_bf16_reduction_math_sdp_allowed",
)  # fmt: skip


FLUSHES = "flushes_denormals"
DENORMAL = 1e-40
"""Below float32's smallest normal number."""


class PrecisionMeter(Meter):
    """Looks once."""

    name = "precision"
    metrics = (FLAGS,)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        return {FLAGS.name: Measured(value=flags())} if phase is Phase.TRAIN else {}


def flags() -> dict[str, JSON]:
    """Every switch by its name below `torch`."""
    found = {name: _read(name, call=False) for name in ATTRIBUTES} | {name: _read(name, call=True) for name in CALLS}
    return {**{name: value for name, value in found.items() if value != ABSENT}, FLUSHES: flushes()}


def flushes() -> bool:
    """Whether the host takes numbers below the smallest normal one for zero."""
    import torch

    return float(torch.tensor(DENORMAL) * 1.0) == 0


def _read(name: str, *, call: bool) -> JSON:
    import torch

    thing: Any = torch
    try:
        for part in name.split("."):
            thing = getattr(thing, part)
        value = thing() if call else thing
    except (AttributeError, AssertionError):
        return ABSENT
    except RuntimeError as error:
        # torch 2.9 and later refuse to read an old switch after its new twin was set.
        return f"refused: {str(error).splitlines()[0][:80]}"
    return value if isinstance(value, bool | int | float | str | None) else str(value)


METER = PrecisionMeter
