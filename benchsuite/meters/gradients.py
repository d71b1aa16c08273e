"""Whether what is sent backward is the gradient of the batch's mean cross-entropy, and where gradients stand.

Clipping and AdamW hide a gradient that is too large by a factor, and a loss that is logged may be another
than the one that trains; here both are held against the logits and labels of one step. Covers sequence
classification with one label a row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .. import compat
from ..nouns import JSON
from ..scene import Scene
from ._probing import SessionMeter, apart, exact
from ._watch import cross_entropy

# Measured: 1 and 0 to the last digit kept in either regime, on CPUs and an H200, on transformers 4.57.6 and 5.23; 3e-4
# where logits are in float16, whose gradients round by 4.9e-4 at most. Logits rounded to bfloat16 make it 0.0017, label
# smoothing of 0.1 makes it 0.05.
LOSS = apart("optimizer.gradient", "loss and gradient against plain cross-entropy", absolute=1e-3)
STATE = exact("optimizer.gradients", "gradients at a step's begin and at its update")
BEGINS = ("none", "zero", "left over")


class GradientMeter(SessionMeter):
    """Looks at every step's begin, and into one step of its own."""

    name = "gradients"
    metrics = (LOSS, STATE)

    def __init__(self) -> None:
        super().__init__()
        self.begun: set[str] = set()
        self.dtypes: dict[str, JSON] = {}
        self.against: dict[str, JSON] = {}

    def begins(self, scene: Scene) -> None:
        """See `SessionMeter.begins`."""
        self.begun |= {standing(p) for p in scene.model.parameters() if p.requires_grad}

    @contextmanager
    def instrument(self, scene: Scene) -> Iterator[None]:
        """See `SessionMeter.instrument`."""
        seen: dict[str, Any] = {}

        def layer(_: Any, __: Any, output: Any) -> None:
            # Mixed precision hands a copy of the logits out: the loss hangs on those of the last layer.
            if getattr(output, "requires_grad", False) and output.ndim == 2:  # noqa: PLR2004 - rows x classes
                output.retain_grad()
                seen["layers"] = [*seen.get("layers", ()), output]

        def forward(_: Any, __: Any, kwargs: Mapping[str, Any], output: Any) -> None:
            if not output.logits.requires_grad:
                return
            output.logits.retain_grad()
            alike = [out for out in seen.pop("layers", ()) if out.shape == output.logits.shape]
            seen.update(labels=kwargs.get("labels"), logits=[output.logits, *alike[-1:]])

        def update(optimizer: Any, *_: Any) -> None:
            self.dtypes = dtypes(p for group in optimizer.param_groups for p in group["params"])

        leaves = [module for module in scene.model.modules() if not any(module.children())]
        hooks = (
            *(leaf.register_forward_hook(layer) for leaf in leaves),
            scene.model.register_forward_hook(forward, with_kwargs=True),
            compat.bare_optimizer(scene.trainer.optimizer).register_step_pre_hook(update),
        )
        try:
            with _returned(scene.trainer, seen):
                yield
        finally:
            for hook in hooks:
                hook.remove()
        reached = next((logits for logits in seen.get("logits", ()) if logits.grad is not None), None)
        self.against = against(
            labels=seen.get("labels"), logits=reached, loss=seen.get("loss"), scale=scale(scene.trainer)
        )

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        begin = [kind for kind in BEGINS if kind in self.begun]
        return {LOSS.name: self.against, STATE.name: {"at_begin": begin, "at_update": self.dtypes}}


@contextmanager
def _returned(trainer: Any, seen: dict[str, Any]) -> Iterator[None]:
    """Puts what `training_step` returns, the loss that is logged, into `seen`."""
    step = trainer.training_step

    def told(*args: Any, **kwargs: Any) -> Any:
        seen["loss"] = step(*args, **kwargs)
        return seen["loss"]

    trainer.training_step = told
    try:
        yield
    finally:
        del trainer.training_step


def scale(trainer: Any) -> float:
    """What a gradient scaler multiplies by on purpose."""
    scaler = getattr(trainer.accelerator, "scaler", None)
    return 1.0 if scaler is None else float(scaler.get_scale())


def standing(parameter: Any) -> str:
    """Whether a tensor has a gradient."""
    if parameter.grad is None:
        return "none"
    return "left over" if bool(parameter.grad.any()) else "zero"


def dtypes(parameters: Any) -> dict[str, JSON]:
    """Number of tensors by their gradient's dtype; "none" for those that got none."""
    counts = Counter("none" if p.grad is None else str(p.grad.dtype).removeprefix("torch.") for p in parameters)
    return dict(sorted(counts.items()))


def against(*, labels: Any, logits: Any, loss: Any, scale: float = 1.0) -> dict[str, JSON]:
    """Loss and gradient of the logits as multiples of plain cross-entropy's, and what of the gradient is none.

    Args:
        labels: One a row; None where the model was given none.
        logits: Rows x classes, with their gradient; None where no gradient reached any.
        loss: What the step returned.
        scale: What the loss was multiplied by before the backward pass.
    """
    import torch

    if labels is None or logits is None:
        return {"loss": None, "gradient": None, "rest": None}
    plain = logits.detach().double()
    wanted = (plain.softmax(-1) - torch.nn.functional.one_hot(labels, plain.shape[-1])) / len(labels)
    got = logits.grad.double() / scale
    share = float((got * wanted).sum() / (wanted * wanted).sum())
    rest = float((got - share * wanted).norm() / wanted.norm())
    mean = cross_entropy(plain, labels)
    return {
        "loss": round(float(torch.as_tensor(loss).detach()) / mean, 4),
        "gradient": round(share, 4),
        "rest": round(rest, 4),
    }


METER = GradientMeter
