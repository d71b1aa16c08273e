"""Watching forward passes from outside: what the model receives, in which mode, and in which dtypes it answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..nouns import JSON
from ..scene import Scene

BATCHES = 2
"""Full batches of an evaluation that is watched."""
REST = 3
"""Rows of its last batch, which is not full."""
Batch = dict[str, Any]


@dataclass
class Watch:
    """What was seen of the forward passes of one model."""

    batches: list[Batch] = field(default_factory=list)
    modes: dict[str, JSON] = field(default_factory=dict)
    answers: dict[str, set[str]] = field(default_factory=dict)

    @contextmanager
    def on(self, model: Any) -> Iterator[None]:
        """Look at each forward pass of `model` inside."""
        hooks = [model.register_forward_pre_hook(self._received, with_kwargs=True)]
        leaves = [module for module in model.modules() if not any(module.children())]
        hooks += [leaf.register_forward_hook(self._answered) for leaf in leaves]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _received(self, model: Any, args: Any, kwargs: Mapping[str, Any]) -> None:
        given = {**{f"argument {i}": value for i, value in enumerate(args)}, **kwargs}
        # Numbers that belong to no row come and go with versions.
        self.batches.append({name: value for name, value in given.items() if getattr(value, "shape", ())})
        self.modes.update(mode(model))

    def _answered(self, module: Any, args: Any, output: Any) -> None:
        given = next((value for value in args if hasattr(value, "dtype")), None)
        if hasattr(output, "dtype"):
            # Autocast may begin behind the model's door: accelerate wraps `forward`.
            self.modes["autocast"] = autocast(output.device.type, str(self.modes.get("autocast", "")))
            way = f"{_name(getattr(given, 'dtype', None))} -> {_name(output.dtype)}"
            self.answers.setdefault(type(module).__name__, set()).add(way)

    @property
    def dtypes(self) -> dict[str, JSON]:
        """From which dtypes to which each class of modules goes."""
        return {name: sorted(ways) for name, ways in sorted(self.answers.items())}


def _name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


def mode(model: Any) -> dict[str, JSON]:
    """Whether the modules train, and whether gradients are on."""
    import torch

    trains = {module.training for module in model.modules()}
    return {
        "trains": trains.pop() if len(trains) == 1 else "some modules",
        "gradients": torch.is_grad_enabled(),
    }


def autocast(device: str, before: str = "") -> str:
    """To what autocast is on, or "off"; with what it was before, where that is another."""
    import torch

    now = _name(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else "off"
    return now if before in {"", now} else ", ".join(sorted({*before.split(", "), now}))


def cross_entropy(logits: Any, labels: Any) -> float:
    """Mean over rows, written out: torch's own is among what is looked at."""
    chosen = logits.double().gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    return float((logits.double().logsumexp(-1) - chosen).mean())


def contents(batches: list[Batch]) -> dict[str, JSON]:
    """A digest of each column over batches: dtypes, shapes and values."""
    import torch

    found: dict[str, Any] = {}
    for batch in batches:
        for name, tensor in sorted(batch.items()):
            digest = found.setdefault(name, hashlib.sha256())
            value = tensor.detach().cpu().contiguous()
            digest.update(f"{value.dtype} {tuple(value.shape)} ".encode())
            digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return {name: digest.hexdigest()[:16] for name, digest in found.items()}


def once(batches: list[Batch]) -> list[Batch]:
    """`batches` without those that are their neighbour again: a second pass over the same rows is no other input."""
    return [b for before, b in zip([None, *batches], batches, strict=False) if before is None or not _same(before, b)]


def _same(one: Batch, other: Batch) -> bool:
    import torch

    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@dataclass(frozen=True)
class Evaluation:
    """What the Trainer says of a few rows of the validation set."""

    labels: Any
    logits: Any
    figures: Mapping[str, float]


def evaluate(scene: Scene) -> Evaluation:
    """Let the scene's Trainer evaluate its first rows, two batches and a rest, as it does after an epoch."""
    trainer, rows = scene.trainer, scene.rows["validation"]
    some = rows.select(range(min(len(rows), BATCHES * scene.case.profile.eval_batch + REST)))
    seen: list[Any] = []
    own = trainer.compute_metrics

    def look(predicted: Any) -> Any:
        seen.append(predicted)
        return own(predicted)

    trainer.compute_metrics = look
    try:
        figures = trainer.evaluate(eval_dataset=some)
    finally:
        trainer.compute_metrics = own
    if not seen:
        raise ValueError("the evaluation computed no figures from the rows it was given")
    logits, labels = seen[0]
    return Evaluation(labels=labels, logits=logits, figures=figures)
