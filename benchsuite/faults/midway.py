"""Faults of what an evaluation on the way leaves behind, and of what the real training alone shows."""

from __future__ import annotations

import copy
from typing import Any

from benchsuite.faults._fault import BOTH, QLORA, Around, fault, in_short_batches, of, wrap

FEW = 4
"""Rows of a last batch that a probe may have: it is left alone."""
HOOKS = 10
"""On each module."""


def _after_evaluation(act: Any) -> None:
    """Have `act(trainer)` called after each evaluation that comes while the model trains."""
    from transformers import Trainer

    def around(call: Around, trainer: Any, *args: Any, **kwargs: Any) -> Any:
        found = call(trainer, *args, **kwargs)
        if trainer.state.global_step:
            act(trainer)
        return found

    wrap(Trainer, "evaluate", around)


@fault(
    "after an evaluation gradient checkpointing is off",
    libraries=("transformers",), regimes=QLORA, word="checkpoint",
    seen_by=("model.after_training", "model.computes", "count.operators.step"),
)  # fmt: skip
def checkpointing_off_after_evaluation() -> None:
    """Switch it off in every module."""

    def off(trainer: Any) -> None:
        for module in trainer.model.modules():
            if hasattr(module, "gradient_checkpointing"):
                module.gradient_checkpointing = False

    _after_evaluation(off)


@fault(
    "after an evaluation dropout drops more",
    libraries=("transformers",), regimes=BOTH, seen_by=("model.after_training", "model.dropout.drawn"), word="0.15",
)  # fmt: skip
def dropout_raised_after_evaluation() -> None:
    """Set it to 0.15 wherever there is any."""
    import torch

    def more(trainer: Any) -> None:
        for module in trainer.model.modules():
            if isinstance(module, torch.nn.Dropout) and module.p:
                module.p = 0.15

    _after_evaluation(more)


@fault(
    "each evaluation leaves hooks on every module",
    libraries=("transformers", "accelerate"), regimes=BOTH, word="hooks",
    seen_by=("model.after_training", "count.python_calls.step"),
)  # fmt: skip
def hooks_left_by_evaluation() -> None:
    """Leave some that do nothing."""

    def hang(trainer: Any) -> None:
        for module in trainer.model.modules():
            for _ in range(HOOKS):
                module.register_forward_hook(lambda *_: None)

    _after_evaluation(hang)


@fault(
    "evaluation runs each batch from the sixth on twice",
    libraries=("transformers",), regimes=BOTH, seen_by=("model.forwards",), word="in evaluation mode 56 -> 102",
)  # fmt: skip
def evaluated_twice_late() -> None:
    """Count the batches of each loop."""
    from transformers import Trainer

    done = 0

    def begin(call: Around, *args: Any, **kwargs: Any) -> Any:
        nonlocal done
        done = 0
        return call(*args, **kwargs)

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        nonlocal done
        done += 1
        if done > FEW + 1:
            call(*args, **kwargs)
        return call(*args, **kwargs)

    wrap(Trainer, "evaluation_loop", begin)
    wrap(Trainer, "prediction_step", around)


@fault(
    "evaluation repeats the first row of a last batch that is not full",
    libraries=("accelerate",), regimes=BOTH, seen_by=("input.evaluated.labels",), word="labels are not the data set's",
)  # fmt: skip
def evaluation_repeats_a_row() -> None:
    """Put it in the place of the others; row counts stay right."""
    in_short_batches(lambda found: found[:1].expand_as(found).clone(), FEW)


@fault(
    "the accuracy in the log is better than the one computed",
    libraries=("transformers",), regimes=BOTH, seen_by=("trainer.log.figures",), word="computed as",
)  # fmt: skip
def accuracy_logged_wrong() -> None:
    """Add a point to it."""
    from transformers import Trainer

    def around(call: Around, trainer: Any, logs: Any, *args: Any, **kwargs: Any) -> Any:
        if "eval_accuracy" in logs:
            logs["eval_accuracy"] += 0.01
        return call(trainer, logs, *args, **kwargs)

    wrap(Trainer, "log", around)


@fault(
    "every fifteenth update gets no gradients: they are zeroed before it",
    libraries=("transformers", "accelerate"), regimes=BOTH, seen_by=("optimizer.gradients.writes",),
    word="gradients are written in another way",
)  # fmt: skip
def gradients_zeroed_now_and_then() -> None:
    """Zero them after the backward pass."""
    from transformers import Trainer

    def around(call: Around, trainer: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        loss = call(trainer, model, *args, **kwargs)
        if trainer.state.global_step % 15 == 14:  # noqa: PLR2004 - as its description says
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter.grad.zero_()
        return loss

    wrap(Trainer, "training_step", around)


@fault(
    "a copy of all weights is kept from each epoch's begin on",
    libraries=("transformers",), regimes=BOTH, seen_by=("memory.held.train",), word="tensors that are kept",
)  # fmt: skip
def weights_copied_each_epoch() -> None:
    """Hold them at the Trainer's callbacks."""
    from transformers.trainer_callback import CallbackHandler

    def around(call: Around, handler: Any, *args: Any, **kwargs: Any) -> Any:
        handler.held = [copy.deepcopy(parameter.data) for parameter in handler.model.parameters()]
        return call(handler, *args, **kwargs)

    wrap(CallbackHandler, "on_epoch_begin", around)


@fault(
    "what was loaded before quantising is kept beside the model",
    libraries=("transformers", "bitsandbytes"), regimes=QLORA, seen_by=("memory.held.train",),
    word="tensors that are kept",
)  # fmt: skip
def loaded_state_kept() -> None:
    """Hold a copy of every weight, unpacked, at the model."""
    import torch
    from transformers import PreTrainedModel

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        found = call(*args, **kwargs)
        model = found[0] if isinstance(found, tuple) else found
        model._state_before = [torch.zeros(p.numel() * 2) for p in model.parameters()]
        return found

    wrap(PreTrainedModel, "from_pretrained", around)


FAULTS = of(vars())
