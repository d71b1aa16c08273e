"""Whether gradients are clipped, and to what: the norm that reaches the optimizer under a limit that always bites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from .. import compat
from ..nouns import JSON
from ..scene import Scene
from ._probing import SessionMeter, exact

CLIPPING = exact("optimizer.clipping", "gradient clipping")
TIGHT = 1e-3
"""A limit far below any gradient norm of a model in training."""


class ClippingMeter(SessionMeter):
    """Trains one step under `TIGHT`; {"limit": the arguments' own, "held": norm over limit, two digits}."""

    name = "clipping"
    metrics = (CLIPPING,)

    def __init__(self) -> None:
        super().__init__()
        self.limit: float | None = None
        self.norm: float | None = None

    def instrument(self, scene: Scene) -> AbstractContextManager[Any]:
        """See `SessionMeter.instrument`."""
        return self._tight(scene.trainer)

    @contextmanager
    def _tight(self, trainer: Any) -> Iterator[None]:
        self.limit = trainer.args.max_grad_norm

        def look(optimizer: Any, *_: Any) -> None:
            self.norm = norm(p for group in optimizer.param_groups for p in group["params"])

        hook = compat.bare_optimizer(trainer.optimizer).register_step_pre_hook(look)
        trainer.args.max_grad_norm = TIGHT
        try:
            yield
        finally:
            trainer.args.max_grad_norm = self.limit
            hook.remove()

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        held = None if self.norm is None else round(self.norm / TIGHT, 2)
        return {CLIPPING.name: {"limit": self.limit, "held": held}}


def norm(parameters: Any) -> float:
    """Norm of all gradients together."""
    import torch

    norms = [p.grad.float().norm() for p in parameters if p.grad is not None]
    return float(torch.stack(norms).norm()) if norms else 0.0


METER = ClippingMeter
