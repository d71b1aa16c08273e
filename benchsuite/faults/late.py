"""Faults of what comes late: after the first evaluation, in a later epoch, in a second group, or in the log."""

from __future__ import annotations

from typing import Any

from benchsuite.faults._fault import BOTH, FP32, Around, after, fault, in_short_batches, of, wrap

CUT = 3
SEED = 7
HALF = 0.5
"""Of an epoch: what is further on is no first one."""


@fault(
    "rates in the log (samples and steps a second) are twice what they were",
    libraries=("transformers",), regimes=BOTH, seen_by=("trainer.log.counts",), word="is 2 times",
)  # fmt: skip
def speed_metrics_wrong() -> None:
    """Double them, and count operations three times."""
    from transformers import Trainer

    def around(call: Around, trainer: Any, logs: Any, *args: Any, **kwargs: Any) -> Any:
        for name in list(logs):
            logs[name] *= 2 if name.endswith("per_second") else 3 if name == "total_flos" else 1
        return call(trainer, logs, *args, **kwargs)

    wrap(Trainer, "log", around)


@fault(
    "the epoch of a log entry counts from one",
    libraries=("transformers",), regimes=BOTH, seen_by=("trainer.log.counts",), word="epoch",
)  # fmt: skip
def epoch_logged_wrong() -> None:
    """Add it once the entry is written."""
    from transformers import Trainer

    def around(call: Around, trainer: Any, *args: Any, **kwargs: Any) -> Any:
        found = call(trainer, *args, **kwargs)
        trainer.state.log_history[-1]["epoch"] += 1
        return found

    wrap(Trainer, "log", around)


@fault(
    "evaluation in training loses some rows of the last batch that is not full",
    libraries=("accelerate",), regimes=BOTH, seen_by=("input.evaluated",), word="computed over other rows",
)  # fmt: skip
def evaluation_drops_rows() -> None:
    """Cut three rows off, where there are more than the few of the probe's last batch."""
    in_short_batches(lambda found: found[:-CUT], CUT + 1)


@fault(
    "the second group's learning rate has no warm-up",
    libraries=("transformers",), regimes=("qlora",), seen_by=("optimizer.lr.groups",), word="that of group 2 is",
)  # fmt: skip
def group_lr_unscheduled() -> None:
    """Give all groups but the first a bare decay."""
    from transformers import Trainer

    def around(call: Around, trainer: Any, num_training_steps: int, *args: Any, **kwargs: Any) -> Any:
        found = call(trainer, num_training_steps, *args, **kwargs)
        decay = [lambda step: max(0.0, 1 - step / num_training_steps)]
        found.lr_lambdas[1:] = decay * len(found.lr_lambdas[1:])
        return found

    wrap(Trainer, "create_scheduler", around)


@fault(
    "once there was an evaluation, training goes on in evaluation mode: no dropout from the second epoch on",
    libraries=("transformers",), regimes=BOTH, seen_by=("model.modes.steps",), word="run in evaluation mode",
)  # fmt: skip
def eval_mode_sticks() -> None:
    """Let later requests for training mode fall."""
    from transformers import Trainer

    def around(call: Around, trainer: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        if not any("eval_loss" in entry for entry in trainer.state.log_history):
            return call(trainer, model, *args, **kwargs)
        model.train = lambda *_: model
        try:
            return call(trainer, model, *args, **kwargs)
        finally:
            del model.train

    wrap(Trainer, "training_step", around)


@fault(
    "Adam's moments are lost at the begin of each epoch; its counters go on",
    libraries=("transformers", "accelerate"), regimes=FP32, word="as an epoch begins, after 100 updates",
    seen_by=("optimizer.writes",),
)  # fmt: skip
def moments_reset() -> None:
    """Zero them there."""
    from transformers.trainer_callback import CallbackHandler

    def around(call: Around, handler: Any, args: Any, state: Any, *rest: Any, **kwargs: Any) -> Any:
        if state.epoch and state.epoch > HALF and handler.optimizer is not None:
            optimizer = getattr(handler.optimizer, "optimizer", handler.optimizer)
            for kept in optimizer.state.values():
                kept["exp_avg"].zero_()
                kept["exp_avg_sq"].zero_()
        return call(handler, args, state, *rest, **kwargs)

    wrap(CallbackHandler, "on_epoch_begin", around)


@fault(
    "after an evaluation the weights that train are rounded to bfloat16, as when a model is cast there and back",
    libraries=("transformers", "accelerate"), regimes=BOTH, seen_by=("optimizer.writes",), word="written beside",
)  # fmt: skip
def weights_rounded_late() -> None:
    """Write the rounded ones over them."""
    import torch
    from transformers import Trainer

    def around(call: Around, trainer: Any, *args: Any, **kwargs: Any) -> Any:
        found = call(trainer, *args, **kwargs)
        if trainer.optimizer is not None:
            with torch.no_grad():
                for group in trainer.optimizer.param_groups:
                    for weight in group["params"]:
                        weight.copy_(weight.bfloat16())
        return found

    wrap(Trainer, "evaluate", around)


@fault(
    "an evaluation leaves the weights that train rounded to bfloat16, by a write that torch does not count",
    libraries=("transformers", "accelerate"), regimes=BOTH, seen_by=("optimizer.across",),
    word="leaves the training otherwise",
)  # fmt: skip
def weights_rounded_unseen() -> None:
    """Write the rounded ones over them, through `.data`."""
    from transformers import Trainer

    def round_all(trainer: Any) -> None:
        for group in trainer.optimizer.param_groups if trainer.optimizer is not None else ():
            for weight in group["params"]:
                weight.data.copy_(weight.data.bfloat16())

    after(Trainer, "evaluate", round_all, on_result=False)


@fault(
    "the seed is set anew in each training step: every step drops the same elements",
    libraries=("transformers", "accelerate"), regimes=BOTH, seen_by=("seeds.steps",),
    word="where it stood a step before",
)  # fmt: skip
def seed_set_each_step() -> None:
    """Before the forward pass."""
    import torch
    from transformers import Trainer

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        torch.manual_seed(SEED)
        return call(*args, **kwargs)

    wrap(Trainer, "training_step", around)


@fault(
    "every batch that was trained on is kept, as numpy's arrays",
    libraries=("transformers",), regimes=BOTH, seen_by=("memory.heap_left_by_step",), word="of Python's memory",
)  # fmt: skip
def batches_kept_as_arrays() -> None:
    """As a record of what was seen might."""
    from transformers import Trainer

    kept: list[Any] = []

    def around(call: Around, trainer: Any, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        kept.extend(column.cpu().numpy().copy() for column in inputs.values())
        return call(trainer, model, inputs, *args, **kwargs)

    wrap(Trainer, "training_step", around)


@fault(
    "attention masks are all ones from the second epoch on",
    libraries=("transformers", "datasets"), regimes=FP32, word="parts from there",
    seen_by=("function.trained_bits", "quality.*"),
)  # fmt: skip
def mask_dropped_late() -> None:
    """Put another mask into the batch."""
    import torch
    from transformers import Trainer

    def around(call: Around, trainer: Any, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if trainer.state.epoch and trainer.state.epoch >= 1:
            inputs = {**inputs, "attention_mask": torch.ones_like(inputs["attention_mask"])}
        return call(trainer, model, inputs, *args, **kwargs)

    wrap(Trainer, "training_step", around)


FAULTS = of(vars())
