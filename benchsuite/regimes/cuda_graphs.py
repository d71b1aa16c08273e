"""Training steps recorded once for each shape of batch, and replayed: the host launches one thing a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..nouns import Device, Setting, Transform


@dataclass(frozen=True)
class CudaGraphs(Transform):
    """Forward and backward pass as CUDA graphs. Does nothing on a CPU, which launches nothing.

    `torch.compile` was weighed and left out: compiling a BERT takes longer, for each shape, than this saves
    in a training of some thousand steps; recording takes two steps' time.
    """

    sealed = True

    def trainer(self, base: Any, setting: Setting) -> Any:
        """See `Transform.trainer`."""
        if setting.device is not Device.CUDA:
            return base
        from ..graphs import replaying

        return replaying(base)
