"""What an update really is: how many each tensor got, what the groups obeyed at the end, and by which formula.

A step counter goes on whether weights move or not; the optimizer's own count of a tensor's updates does
not. The formula is tried on the optimizer of the probe's training, with given gradients and settings that
bite; only AdamW's is known here, other optimizers are told without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .. import compat
from ..nouns import JSON, Measured, Phase
from ..scene import Scene
from ._probing import SessionMeter, apart, exact, guarded
from .optimizer import describe

APPLIED = exact("optimizer.applied", "updates that each trained tensor got")
AFTER = exact("optimizer.groups.after", "optimizer and groups after training")
# Measured: 4e-6 at most in either regime on transformers 5.23. Decay that is coupled to the gradient
# is off by 0.01 and more, another beta or bias correction by 0.1.
FORMULA = apart("optimizer.formula", "an update against AdamW's formula", absolute=1e-3)
RATE, DECAY = 0.1, 0.5
"""Settings under which a decay done otherwise stands out of rounding."""


class UpdateMeter(SessionMeter):
    """Looks at the trial's own optimizer after training, and tries the probe's."""

    name = "updates"
    metrics = (APPLIED, AFTER, FORMULA)

    def __init__(self) -> None:
        super().__init__()
        self.off: Mapping[str, JSON] = {}

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is Phase.TRAIN:
            return guarded(lambda: after(compat.bare_optimizer(scene.trainer.optimizer)), (APPLIED, AFTER))
        return super().stop(phase, scene)

    def trained(self, scene: Scene) -> None:
        """See `SessionMeter.trained`."""
        self.off = formula(compat.bare_optimizer(scene.trainer.optimizer))

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return {FORMULA.name: dict(self.off)}


def after(optimizer: Any) -> dict[str, JSON]:
    """What is said of an optimizer that has trained, by metric name."""
    return {APPLIED.name: applied(optimizer), AFTER.name: describe(optimizer)}


def applied(optimizer: Any) -> dict[str, int]:
    """Number of tensors by how many updates they got; "untold" for all where the optimizer counts none."""
    tensors = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    steps = [optimizer.state.get(parameter, {}).get("step") for parameter in tensors]
    if all(step is None for step in steps):
        return {"untold": len(tensors)}
    return dict(sorted(Counter(str(int(step or 0)) for step in steps).items()))


def formula(optimizer: Any) -> dict[str, float]:
    """By group, how far a tensor's update lies from AdamW's, as a share of the update; empty for other optimizers."""
    if type(optimizer).__name__ != "AdamW":
        return {}
    tried = {f"group {i}": (g, p) for i, g in enumerate(optimizer.param_groups) if (p := _first(g)) is not None}
    with _biting(optimizer, [p for _, p in tried.values()]):
        wanted = {name: adamw(p, group, optimizer.state.get(p, {})) for name, (group, p) in tried.items()}
        before = {name: p.detach().double().clone() for name, (_, p) in tried.items()}
        optimizer.step()
        return {name: _off(p, wanted[name], before[name]) for name, (_, p) in tried.items()}


def _off(parameter: Any, wanted: Any, before: Any) -> float:
    return round(float((parameter.detach().double() - wanted).abs().max() / (wanted - before).abs().max()), 5)


def _first(group: Mapping[str, Any]) -> Any:
    """The group's first tensor whose rounding hides nothing."""
    import torch

    return next((p for p in group["params"] if p.requires_grad and p.dtype == torch.float32), None)


@contextmanager
def _biting(optimizer: Any, tensors: list[Any]) -> Iterator[None]:
    """`tensors` alone with gradients, under settings that bite; afterwards they and the settings are as before."""
    settings = [(group, group["lr"], group["weight_decay"]) for group in optimizer.param_groups]
    held = [(p, p.detach().clone()) for p in tensors]
    for group, _, decay in settings:
        group.update(lr=RATE, weight_decay=DECAY if decay else 0.0)
        for parameter in group["params"]:
            parameter.grad = None
    for parameter in tensors:
        parameter.grad = _gradient(parameter)
    try:
        yield
    finally:
        for group, rate, decay in settings:
            group.update(lr=rate, weight_decay=decay)
        for parameter, value in held:
            parameter.data.copy_(value)
            parameter.grad = None


def _gradient(parameter: Any) -> Any:
    import torch

    return (torch.arange(parameter.numel(), device=parameter.device).cos() * 0.1).view_as(parameter)


def adamw(parameter: Any, group: Mapping[str, Any], state: Mapping[str, Any]) -> Any:
    """What AdamW makes of a tensor and its gradient, in 64 bits."""
    gradient, value = parameter.grad.double(), parameter.detach().double()
    first, second = group["betas"]
    step = int(state.get("step", 0)) + 1
    mean = first * _state(state, "exp_avg", gradient) + (1 - first) * gradient
    square = second * _state(state, "exp_avg_sq", gradient) + (1 - second) * gradient**2
    root = (square / (1 - second**step)).sqrt() + group["eps"]
    return value * (1 - group["lr"] * group["weight_decay"]) - group["lr"] * mean / (1 - first**step) / root


def _state(state: Mapping[str, Any], name: str, like: Any) -> Any:
    return state[name].double() if name in state else 0 * like


METER = UpdateMeter
