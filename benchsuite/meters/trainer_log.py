"""What the Trainer logs against what it did, and what its steps leave behind: a few steps of its own are watched.

Each figure of the log is told as a share of what was seen: losses as the steps returned them, the rate that stood in
the optimizer, the norm of the gradients before they were clipped, the rows' own losses in evaluation. All are 1,
whatever the model. Of gradients that a scaler multiplies the norm is not told.
"""

from __future__ import annotations

import gc
import math
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .. import builders, compat, trial
from ..nouns import JSON, Better, Kind, Metric
from ..scene import Scene
from ._aside import aside
from ._probing import SessionMeter, apart, evaluate_some, exact

# Measured, every figure 1.0000 in fp32, qlora, lora, amp and their like of amp-fast and fp32-dyn, on transformers 5.23;
# on 4.57.6, which rounds losses to four digits, 1.0001 at most. By batches, evaluation's was 0.976 in fp32.
LOG = apart("trainer.log", "the Trainer's log against what it did", absolute=0.005)
# 0 in all of these.
LEFT = Metric(
    name="memory.left_by_step", unit="1", kind=Kind.EXACT, concern="memory", title="tensors that a training step leaves"
)
# Measured: 0.9 to 1.4 kB in fp32, lora and amp, 5 to 10 kB in qlora, on the CPU and, BERT-base, on an H200.
HEAP = Metric(
    name="memory.heap_left_by_step", unit="B", kind=Kind.BYTES, concern="memory", better=Better.LOWER,
    title="memory of Python's and numpy's that a training step leaves", absolute=8 * 1024,
)  # fmt: skip
OPERATIONS = exact("trainer.log.operations", "the logged number of operations against the batches' sum")
STEPS, LOGGED = 7, 3
"""Steps, and how often they are logged: the last is in no logged loss, but in the training's."""
SETTLED = LOGGED
"""Steps until all that is made once has been made, the first entry of the log among it."""
CHOICE = 4
"""Batches of validation rows among which the row is sought whose loss is least like the others'."""
TIGHT = 1e-3
"""A limit far below any gradient norm: the norm before clipping is none after it."""


@dataclass
class Seen:
    """What the steps did, by number from 0."""

    losses: dict[int, float] = field(default_factory=dict)
    norms: dict[int, float] = field(default_factory=dict)
    rates: dict[int, float] = field(default_factory=dict)
    tensors: dict[int, int] = field(default_factory=dict)
    """Tensors alive as a step began."""
    heap: dict[int, int] = field(default_factory=dict)
    """Bytes that Python holds of what it took in this training, numpy's among them, as a step began."""
    operations: float = 0.0
    """Of all batches, as the Trainer counts one; 0 for a model of which it cannot."""


class TrainerLogMeter(SessionMeter):
    """Trains and evaluates once the probe's steps are over."""

    name = "trainer_log"
    metrics = (LOG, LEFT, HEAP, OPERATIONS)

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, JSON] = {}

    def trained(self, scene: Scene) -> None:
        """See `SessionMeter.trained`."""
        seen = Seen()
        with aside(scene):
            watching = _watching(seen, lambda: evaluate_some(scene, trainer))
            trainer = builders.make_trainer(scene, [watching], looked_into=True, **arguments())
            _look(trainer, seen)
            with _traced():
                trainer.train()
            rows, loss = uneven(scene)
            figures = trainer.evaluate(eval_dataset=rows)
        history = trainer.state.log_history
        told = {**shares(history, seen), "eval_loss": share([(figures.get("eval_loss"), loss)])}
        self.found = {
            LOG.name: told,
            LEFT.name: left(seen.tensors),
            HEAP.name: max(0.0, left(seen.heap)),
            OPERATIONS.name: {"total_flos": operations(history, seen)},
        }

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return self.found


def arguments() -> dict[str, Any]:
    """`TrainingArguments` of a short training that logs, by an optimizer without a state."""
    return {
        "max_steps": STEPS, "logging_strategy": "steps", "logging_steps": LOGGED, "eval_strategy": "no",
        "max_grad_norm": TIGHT, "optim": "sgd",
    }  # fmt: skip


def _watching(seen: Seen, evaluate: Callable[[], None]) -> Any:
    from transformers import TrainerCallback

    class Watching(TrainerCallback):  # type: ignore[misc]
        def on_step_begin(self, _: Any, state: Any, *__: Any, optimizer: Any = None, **___: Any) -> None:
            seen.rates[state.global_step] = float(compat.bare_optimizer(optimizer).param_groups[0]["lr"])
            if state.global_step in (SETTLED, STEPS - 1):
                seen.tensors[state.global_step] = tensors()
                seen.heap[state.global_step] = heap()

        def on_step_end(self, _: Any, state: Any, *__: Any, **___: Any) -> None:
            if state.global_step < SETTLED:
                evaluate()

    return Watching()


def _look(trainer: Any, seen: Seen) -> None:
    own = trainer.training_step

    def step(model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        loss, number = own(model, inputs, *args, **kwargs), trainer.state.global_step
        seen.operations += float(trainer.floating_point_ops(inputs))
        seen.losses[number] = seen.losses.get(number, 0.0) + float(loss)
        if getattr(trainer.accelerator, "scaler", None) is None:
            seen.norms[number] = norm(model)
        return loss

    trainer.training_step = step


def norm(model: Any) -> float:
    """Norm of all gradients together."""
    import torch

    norms = [p.grad.float().norm() for p in model.parameters() if p.grad is not None]
    return float(torch.stack(norms).norm()) if norms else 0.0


def tensors() -> int:
    """How many of the collector's objects are tensors. Classes are asked of the type: some objects lie about theirs."""
    import torch

    gc.collect()
    return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())


def heap() -> int:
    """Bytes held of what Python took while it was traced, after garbage is collected."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@contextmanager
def _traced() -> Iterator[None]:
    """Inside, Python's memory is traced: from the first step on, so that what each step makes anew is known by then."""
    own = not tracemalloc.is_tracing()
    if own:
        tracemalloc.start()
    try:
        yield
    finally:
        if own:
            tracemalloc.stop()


def left(counts: Mapping[int, int]) -> float:
    """How much more there is each step, from counts by the number of the step."""
    first, last = min(counts), max(counts)
    return (counts[last] - counts[first]) / (last - first)


def shares(history: Sequence[Mapping[str, Any]], seen: Seen) -> dict[str, JSON]:
    """Each figure of a log as a share of what was seen, by its key; null for one that was not logged."""
    logged = [entry for entry in history if "loss" in entry]
    ends = [entry["step"] for entry in logged]
    spans = zip([0, *ends], ends, strict=False)
    means = [_mean([seen.losses[step] for step in range(*span)]) for span in spans]
    last = next((entry["train_loss"] for entry in reversed(history) if "train_loss" in entry), None)
    found: dict[str, JSON] = {
        "loss": share([(entry["loss"], mean) for entry, mean in zip(logged, means, strict=True)]),
        "learning_rate": share([(entry.get("learning_rate"), seen.rates[entry["step"] - 1]) for entry in logged]),
        "train_loss": share([(last, _mean(list(seen.losses.values())))]),
    }
    if seen.norms:
        found["grad_norm"] = share([(entry.get("grad_norm"), seen.norms[entry["step"] - 1]) for entry in logged])
    return found


def operations(history: Sequence[Mapping[str, Any]], seen: Seen) -> float | None:
    """What the log says of a training's operations, as a share of their sum; None where either is not told."""
    told = next((entry["total_flos"] for entry in reversed(history) if "total_flos" in entry), None)
    return share([(told, seen.operations)])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def share(pairs: Sequence[tuple[float | None, float]]) -> float | None:
    """Of what was told over what was seen the ratio furthest from 1; None where one was not told or means nothing."""
    if not pairs or any(told is None for told, _ in pairs):
        return None
    ratios = [1.0 if told == seen else told / seen if seen else math.inf for told, seen in pairs if told is not None]
    worst = max(ratios, key=lambda ratio: abs(ratio - 1) if math.isfinite(ratio) else math.inf)
    return round(worst, 4) if math.isfinite(worst) else None


def uneven(scene: Scene) -> tuple[Any, float]:
    """A full batch of validation rows and one row more whose loss is unlike theirs; the mean loss of all of them."""
    rows, size = scene.rows["validation"], scene.case.profile.eval_batch
    rows = rows.select(range(min(len(rows), CHOICE * size)))
    losses = own_losses(scene, rows)
    mean = _mean(losses)
    odd = max(range(len(losses)), key=lambda row: abs(losses[row] - mean))
    others = [row for row in range(len(losses)) if row != odd][:size]
    # In the batches that the Trainer will make of them: what is quantised by batch comes out the same.
    told = [loss for some in (others, [odd]) for loss in own_losses(scene, rows.select(some))]
    return rows.select([*others, odd]), _mean(told)


def own_losses(scene: Scene, rows: Any) -> list[float]:
    """Each row's cross-entropy by the model alone, without Trainer."""
    import torch

    batch = builders.collator(scene)([rows[row] for row in range(len(rows))])
    labels = batch.pop("labels").long()
    scene.model.eval()
    with torch.no_grad(), trial.autocast(scene):
        logits = scene.model(**{name: tensor.to(scene.device) for name, tensor in batch.items()}).logits
    logits = logits.double().cpu()
    found: list[float] = (logits.logsumexp(-1) - logits.gather(-1, labels.unsqueeze(-1)).squeeze(-1)).tolist()
    return found


METER = TrainerLogMeter
