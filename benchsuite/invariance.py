"""Is a step of k small batches the step of one large batch? Trains a step each way and compares.

Nothing random and nothing lasting: the model is held in evaluation mode, so that dropout is off,
and the learning rate is zero. Covers loss and gradient norm as the Trainer logs them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .nouns import JSON

PARTS = 4
"""Small batches a step."""


def arguments(batch: int, parts: int) -> dict[str, Any]:
    """`TrainingArguments` for one step that moves nothing and logs what it saw."""
    return {
        "per_device_train_batch_size": batch, "gradient_accumulation_steps": parts, "max_steps": 1,
        "learning_rate": 0.0, "logging_strategy": "steps", "logging_steps": 1, "eval_strategy": "no",
    }  # fmt: skip


def measure(model: Any, trainer: Callable[[dict[str, Any]], Any], batch: int, filled: int = PARTS) -> dict[str, JSON]:
    """Loss and gradient norm of `PARTS` small batches over those of one batch as large as all of them.

    Args:
        model: What trains; left as it was.
        trainer: Makes a Trainer of `model` from further `TrainingArguments`.
        batch: Rows of `PARTS` small batches.
        filled: Small batches that a step gets; fewer than `PARTS` where the Trainer's rows end there.
    """
    small = max(1, batch // PARTS)
    with steady(model):
        whole = logged(trainer(arguments(small * filled, 1)))
        parts = logged(trainer(arguments(small, PARTS)))
    model.zero_grad(set_to_none=True)
    return {f"{name}_ratio": ratio(parts.get(name), whole.get(name)) for name in ("loss", "grad_norm")}


@contextmanager
def steady(model: Any) -> Iterator[None]:
    """`model` in evaluation mode, whatever a Trainer asks of it meanwhile."""
    training = model.training
    model.eval()
    model.train = lambda mode=True: model  # noqa: ARG005 - stands in for a method
    try:
        yield
    finally:
        del model.train
        model.train(training)


def logged(trainer: Any) -> Mapping[str, float]:
    """Train, and return the first thing logged."""
    trainer.train()
    first: Mapping[str, float] = trainer.state.log_history[0]
    return first


def ratio(part: float | None, whole: float | None) -> JSON:
    """`part` over `whole` as kept in a record, or None where either is missing, zero or not finite."""
    if part is None or not whole or not math.isfinite(part) or not math.isfinite(whole):
        return None
    return round(float(part) / float(whole), 5)
