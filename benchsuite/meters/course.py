"""How the trial's own training went on to its end: rates as updates obeyed them, modes, rows evaluated, and its log.

What probes see are the first steps of a training of their own; this sees every step of the real one, and
costs it one callback and two hooks: a rate for each group, a count of passes, and one look over the modules' flags.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from .. import compat
from ..nouns import JSON, Measured, Phase
from ..scene import Meter, Scene
from ._probing import exact, guarded
from ._tally import Done, tally

# Measured on the CPU: identical over fresh processes of fp32 and qlora.
RATES = exact("optimizer.lr.groups", "learning rate of each group as updates obey it, against the steps' own")
MODES = exact("model.modes.steps", "mode of every training step")
ROWS = exact("input.evaluated", "rows that each evaluation in training was computed over")
LABELS = exact("input.evaluated.labels", "labels of each evaluation in training, against the data set's")
FORWARDS = exact("model.forwards", "forward passes of the whole training, by mode")
FIGURES = exact("trainer.log.figures", "logged figures of each evaluation against those computed")
COUNTS = exact("trainer.log.counts", "the Trainer's log against steps, rows and runtime")

EVALUATED = "eval_"
"""Before the name of each figure of an evaluation, in the log."""


@dataclass
class Course:
    """What was seen of one training."""

    begun: list[float] = field(default_factory=list)
    """The first group's rate as each step began."""
    rates: list[tuple[int, list[float]]] = field(default_factory=list)
    """Of each update: steps that had begun, and every group's rate."""
    modes: list[tuple[int, bool]] = field(default_factory=list)
    """Of each step: modules in training mode, and whether gradients are on."""
    modules: int = 0
    batches: int = 0
    """Batches of an epoch."""
    logged: list[int] = field(default_factory=list)
    """Steps done as each entry of the log was written."""
    evaluated: list[int] = field(default_factory=list)
    """Rows that each evaluation's figures were computed over."""
    labels: list[str] = field(default_factory=list)
    """Of each evaluation: whether its labels were the data set's."""
    figures: list[Mapping[str, float]] = field(default_factory=list)
    """What was computed in each evaluation."""
    forwards: Counter[str] = field(default_factory=Counter)
    """Forward passes by the model's mode."""


class CourseMeter(Meter):
    """Watches by a callback and hooks on model and optimizer, which go with the training."""

    name = "course"
    metrics = (RATES, MODES, ROWS, LABELS, FORWARDS, FIGURES, COUNTS)

    def __init__(self) -> None:
        self.course = Course()

    def callbacks(self, scene: Scene) -> list[Any]:
        """See `Meter.callbacks`."""
        return [_watching(self.course)]

    def start(self, phase: Phase, scene: Scene) -> None:
        """See `Meter.start`."""
        if phase is Phase.TRAIN:
            _look(scene, self.course)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.TRAIN:
            return {}
        return guarded(lambda: self._found(scene), self.metrics)

    def _found(self, scene: Scene) -> Mapping[str, JSON]:
        seen = self.course
        return {
            RATES.name: groups(seen.begun, seen.rates),
            MODES.name: runs(mode(*step, of=seen.modules) for step in seen.modes),
            ROWS.name: list(seen.evaluated),
            LABELS.name: list(seen.labels),
            FORWARDS.name: dict(sorted(seen.forwards.items())),
            FIGURES.name: figures(scene.trainer.state.log_history, seen.figures),
            COUNTS.name: tally(scene.trainer.state.log_history, _done(scene, seen)),
        }


def _watching(seen: Course) -> Any:
    import torch
    from transformers import TrainerCallback

    class Watching(TrainerCallback):  # type: ignore[misc]
        modules: tuple[Any, ...] = ()
        hooks: tuple[Any, ...] = ()

        def on_train_begin(self, *_: Any, model: Any, optimizer: Any, train_dataloader: Any, **__: Any) -> None:
            self.optimizer = compat.bare_optimizer(optimizer)
            self.modules = tuple(model.modules())
            self.hooks = (
                self.optimizer.register_step_pre_hook(self.updates), model.register_forward_pre_hook(self.passes),
            )  # fmt: skip
            seen.modules, seen.batches = len(self.modules), len(train_dataloader)

        def updates(self, optimizer: Any, *_: Any) -> None:
            seen.rates.append((len(seen.begun), [float(group["lr"]) for group in optimizer.param_groups]))

        def passes(self, model: Any, _: Any) -> None:
            seen.forwards["training" if model.training else "evaluation"] += 1

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            seen.begun.append(float(self.optimizer.param_groups[0]["lr"]))

        def on_step_end(self, *_: Any, **__: Any) -> None:
            # An evaluation comes after it: the modes are still those of the step's last forward pass.
            seen.modes.append((sum([module.training for module in self.modules]), torch.is_grad_enabled()))

        def on_log(self, *_: Any, **__: Any) -> None:
            seen.logged.append(len(seen.modes))

        def on_train_end(self, *_: Any, **__: Any) -> None:
            # Nothing of the model may outlive the training here: what does is counted.
            for hook in self.hooks:
                hook.remove()
            self.modules, self.optimizer, self.hooks = (), None, ()

    return Watching()


def _look(scene: Scene, seen: Course) -> None:
    """Have each evaluation told where its figures are computed."""
    trainer, own, labels = scene.trainer, scene.trainer.compute_metrics, scene.rows["validation"]["labels"]

    def counting(predicted: Any, *args: Any, **kwargs: Any) -> Any:
        seen.evaluated.append(min(len(predicted[0]), len(predicted[1])))
        seen.labels.append(against(list(predicted[1]), list(labels)))
        found = own(predicted, *args, **kwargs)
        seen.figures.append(dict(found))
        return found

    trainer.compute_metrics = counting


def against(labels: Sequence[int], own: Sequence[int]) -> str:
    """An evaluation's labels against the data set's: "the data set's", or how many are others."""
    others = sum(int(a) != int(b) for a, b in zip(labels, own, strict=False)) + abs(len(labels) - len(own))
    return f"{others} are others" if others else "the data set's"


def figures(history: Sequence[Mapping[str, Any]], computed: Sequence[Mapping[str, float]]) -> dict[str, JSON]:
    """How many figures of evaluations are logged otherwise than they were computed, and the first."""
    entries = [entry for entry in history if any(key.startswith(EVALUATED) for key in entry)]
    other = [
        f"{name}: {entry.get(EVALUATED + name)}, computed as {value}"
        for entry, one in zip(entries, computed, strict=False)
        for name, value in one.items()
        if entry.get(EVALUATED + name) != value
    ]
    lacking = abs(len(entries) - len(computed))
    return {"otherwise": len(other) + lacking, **({"first": other[0]} if other else {})}


def _done(scene: Scene, seen: Course) -> Done:
    args = scene.trainer.args
    return Done(
        logged=seen.logged, steps=len(seen.modes), batches=seen.batches, accumulated=args.gradient_accumulation_steps,
        rows=len(scene.rows["train"]), batch=args.per_device_train_batch_size,
        evaluated=len(scene.rows["validation"]), evaluated_batch=args.per_device_eval_batch_size,
    )  # fmt: skip


def groups(begun: Sequence[float], rates: Sequence[tuple[int, Sequence[float]]]) -> dict[str, JSON]:
    """By group, how many updates obeyed another rate than the first group had as the step began, and how.

    Args:
        begun: That rate, step by step.
        rates: Of each update, the number of its step from 1, and every group's rate.
    """
    count = max((len(every) for _, every in rates), default=0)
    return {
        f"group {i + 1}": _otherwise([(step, every[i], begun[step - 1]) for step, every in rates if i < len(every)])
        for i in range(count)
    }


def _otherwise(updates: Sequence[tuple[int, float, float]]) -> dict[str, JSON]:
    other = [(step, rate, wanted) for step, rate, wanted in updates if rate != wanted]
    if not other:
        return {"otherwise": 0}
    step, rate, wanted = other[0]
    # Against the step's own rate: where the schedule itself moves, that is `optimizer.lr`'s to tell.
    ratios = [round(rate / wanted, 6) if wanted else rate for _, rate, wanted in updates]
    digest = hashlib.sha256(repr(ratios).encode()).hexdigest()[:16]
    return {"otherwise": len(other), "from": step, "rate": rate, "begun": wanted, "ratios": digest}


def mode(training: int, gradients: bool, *, of: int) -> str:  # noqa: FBT001 - what a step leaves, in its order
    """A step's mode in a word, from how many of the modules train."""
    word = {of: "train", 0: "eval"}.get(training, f"{training} of {of} modules train")
    return word if gradients else f"{word} without gradients"


def runs(words: Any) -> list[JSON]:
    """Words that follow one another as "WORD x TIMES"."""
    return [f"{word} x {len(list(same))}" for word, same in groupby(words)]


METER = CourseMeter
