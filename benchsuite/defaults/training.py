"""A Trainer that was told nothing: its optimizer, its checkpointing, and its gradient accumulation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import compat, invariance
from ..meters.optimizer import describe
from ..nouns import JSON
from .scenarios import load, load_quantised, prepare

BATCH = 16
LENGTH = 12


def rows(count: int) -> list[dict[str, list[int] | int]]:
    """Examples of one length, each different."""
    return [
        {
            "input_ids": [5 + (7 * i + 3 * j) % 180 for j in range(LENGTH)],
            "attention_mask": [1] * LENGTH,
            "labels": i % 2,
        }
        for i in range(count)
    ]


def make(model: Any, work: str, device: str, **arguments: Any) -> Any:
    """A Trainer of `model`, with only what keeps it quiet and in its place said."""
    from transformers import Trainer, TrainingArguments

    told = TrainingArguments(
        output_dir=work, report_to="none", disable_tqdm=True, save_strategy="no", use_cpu=device == "cpu", **arguments
    )
    return Trainer(model=model, args=told, train_dataset=rows(2 * BATCH))


def accumulation(folder: Path, work: str, device: str) -> dict[str, JSON]:
    """Ratios of loss and gradient norm, see `invariance`."""
    model = load(folder)
    found = invariance.measure(model, lambda arguments: make(model, work, device, **arguments), BATCH)
    # In 32 bits and without dropout the ratio is 1, or a whole number, to five digits.
    return {name: None if ratio is None else round(ratio, 2) for name, ratio in found.items()}


def optimizer(folder: Path, work: str, device: str) -> dict[str, JSON]:
    """The optimizer that a Trainer makes by itself, and the rates of its first schedule's ends."""
    trainer = make(load(folder), work, device)
    trainer.create_optimizer_and_scheduler(num_training_steps=10)
    return describe(compat.bare_optimizer(trainer.optimizer)) | {"scheduler": type(trainer.lr_scheduler).__name__}


def checkpointing(folder: Path, work: str, device: str) -> dict[str, JSON]:
    """Whether a Trainer's model recomputes: by itself, and in 4 bits after peft's preparation, argument off."""
    model = load(folder)
    make(model, work, device)
    prepared = prepare(load_quantised(folder, device))
    make(prepared, work, device, gradient_checkpointing=False)
    return {"trainer": compat.is_checkpointing(model), "prepared": compat.is_checkpointing(prepared)}
