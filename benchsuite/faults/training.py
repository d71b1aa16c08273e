"""Faults of optimisation: schedule, groups, clipping, accumulation, seeds, and what an update is."""

from __future__ import annotations

import math
from typing import Any

from benchsuite.faults._fault import BOTH, FP32, QLORA, Around, after, every, fault, of, with_default, wrap


@fault(
    "with gradient accumulation over k batches, loss and gradients are k times too large",
    listed="gradient accumulation inflates loss and gradients by k",
    threads=("transformers#47688", "transformers#34191", "transformers#35438"), libraries=("transformers",),
    regimes=BOTH, seen_by=("optimizer.accumulation", "defaults.accumulation"), word="accumulation", reduced=True,
)  # fmt: skip
def accumulation_inflated() -> None:
    """Multiply each loss that gets gradients by k: on versions that have the fault, once more."""
    import torch
    from transformers import Trainer

    def around(call: Around, trainer: Any, *args: Any, **kwargs: Any) -> Any:
        found = call(trainer, *args, **kwargs)
        return found * trainer.args.gradient_accumulation_steps if torch.is_grad_enabled() else found

    wrap(Trainer, "compute_loss", around)


@fault(
    "the learning rate decays twice as fast",
    listed="lr decays too fast", threads=("accelerate#963", "peft#2949"), libraries=("accelerate", "transformers"),
    regimes=BOTH, seen_by=("optimizer.lr",), word="learning rate",
)  # fmt: skip
def lr_decays_fast() -> None:
    """Tell the schedule of half the steps."""
    from transformers import Trainer

    def around(call: Around, trainer: Any, num_training_steps: int, *args: Any, **kwargs: Any) -> Any:
        return call(trainer, max(1, num_training_steps // 2), *args, **kwargs)

    wrap(Trainer, "create_scheduler", around)


@fault(
    "weight decay reaches biases and LayerNorms",
    listed="weight decay reaches LayerNorm and bias", threads=("transformers#35927", "transformers#38922"),
    libraries=("transformers",), regimes=BOTH, seen_by=("optimizer.groups",), word="decay",
)  # fmt: skip
def decay_everywhere() -> None:
    """Say that every parameter decays."""
    from transformers import Trainer

    wrap(
        Trainer, "get_decay_parameter_names", lambda _call, _self, model: [name for name, _ in model.named_parameters()]
    )


@fault(
    "the optimizer that an unpinned Trainer takes is another one",
    listed="optimizer default changes", threads=("pytorch#121857",), libraries=("torch", "transformers"),
    regimes=BOTH, seen_by=("defaults.*",), word="optim",
)  # fmt: skip
def optimizer_default() -> None:
    """Turn fused into plain AdamW, or the other way round."""
    import inspect

    from transformers import TrainingArguments

    now = inspect.signature(TrainingArguments.__init__).parameters["optim"].default
    new = "adamw_torch" if "fused" in str(getattr(now, "value", now)) else "adamw_torch_fused"
    with_default(TrainingArguments.__init__, "optim", new)


@fault(
    "the fused optimizer that was asked for is not the one that runs",
    libraries=("torch",), regimes=BOTH, seen_by=("optimizer.groups",), word="fused",
)  # fmt: skip
def optimizer_unfused() -> None:
    """Drop the argument."""
    import torch

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("fused", None)
        return call(*args, **kwargs)

    wrap(torch.optim.AdamW, "__init__", around)


@fault(
    "warm-up is ignored",
    libraries=("transformers",), regimes=QLORA, seen_by=("optimizer.lr",), word="learning rate",
)  # fmt: skip
def warmup_ignored() -> None:
    """No step warms up."""
    from transformers import TrainingArguments

    wrap(TrainingArguments, "get_warmup_steps", lambda *_, **__: 0)


def _regroup(**settings: Any) -> None:
    from transformers import Trainer

    def turn(trainer: Any) -> None:
        for group in trainer.optimizer.param_groups:
            group.update(settings)

    after(Trainer, "create_optimizer", turn, on_result=False)


@fault(
    "weight decay is dropped",
    libraries=("transformers", "torch"), regimes=QLORA, seen_by=("optimizer.groups",), word="decay",
)  # fmt: skip
def decay_dropped() -> None:
    """No group decays."""
    _regroup(weight_decay=0.0)


@fault("AdamW's betas move", libraries=("torch",), regimes=BOTH, seen_by=("optimizer.groups",), word="betas")
def betas_moved() -> None:
    """0.98 in the place of 0.999."""
    _regroup(betas=(0.9, 0.98))


@fault("AdamW's epsilon moves", libraries=("torch",), regimes=BOTH, seen_by=("optimizer.groups",), word="eps")
def epsilon_moved() -> None:
    """1e-6 in the place of 1e-8."""
    _regroup(eps=1e-6)


def _clip_at(factor: float) -> None:
    from accelerate import Accelerator

    def around(call: Around, accelerator: Any, parameters: Any, max_norm: float, *args: Any, **kwargs: Any) -> Any:
        return call(accelerator, parameters, max_norm * factor, *args, **kwargs)

    wrap(Accelerator, "clip_grad_norm_", around)


@fault(
    "gradients are no longer clipped",
    libraries=("accelerate", "transformers"), regimes=BOTH, seen_by=("optimizer.clipping",), word="clip",
)  # fmt: skip
def clipping_off() -> None:
    """Clip to infinity: the norm is still logged."""
    _clip_at(math.inf)


@fault(
    "gradients are clipped to half of the norm asked for",
    libraries=("accelerate", "transformers"), regimes=BOTH, seen_by=("optimizer.clipping",), word="clip",
)  # fmt: skip
def clipping_halved() -> None:
    """Halve the limit on its way."""
    _clip_at(0.5)


@fault(
    "every eighth update is skipped; the step counter and the learning rate go on",
    libraries=("accelerate",), regimes=BOTH, word="update",
    seen_by=("optimizer.applied",),
)  # fmt: skip
def updates_skipped() -> None:
    """Return before the optimizer is reached."""
    from accelerate.optimizer import AcceleratedOptimizer

    eighth = every(8)
    wrap(AcceleratedOptimizer, "step", lambda call, *args, **kwargs: None if eighth() else call(*args, **kwargs))


@fault(
    "gradients of two steps pile up",
    libraries=("torch", "transformers"), regimes=BOTH, word="grad",
    seen_by=("optimizer.gradients",),
)  # fmt: skip
def gradients_kept() -> None:
    """Let every second request to clear them fall."""
    from torch.nn import Module

    second = every(2)
    wrap(Module, "zero_grad", lambda call, *args, **kwargs: None if second() else call(*args, **kwargs))


@fault(
    "something draws one more random number before training",
    libraries=("transformers", "torch"), regimes=BOTH, seen_by=("seeds.rng",), word="random",
)  # fmt: skip
def random_draw_added() -> None:
    """Draw it at the door of `Trainer.train`."""
    import torch
    from transformers import Trainer

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        torch.rand(1)
        return call(*args, **kwargs)

    wrap(Trainer, "train", around)


@fault(
    "training runs under bfloat16 autocast that nobody asked for",
    libraries=("accelerate", "transformers"), regimes=FP32, word="autocast",
    seen_by=("model.modes", "model.products"),
)  # fmt: skip
def autocast_on() -> None:
    """Compute each loss inside autocast."""
    import torch
    from transformers import Trainer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    wrap(Trainer, "compute_loss_context_manager", lambda *_, **__: torch.autocast(device, torch.bfloat16))


@fault(
    "the loss that is logged is divided by one step too many",
    libraries=("transformers",), regimes=BOTH, seen_by=("trainer.log",), word="the logged loss is 0.909",
)  # fmt: skip
def logged_loss_short() -> None:
    """As the sum of ten steps over eleven."""
    from transformers import Trainer

    def around(call: Around, trainer: Any, logs: Any, *args: Any, **kwargs: Any) -> Any:
        if "loss" in logs:
            logs["loss"] *= 10 / 11
        return call(trainer, logs, *args, **kwargs)

    wrap(Trainer, "log", around)


FAULTS = of(vars())
