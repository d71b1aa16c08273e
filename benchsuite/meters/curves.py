"""The course of training: loss, gradient norm and learning rate, and what each epoch's evaluation said."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..nouns import Kind, Measured, Metric, Phase, Role
from ..scene import Meter, Scene

CPU = ("cpu_capability", "threads")
"""What moves the last bits on a CPU: absent from a GPU case's hardware, and so no condition there."""


def _curve(name: str, title: str, *, relative: float, absolute: float, role: Role = Role.GATE) -> Metric:
    return Metric(
        name=name, unit="", kind=Kind.QUALITY, judge="distance", concern="quality", title=title, role=role,
        relative=relative, absolute=absolute, depends_on=CPU,
    )  # fmt: skip


# Measured under tiny between CPU capabilities AVX512, AVX2 and DEFAULT: FP32's losses move by 2e-7, QLoRA's, whose
# products are in fp16, by 0.033 (training, mean of 10 steps) and 0.0044 (validation). One thread or two: 2e-7 and 0.
# Between transformers 4.57.6 with peft 0.18 and 5.23 with 0.21: 5e-5 (the log's rounding) and 0.027, 0 and 0.0007.
# What only explains moves too far to judge: QLoRA's gradient norm by 0.69 to 1.1 in single steps, accuracy by 0.007.
LOSS = _curve("quality.loss", "training loss", relative=0.05, absolute=0.05)
NORM = _curve("quality.grad_norm", "gradient norm", relative=0.25, absolute=0.25, role=Role.EXPLAIN)
EVAL_LOSS = _curve("quality.validation_loss", "validation loss by epoch", relative=0.05, absolute=0.02)
EVAL_ACCURACY = _curve("quality.accuracy.epochs", "accuracy by epoch", relative=0.0, absolute=0.02, role=Role.EXPLAIN)
LR = Metric(name="optimizer.lr", unit="", kind=Kind.EXACT, concern="fingerprint", title="learning rate of each step")
# On one CPU and one stack every bit repeats; a GPU adds in no fixed order.
BITS = Metric(
    name="trainer.log.bits", unit="", kind=Kind.EXACT, concern="fingerprint", title="the log's figures, bit for bit",
    same_stack=True, depends_on=(*CPU, "cpu_model"),
)  # fmt: skip
TIMED = ("runtime", "per_second")
"""Ends of the names of what the log says of time."""
UPDATES = Metric(name="optimizer.updates", unit="1", kind=Kind.EXACT, concern="fingerprint", title="optimizer updates")


class CurveMeter(Meter):
    """Reads the Trainer's log history, which holds floats where its printed logs hold text."""

    name = "curves"
    metrics = (LOSS, NORM, EVAL_LOSS, EVAL_ACCURACY, LR, UPDATES, BITS)

    def __init__(self) -> None:
        self.rates: list[float] = []

    def callbacks(self, scene: Scene) -> list[Any]:
        """See `Meter.callbacks`."""
        from transformers import TrainerCallback

        rates = self.rates

        class Rates(TrainerCallback):  # type: ignore[misc]
            def on_step_begin(self, *_: Any, optimizer: Any = None, **__: Any) -> None:
                rates.append(float(optimizer.param_groups[0]["lr"]))

        return [Rates()]

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.TRAIN:
            return {}
        history = scene.trainer.state.log_history
        return {
            LOSS.name: Measured(value=_series(history, "loss")),
            NORM.name: Measured(value=_series(history, "grad_norm")),
            EVAL_LOSS.name: Measured(value=_series(history, "eval_loss")),
            EVAL_ACCURACY.name: Measured(value=_series(history, "eval_accuracy")),
            LR.name: Measured(value=list(self.rates)),
            UPDATES.name: Measured(value=scene.trainer.state.global_step),
            **({} if scene.on_cuda else {BITS.name: Measured(value=bits(history))}),
        }


def _series(history: list[dict[str, Any]], key: str) -> list[float]:
    return [float(entry[key]) for entry in history if key in entry]


def bits(history: Sequence[Mapping[str, Any]]) -> str:
    """Digest of every figure of a log but times, to the last bit."""
    figures = [sorted((k, v) for k, v in entry.items() if not k.endswith(TIMED)) for entry in history]
    return hashlib.sha256(repr(figures).encode()).hexdigest()[:16]


def diverged(series: list[float]) -> int | None:
    """Index of the first value that is not finite, or None."""
    return next((i for i, value in enumerate(series) if not math.isfinite(value)), None)


METER = CurveMeter
