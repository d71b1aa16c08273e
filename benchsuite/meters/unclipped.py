"""Whether gradients reach the update as the backward pass left them, under a limit of norms that never bites."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from .. import compat
from ..nouns import JSON
from ..scene import Scene
from ._probing import SessionMeter, apart
from .gradients import scale

# Measured under `tiny`: 1 and 0 to the last digit everywhere, since a factor of one leaves every bit. Rounding to
# bfloat16 makes 0.0015 of them something else.
KEPT = apart("optimizer.gradients.kept", "gradients at the update against those after backward", absolute=1e-4)
WIDE = 1e6
"""A limit far above any gradient norm of a model in training."""
Known = Mapping[int, Any]


class UnclippedMeter(SessionMeter):
    """Trains one step under `WIDE`; {"times": how often the gradient is there, "rest": share of anything else}."""

    name = "unclipped"
    metrics = (KEPT,)

    def __init__(self) -> None:
        super().__init__()
        self.after: dict[int, Any] = {}
        self.found: dict[str, JSON] = {"times": None, "rest": None}

    def instrument(self, scene: Scene) -> AbstractContextManager[Any]:
        """See `SessionMeter.instrument`."""
        return self._wide(scene.trainer)

    @contextmanager
    def _wide(self, trainer: Any) -> Iterator[None]:
        step, limit = trainer.training_step, trainer.args.max_grad_norm

        def training_step(model: Any, *args: Any, **kwargs: Any) -> Any:
            loss = step(model, *args, **kwargs)
            # Gradients add up over the batches of one update: those after the last are what counts.
            self.after = standing(model.parameters(), scale(trainer))
            return loss

        def look(optimizer: Any, *_: Any) -> None:
            self.found = against(self.after, (p for group in optimizer.param_groups for p in group["params"]))
            self.after = {}

        hook = compat.bare_optimizer(trainer.optimizer).register_step_pre_hook(look)
        trainer.training_step, trainer.args.max_grad_norm = training_step, WIDE
        try:
            yield
        finally:
            del trainer.training_step
            trainer.args.max_grad_norm = limit
            hook.remove()

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return {KEPT.name: self.found}


def standing(parameters: Iterable[Any], times: float) -> dict[int, Any]:
    """Copies of all gradients, by the tensor's id, without what a scaler multiplied them by."""
    return {id(p): p.grad.detach().clone().div_(times) for p in parameters if p.grad is not None}


def against(after: Known, parameters: Iterable[Any]) -> dict[str, JSON]:
    """All gradients together as a multiple of what they were, and what of them is none."""
    held = [p for p in parameters if id(p) in after]
    whole = sum(_product(after[id(p)], after[id(p)]) for p in held)
    if not whole:
        return {"times": None, "rest": None}
    times = sum(_product(after[id(p)], p.grad) for p in held if p.grad is not None) / whole
    rest = sum(_left(after[id(p)], p.grad, times) for p in held) / whole / max(1.0, times**2)
    return {"times": round(times, 6), "rest": round(rest**0.5, 6)}


def _product(one: Any, other: Any) -> float:
    return float((one.double() * other.double()).sum())


def _left(was: Any, now: Any, times: float) -> float:
    """Square of what of a gradient is no multiple of what it was; a gradient that is gone is zero."""
    left = times * was.double() if now is None else now.double() - times * was.double()
    return float(left.square().sum())


METER = UnclippedMeter
