"""Faults of the host's work in a training and outside its steps: between two, before the first, after the last."""

from __future__ import annotations

import copy
import gc
from typing import Any

from benchsuite.faults._fault import BOTH, Around, after, fault, of, wrap


@fault(
    "the tokens of each batch are counted in Python",
    libraries=("transformers",), regimes=BOTH, seen_by=("count.python_calls.between",),
    word="python calls between steps",
)  # fmt: skip
def items_counted_in_python() -> None:
    """Row by row, before the batch's step."""
    from transformers import Trainer

    def counts(token: int) -> bool:
        return token >= 0

    def count(found: Any) -> None:
        for batch in found[0]:
            sum(counts(token) for row in batch["input_ids"].tolist() for token in row)

    after(Trainer, "get_batch_samples", count, on_result=True)


@fault(
    "the loss is looked at between any two steps, and waited for",
    libraries=("transformers",), regimes=BOTH, seen_by=("count.syncs.between",),
    word="waits for the device between steps",
)  # fmt: skip
def loss_synced_between_steps() -> None:
    """Is it a number?"""
    import torch
    from transformers import Trainer

    def around(call: Around, trainer: Any, loss: Any, *args: Any, **kwargs: Any) -> Any:
        torch.isnan(loss).item()
        return call(trainer, loss, *args, **kwargs)

    wrap(Trainer, "_maybe_log_save_evaluate", around)


@fault(
    "garbage is collected between any two steps",
    libraries=("transformers",), regimes=BOTH, seen_by=("count.c_calls.between",), word="gc.collect",
)  # fmt: skip
def collected_between_steps() -> None:
    """The younger generations of it."""
    from transformers import Trainer

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        gc.collect(1)
        return call(*args, **kwargs)

    wrap(Trainer, "_maybe_log_save_evaluate", around)


@fault(
    "training reads all rows before its first step",
    libraries=("transformers",), regimes=BOTH, seen_by=("count.python_calls.train",),
    word="training, beside its steps, does more work in Python",
)  # fmt: skip
def train_reads_all_rows_first() -> None:
    """To measure their lengths."""
    from transformers import Trainer

    def around(call: Around, trainer: Any, *args: Any, **kwargs: Any) -> Any:
        rows = trainer.train_dataset
        sum(len(rows[i]["input_ids"]) for i in range(len(rows)))
        return call(trainer, *args, **kwargs)

    wrap(Trainer, "_inner_training_loop", around)


@fault(
    "training ends with a copy of model and optimizer",
    libraries=("transformers",), regimes=BOTH, seen_by=("count.python_calls.train",),
    word="training, beside its steps, does more work in Python",
)  # fmt: skip
def train_end_copies() -> None:
    """For nobody."""
    from transformers import Trainer

    def copies(trainer: Any) -> None:
        copy.deepcopy(trainer.model)
        copy.deepcopy(trainer.optimizer.state_dict())

    after(Trainer, "train", copies, on_result=False)


FAULTS = of(vars())
