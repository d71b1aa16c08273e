"""A Trainer that was told nothing: its optimizer, its checkpointing, its gradient accumulation, and how it resumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import compat, invariance
from ..meters.optimizer import describe
from ..nouns import JSON
from .scenarios import load, load_quantised, prepare

STEPS, SAVED = 4, 2
"""Steps of a training that is resumed, and after which it is; both in an epoch's midst."""
BATCH = 16
FILLED = 2
"""Small batches in a last group that is not full."""
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


def make(model: Any, work: str, device: str, count: int = 2 * BATCH, **arguments: Any) -> Any:
    """A Trainer of `model` and so many rows, with only what keeps it quiet and in its place said."""
    from transformers import Trainer, TrainingArguments

    quiet: dict[str, Any] = {
        "output_dir": work, "report_to": "none", "disable_tqdm": True, "save_strategy": "no",
        "use_cpu": device == "cpu",
    }  # fmt: skip
    return Trainer(model=model, args=TrainingArguments(**quiet | arguments), train_dataset=rows(count))


def accumulation(folder: Path, work: str, device: str) -> dict[str, JSON]:
    """Ratios of loss and gradient norm, see `invariance`."""
    return _ratios(folder, work, device, rows=2 * BATCH, filled=invariance.PARTS)


def tail(folder: Path, work: str, device: str) -> dict[str, JSON]:
    """The same of an epoch's last group, which the rows do not fill."""
    return _ratios(folder, work, device, rows=BATCH // invariance.PARTS * FILLED, filled=FILLED)


def _ratios(folder: Path, work: str, device: str, *, rows: int, filled: int) -> dict[str, JSON]:
    model = load(folder)
    found = invariance.measure(model, lambda more: make(model, work, device, rows, **more), BATCH, filled)
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


def resumed(folder: Path, work: str, device: str) -> dict[str, JSON]:
    """How far a training that was cut off and resumed from its checkpoint parts from one that was not.

    Relative, of what is logged in the steps after and of the weights in the end. Dropout is on, and an epoch is cut in
    its midst: optimizer, schedule, random generators and the place in the data all have to come back. To three digits
    0.0 where they do.
    """
    steps: dict[str, Any] = {
        "per_device_train_batch_size": BATCH // 4, "max_steps": STEPS, "logging_steps": 1, "save_strategy": "steps",
        "save_steps": SAVED,
    }  # fmt: skip
    whole, again = (make(load(folder), f"{work}/resumed", device, **steps) for _ in range(2))
    whole.train()
    again.train(resume_from_checkpoint=f"{work}/resumed/checkpoint-{SAVED}")
    names = ("loss", "learning_rate", "grad_norm")
    found = {name: _apart(*(_logged(trainer, name) for trainer in (whole, again))) for name in names}
    return {**found, "weights": _apart(*(_weights(trainer.model) for trainer in (whole, again)))}


def _logged(trainer: Any, name: str) -> Any:
    import torch

    entries = [entry for entry in trainer.state.log_history if name in entry and entry["step"] > SAVED]
    return torch.tensor([float(entry[name]) for entry in entries])


def _weights(model: Any) -> Any:
    import torch

    return torch.cat([parameter.detach().float().cpu().flatten() for parameter in model.parameters()])


def _apart(one: Any, other: Any) -> JSON:
    """Largest difference over the largest size, to three digits; None where the two are not of one length."""
    if one.shape != other.shape:
        return None
    return round(float((one - other).abs().max() / one.abs().max().clamp(min=1e-12)), 3)
