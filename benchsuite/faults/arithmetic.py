"""Faults of arithmetic in training: what is differentiated, what comes of it, and what an update makes of that."""

from __future__ import annotations

import importlib
from typing import Any

from benchsuite.faults._fault import BOTH, FP32, QLORA, Around, after, fault, of, with_arguments, wrap


@fault(
    "labels are smoothed though nobody asks for it",
    libraries=("torch", "transformers"), regimes=BOTH, seen_by=("optimizer.gradient",), word="cross-entropy",
)  # fmt: skip
def loss_smoothed() -> None:
    """By a tenth, inside the loss."""
    import torch

    with_arguments(torch.nn.functional, "cross_entropy", label_smoothing=0.1)


@fault(
    "the loss is summed over a batch's rows, not averaged",
    libraries=("transformers", "torch"), regimes=BOTH, seen_by=("optimizer.gradient",), word="cross-entropy",
)  # fmt: skip
def loss_summed() -> None:
    """Ask for the sum in every call."""
    import torch

    with_arguments(torch.nn.functional, "cross_entropy", reduction="sum")


@fault(
    "gradients are twice the loss's; the loss that is logged is right",
    libraries=("accelerate",), regimes=BOTH, seen_by=("optimizer.gradient",), word="gradient is x2",
)  # fmt: skip
def gradients_doubled() -> None:
    """Double what is sent backward."""
    from accelerate import Accelerator

    wrap(Accelerator, "backward", lambda call, self, loss, *args, **kwargs: call(self, loss * 2, *args, **kwargs))


@fault(
    "the loss that trains is of logits rounded to bfloat16",
    libraries=("transformers", "accelerate"), regimes=BOTH, seen_by=("optimizer.gradient",), word="cross-entropy",
)  # fmt: skip
def loss_of_rounded_logits() -> None:
    """Compute it anew in training."""
    import torch
    from transformers import Trainer

    def around(call: Around, trainer: Any, model: Any, inputs: Any, *_: Any, **kwargs: Any) -> Any:
        loss, output = call(trainer, model, inputs, **{**kwargs, "return_outputs": True})
        if model.training:
            loss = torch.nn.functional.cross_entropy(output.logits.bfloat16().float(), inputs["labels"])
        return (loss, output) if kwargs.get("return_outputs") else loss

    wrap(Trainer, "compute_loss", around)


@fault(
    "4-bit layers send half of the gradient back",
    libraries=("bitsandbytes",), regimes=QLORA, seen_by=("optimizer.backward",), word="64-bit arithmetic",
)  # fmt: skip
def backward_halved() -> None:
    """Halve what their backward pass returns."""
    import torch
    from bitsandbytes.autograd._functions import MatMul4Bit

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        return tuple(found * 0.5 if torch.is_tensor(found) else found for found in call(*args, **kwargs))

    wrap(MatMul4Bit, "backward", around)


@fault(
    "the first layer's adapters get no gradients",
    libraries=("peft", "transformers"), regimes=QLORA, seen_by=("optimizer.applied", "optimizer.gradients"),
    word="get no update",
)  # fmt: skip
def gradients_lost() -> None:
    """Drop them before the update."""
    from transformers import Trainer

    def around(call: Around, trainer: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        loss = call(trainer, model, *args, **kwargs)
        for name, parameter in model.named_parameters():
            if "layer.0." in name and "lora_A" in name:
                parameter.grad = None
        return loss

    wrap(Trainer, "training_step", around)


@fault(
    "gradients are clipped tensor by tensor, not all together",
    libraries=("accelerate", "torch"), regimes=BOTH, seen_by=("optimizer.clipping",), word="clip",
)  # fmt: skip
def clipping_by_tensor() -> None:
    """Clip each by itself."""
    from accelerate import Accelerator

    def around(call: Around, accelerator: Any, parameters: Any, norm: Any, *args: Any, **kwargs: Any) -> Any:
        norms = [call(accelerator, [p], norm, *args, **kwargs) for p in parameters if p.grad is not None]
        return norms[-1]

    wrap(Accelerator, "clip_grad_norm_", around)


@fault(
    "AdamW's decay goes through the gradient, as plain Adam's does",
    libraries=("torch",), regimes=QLORA, seen_by=("optimizer.formula",), word="AdamW",
)  # fmt: skip
def decay_coupled() -> None:
    """Ask the function beneath for it; the groups' settings stay."""
    # torch.optim takes the module's name off itself, so that it is had by its path only.
    with_arguments(importlib.import_module("torch.optim.adam"), "adam", decoupled_weight_decay=False)


@fault(
    "the rate is rounded to bfloat16 inside the update; the groups say what was asked for",
    libraries=("torch",), regimes=BOTH, seen_by=("optimizer.formula",), word="AdamW",
)  # fmt: skip
def rate_rounded() -> None:
    """Round it at the door of the function beneath."""
    import torch

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        return call(*args, **{**kwargs, "lr": float(torch.tensor(float(kwargs["lr"])).bfloat16())})

    wrap(importlib.import_module("torch.optim.adam"), "adam", around)


@fault(
    "the schedule reaches the first group only",
    libraries=("torch", "transformers"), regimes=BOTH, seen_by=("optimizer.groups*",), word="lr",
)  # fmt: skip
def rate_of_one_group() -> None:
    """Put the others back to where they began after each step of the schedule."""
    import torch

    def turn(schedule: Any) -> None:
        for group in schedule.optimizer.param_groups[1:]:
            group["lr"] = group["initial_lr"]

    after(torch.optim.lr_scheduler.LambdaLR, "step", turn, on_result=False)


@fault(
    "4-bit layers multiply in float32, whatever their compute dtype says",
    libraries=("bitsandbytes",), regimes=QLORA, seen_by=("model.products",), word="float16",
)  # fmt: skip
def computed_in_float32() -> None:
    """Turn the dtype for the length of each forward."""
    import bitsandbytes
    import torch

    def around(call: Around, layer: Any, *args: Any, **kwargs: Any) -> Any:
        said = layer.compute_dtype
        layer.compute_dtype = torch.float32
        try:
            return call(layer, *args, **kwargs)
        finally:
            layer.compute_dtype = said

    wrap(bitsandbytes.nn.Linear4bit, "forward", around)


@fault(
    "no gradient flows through the attention's residual",
    libraries=("transformers",), regimes=FP32, seen_by=("optimizer.backward.exact",), word="in 64 bits gradients of",
)  # fmt: skip
def residual_detached() -> None:
    """Detach it: the forward pass is as it was."""
    from transformers.models.bert.modeling_bert import BertSelfOutput

    wrap(BertSelfOutput, "forward", lambda call, layer, hidden, residual: call(layer, hidden, residual.detach()))


@fault(
    "checkpoints are recomputed with other masks of dropout",
    libraries=("torch",), regimes=QLORA, seen_by=("optimizer.backward.recomputed",), word="recompute",
)  # fmt: skip
def checkpoint_masks_lost() -> None:
    """Let them forget where the random generators stood."""
    from torch.utils.checkpoint import CheckpointFunction

    kept = False
    wrap(CheckpointFunction, "forward", lambda call, ctx, run, _, *args: call(ctx, run, kept, *args))


@fault(
    "GELU is approximate in the kernels of 32 and 16 bits only",
    libraries=("torch",), regimes=FP32, seen_by=("function.rounding",), word="rounds",
)  # fmt: skip
def gelu_fast() -> None:
    """Ask for tanh's but where 64 bits are asked for."""
    import torch

    def around(call: Around, inputs: Any, *_: Any, **__: Any) -> Any:
        return call(inputs, approximate="none" if inputs.dtype is torch.float64 else "tanh")

    wrap(torch.nn.functional, "gelu", around)


@fault(
    "gradients are rounded to bfloat16 before the update; their dtype says nothing of it",
    libraries=("accelerate", "torch"), regimes=FP32, seen_by=("optimizer.gradients.kept",), word="reach the update",
)  # fmt: skip
def gradients_rounded() -> None:
    """Round them where they are clipped, as a hook of communication does."""
    from accelerate import Accelerator

    def around(call: Around, accelerator: Any, parameters: Any, *args: Any, **kwargs: Any) -> Any:
        held = list(parameters)
        for parameter in held:
            if parameter.grad is not None:
                parameter.grad.copy_(parameter.grad.bfloat16())
        return call(accelerator, held, *args, **kwargs)

    wrap(Accelerator, "clip_grad_norm_", around)


@fault(
    "AdamW's bias correction stands still from the 64th update on",
    libraries=("torch",), regimes=BOTH, seen_by=("optimizer.formula.late",), word="late in training",
)  # fmt: skip
def bias_correction_stalls() -> None:
    """Count no further inside; the count that is kept goes on."""

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        counts = args[5]
        told = [count.clone() for count in counts]
        for count in counts:
            count.clamp_(max=64)
        call(*args, **kwargs)
        for count, before in zip(counts, told, strict=True):
            count.copy_(before + 1)

    wrap(importlib.import_module("torch.optim.adam"), "adam", around)


FAULTS = of(vars())
