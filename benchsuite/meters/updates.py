"""What an update really is: how many each tensor got, what the groups obeyed at the end, and by which formula.

A step counter goes on whether weights move or not; the optimizer's own count of a tensor's updates does
not. The formula is tried on the optimizer of the probe's training, with given gradients and settings that
bite; only AdamW's is known here, other optimizers are told without it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .. import compat
from ..nouns import JSON, Measured, Phase
from ..scene import Scene
from ._probing import SessionMeter, apart, exact, guarded, shown
from .optimizer import describe

State = Mapping[str, Any]

APPLIED = exact("optimizer.applied", "updates that each trained tensor got")
AFTER = exact("optimizer.groups.after", "optimizer and groups after training")
STATE = exact("optimizer.state", "what the optimizer keeps of each tensor")
# Measured: 4e-6 at most on CPUs, in every regime, on transformers 4.57.6 and 5.23, early and late, and moments 5e-7
# off; on an H200 1e-5, late 7e-6, moments 1.3e-5: what 1 - beta rounds to in 32 bits. Decay that is coupled to the
# gradient is off by 0.01 and more, another beta or bias correction by 0.1; moments or a rate that are rounded to
# bfloat16 by 0.002, a rate that is rounded to float16 by 3e-4.
FORMULA = apart("optimizer.formula", "an update against AdamW's formula", absolute=1e-4)
LATE = apart("optimizer.formula.late", "an update against AdamW's formula, late in training", absolute=1e-4)
MOMENTS = apart("optimizer.formula.moments", "moments after an update against AdamW's formula", absolute=1e-4)
OFF = shown("optimizer.formula.off", "tensors whose update is another")
RATE, DECAY = 0.1003113, 0.5
"""Settings under which a decay done otherwise stands out of rounding.

The rate lies midway between numbers of float16, and all but midway between bfloat16's: a rounded one is another.
"""
MANY = 5000
"""Updates after which bias correction has all but ended."""


class UpdateMeter(SessionMeter):
    """Looks at the trial's own optimizer after training, and tries the probe's."""

    name = "updates"
    metrics = (APPLIED, AFTER, STATE, FORMULA, LATE, MOMENTS, OFF)

    def __init__(self) -> None:
        super().__init__()
        self.found: Mapping[str, JSON] = {}

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is Phase.TRAIN:
            return guarded(lambda: after(compat.bare_optimizer(scene.trainer.optimizer)), (APPLIED, AFTER, STATE))
        return super().stop(phase, scene)

    def trained(self, scene: Scene) -> None:
        """See `SessionMeter.trained`."""
        optimizer = compat.bare_optimizer(scene.trainer.optimizer)
        early, late = tries(optimizer), tries(optimizer, updates=MANY)
        called = {id(p): name for name, p in scene.model.named_parameters()}
        off = {t.parameter for t in (*early, *late) if t.update > (FORMULA.absolute or 0.0)}
        self.found = {
            FORMULA.name: by_group(early),
            LATE.name: largest(t.update for t in late),
            MOMENTS.name: largest(t.moments for t in (*early, *late)),
            OFF.name: [name for i, name in called.items() if i in off],
        }

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return self.found


def after(optimizer: Any) -> dict[str, JSON]:
    """What is said of an optimizer that has trained, by metric name."""
    return {APPLIED.name: applied(optimizer), AFTER.name: describe(optimizer), STATE.name: kept(optimizer)}


def kept(optimizer: Any) -> dict[str, JSON]:
    """By name, in which dtypes for how many tensors something is kept; and bytes in all."""
    import torch

    found = [(name, value) for state in optimizer.state.values() for name, value in state.items()]
    dtypes: dict[str, Counter[str]] = {}
    for name, value in found:
        kind = str(value.dtype).removeprefix("torch.") if torch.is_tensor(value) else type(value).__name__
        dtypes.setdefault(str(name), Counter())[kind] += 1
    size = sum(value.numel() * value.element_size() for _, value in found if torch.is_tensor(value))
    return {"bytes": size, **{name: dict(sorted(counts.items())) for name, counts in sorted(dtypes.items())}}


def applied(optimizer: Any) -> dict[str, int]:
    """Number of tensors by how many updates they got; "untold" for all where the optimizer counts none."""
    tensors = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    steps = [optimizer.state.get(parameter, {}).get("step") for parameter in tensors]
    if all(step is None for step in steps):
        return {"untold": len(tensors)}
    return dict(sorted(Counter(str(int(step or 0)) for step in steps).items()))


@dataclass(frozen=True)
class Try:
    """How far one tensor's update lies from AdamW's."""

    group: str
    parameter: int
    """Its id."""
    update: float
    """As a share of the update."""
    moments: float
    """As a share of the moments."""


def largest(found: Iterable[float]) -> dict[str, JSON]:
    """The largest, NaN above all; null where there is none."""
    every = list(found)
    return {"largest": round(_most(every), 6) if every else None}


def _most(found: Iterable[float]) -> float:
    return max(found, key=lambda off: (math.isnan(off), off))


def formula(optimizer: Any) -> dict[str, JSON]:
    """By group, how far a tensor's update lies from AdamW's, as a share of the update; empty for other optimizers."""
    return by_group(tries(optimizer))


def by_group(found: Iterable[Try]) -> dict[str, JSON]:
    """The furthest update of each group."""
    groups: dict[str, list[float]] = {}
    for tried in found:
        groups.setdefault(tried.group, []).append(tried.update)
    return {group: round(_most(off), 5) for group, off in groups.items()}


def tries(optimizer: Any, updates: int | None = None) -> list[Try]:
    """One update of every tensor whose rounding hides nothing, all at once; none for other optimizers than AdamW.

    Args:
        optimizer: Left as it is found.
        updates: How many of them there shall have been; None for as many as there were.
    """
    import torch

    if type(optimizer).__name__ != "AdamW":
        return []
    chosen = [
        (f"group {i}", group, parameter)
        for i, group in enumerate(optimizer.param_groups)
        for parameter in group["params"]
        if parameter.requires_grad and parameter.dtype == torch.float32
    ]
    with _biting(optimizer, [p for _, _, p in chosen], updates) as before:
        optimizer.step()
        return [
            Try(name, id(p), *_off(p, optimizer.state.get(p, {}), group, *held))
            for (name, group, p), held in zip(chosen, before, strict=True)
        ]


def _off(parameter: Any, after_: State, group: State, value: Any, state: State) -> tuple[float, float]:
    wanted, moments = adamw(value, parameter.grad, group, state)
    update = _far(parameter.detach(), wanted, (wanted - value.double()).abs().max())
    return update, max(
        (_far(after_[name], m, m.abs().max()) for name, m in moments.items() if name in after_), default=0
    )


def _far(got: Any, wanted: Any, size: Any) -> float:
    return float((got.double() - wanted).abs().max() / size)


@contextmanager
def _biting(optimizer: Any, tensors: list[Any], updates: int | None) -> Iterator[list[tuple[Any, State]]]:
    """`tensors` alone with gradients, under settings that bite; yields their values and states.

    Afterwards they, their states and the settings are as before.
    """
    settings = [(group, group["lr"], group["weight_decay"]) for group in optimizer.param_groups]
    held = [(p, p.detach().clone(), _copy(optimizer.state.get(p, {}))) for p in tensors]
    for group, _, decay in settings:
        group.update(lr=RATE, weight_decay=DECAY if decay else 0.0)
        for parameter in group["params"]:
            parameter.grad = None
    for parameter in tensors:
        parameter.grad = _gradient(parameter)
        step = optimizer.state.get(parameter, {}).get("step")
        if updates is not None and hasattr(step, "fill_"):
            step.fill_(updates)
    try:
        yield [(value, {**state, **_step(optimizer.state.get(p, {}))}) for p, value, state in held]
    finally:
        for group, rate, decay in settings:
            group.update(lr=rate, weight_decay=decay)
        for parameter, value, state in held:
            parameter.data.copy_(value)
            parameter.grad = None
            if state:
                optimizer.state[parameter].update(state)
            else:
                optimizer.state.pop(parameter, None)


def _copy(state: State) -> dict[str, Any]:
    return {name: value.clone() if hasattr(value, "clone") else value for name, value in state.items()}


def _step(state: State) -> dict[str, int]:
    return {"step": int(state["step"])} if "step" in state else {}


def _gradient(parameter: Any) -> Any:
    """Laid out as the parameter, as backward passes do: fused kernels go through both in the order of memory."""
    import torch

    values = torch.arange(parameter.numel(), device=parameter.device).cos() * 0.1
    return torch.empty_like(parameter.detach()).copy_(values.view(parameter.shape))


def adamw(value: Any, gradient: Any, group: State, state: State) -> tuple[Any, dict[str, Any]]:
    """What AdamW makes of a tensor, its gradient and the moments it keeps, in 64 bits: the tensor and the moments."""
    gradient, value = gradient.double(), value.double()
    first, second = group["betas"]
    step = int(state.get("step", 0)) + 1
    mean = first * _state(state, "exp_avg", gradient) + (1 - first) * gradient
    square = second * _state(state, "exp_avg_sq", gradient) + (1 - second) * gradient**2
    root = (square / (1 - second**step)).sqrt() + group["eps"]
    decayed = value * (1 - group["lr"] * group["weight_decay"])
    return decayed - group["lr"] * mean / (1 - first**step) / root, {"exp_avg": mean, "exp_avg_sq": square}


def _state(state: Mapping[str, Any], name: str, like: Any) -> Any:
    return state[name].double() if name in state else 0 * like


METER = UpdateMeter
