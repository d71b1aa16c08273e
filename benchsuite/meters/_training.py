"""What meters share that send gradients through a model of their own accord. Not a meter itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..nouns import JSON
from ..scene import Scene
from .twin import FLOOR, SIZE, along

KEEPING = 1e-12
"""A share under which dropout takes its way, and drops nothing: one less it rounds to one in 32 bits."""
DEPTH = 0.2
"""Of the masks that stand in for those that are drawn."""
LEAST = 0.05
"""Distance of one tensor's gradient from which on it is told by name."""

Gradients = Mapping[str, Any]
Distances = Mapping[str, tuple[float, float]]


@contextmanager
def apart_from_chance(scene: Scene) -> Iterator[None]:
    """Random generators are afterwards where they were before."""
    import torch

    with torch.random.fork_rng(devices=[torch.device(scene.device)] if scene.on_cuda else []):
        yield


@contextmanager
def training(model: Any) -> Iterator[None]:
    """`model` in training mode; afterwards each module is as it was."""
    modes = [(module, module.training) for module in model.modules()]
    model.train()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def keeping_all(model: Any, share: float) -> Iterator[None]:
    """Every dropout of `model` drops `share`, wherever it is written: in modules, attributes, configurations."""
    owners = {id(owner): owner for module in model.modules() for owner in (module, getattr(module, "config", None))}
    held = [(owner, name, value) for owner in owners.values() for name, value in _shares(owner)]
    for owner, name, _ in held:
        setattr(owner, name, share)
    try:
        yield
    finally:
        for owner, name, value in held:
            setattr(owner, name, value)


def _shares(owner: Any) -> list[tuple[str, float]]:
    import torch

    drops = isinstance(owner, torch.nn.Dropout)
    return [
        (name, value)
        for name, value in getattr(owner, "__dict__", {}).items()
        if ("dropout" in name or (drops and name == "p")) and isinstance(value, float) and 0 < value < 1
    ]


@contextmanager
def masking(model: Any) -> Iterator[None]:
    """What leaves a dropout module is multiplied by a mask that no chance draws: it tells where the module acts."""
    import torch

    def mask(_: Any, __: Any, output: Any) -> Any:
        return output * (1 + along(output.new_empty(output.shape[-1])) / SIZE * DEPTH)

    hooks = [module.register_forward_hook(mask) for module in model.modules() if isinstance(module, torch.nn.Dropout)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def batch(scene: Scene, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """`inputs` with labels: each in its turn, the first one more often.

    Of as many of each the gradient of a head's bias would be next to none, and in half precision nothing but rounding.
    """
    import torch

    rows, many = len(next(iter(inputs.values()))), len(scene.labels)
    return {**inputs, "labels": torch.arange(rows, device=scene.device) % (many + 1) % many}


def learnt(model: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Gradients of the model's own loss by trained tensor; one that gets none has zeros.

    By `backward`, as training has them: `torch.autograd.grad` does not pass through reentrant checkpoints.
    """
    import torch

    held = {name: p for name, p in model.named_parameters() if p.requires_grad}
    try:
        model(**inputs).loss.backward()
        return {name: torch.zeros_like(p) if p.grad is None else p.grad.detach() for name, p in held.items()}
    finally:
        for p in held.values():
            p.grad = None


def distances(own: Gradients, wanted: Gradients) -> dict[str, tuple[float, float]]:
    """By tensor, of the wanted gradient how many times it is there, and how far off all of it lies, relatively.

    Relative to the wanted gradient, or to a share of the largest where it is smaller (see `FLOOR`).
    """
    norms = {name: float(w.double().norm()) for name, w in wanted.items()}
    floor = FLOOR * max(norms.values(), default=0.0)
    return {name: _distance(own[name].double(), w.double(), max(norms[name], floor)) for name, w in wanted.items()}


def _distance(own: Any, wanted: Any, norm: float) -> tuple[float, float]:
    if not norm:
        return 1.0, 0.0 if not float(own.norm()) else math.inf
    whole = float((wanted * wanted).sum())
    times = float((own * wanted).sum()) / whole if whole else 1.0
    return times, float((own - wanted).norm()) / norm


def summary(found: Distances) -> dict[str, JSON]:
    """How far off the tensor is that is furthest, and how far most are; nulls where nothing trains."""
    far = sorted((off for _, off in found.values()), key=lambda off: (math.isnan(off), off))
    if not far:
        return {"largest": None, "typical": None}
    return {"largest": rounded(far[-1]), "typical": rounded(far[len(far) // 2])}


def standing_out(found: Distances) -> dict[str, JSON]:
    """Tensors whose gradients are off by `LEAST` and more: how many times the wanted one they are, and how far off."""
    return {name: [rounded(times), rounded(off)] for name, (times, off) in found.items() if not off < LEAST}


def rounded(number: float) -> float:
    """Three digits; the last ones are of no interest and would only make records long."""
    return float(f"{number:.3g}")


def told(values: Iterable[Any]) -> list[float]:
    """Numbers of tensors, nine places long."""
    return [round(float(value), 9) for value in values]
