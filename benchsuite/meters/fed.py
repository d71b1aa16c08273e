"""What the Trainer's own loop hands to its training step, epoch by epoch: which rows, in what order, with what labels.

A Trainer as the case's own goes through its epochs, each with an evaluation, with a step that looks at the batch and
computes nothing, so that what `batches` redraws is seen as it is really fed, the second epoch too. Rows are told by
their tokens and label: of two alike either may stand for the other.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from unittest.mock import patch

from .. import builders
from ..nouns import JSON
from ..scene import Scene
from ._aside import aside
from ._probing import SessionMeter, evaluate_some, exact

# The same digests, and nothing amiss, on transformers 4.57.6 and 5.23.
FED = exact("input.fed", "what the Trainer feeds, epoch by epoch")
EPOCHS = 2
"""Epochs that are gone through at most."""

Key = tuple[bytes, int]
"""A row: the tokens that are no padding, and the label."""


@dataclass
class Epoch:
    """What was fed in one epoch."""

    batches: list[list[Key]] = field(default_factory=list)
    digests: dict[str, Any] = field(default_factory=dict)

    def take(self, batch: Mapping[str, Any]) -> None:
        """Look at one batch, wherever it is."""
        columns = {name: value.detach().cpu().numpy() for name, value in batch.items() if getattr(value, "shape", ())}
        for name, value in sorted(columns.items()):
            digest = self.digests.setdefault(name, hashlib.sha256())
            digest.update(f"{value.dtype} {value.shape} ".encode() + value.tobytes())
        self.batches.append(keys(columns))


class FedMeter(SessionMeter):
    """Looks before the probe's training, at a Trainer that moves nothing."""

    name = "fed"
    metrics = (FED,)

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, JSON] = {}

    def prepared(self, scene: Scene) -> None:
        """See `SessionMeter.prepared`."""
        with aside(scene):
            epochs, drawn = feed(scene)
        rows = scene.rows["train"]
        own = keys({name: rows[name][:] for name in ("input_ids", "attention_mask", "labels")})
        self.found = {f"epoch {i + 1}": account(e, own, d) for i, (e, d) in enumerate(zip(epochs, drawn, strict=True))}

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return {FED.name: self.found}


def feed(scene: Scene) -> tuple[list[Epoch], list[list[list[int]]]]:
    """What each epoch was fed, and row numbers by batch as the sampler deals them when it is asked."""
    import torch

    epochs: list[Epoch] = []
    turning = _turning(epochs, lambda: evaluate_some(scene, trainer))
    trainer = builders.make_trainer(scene, [turning], looked_into=True, **arguments(scene))

    def look(_: Any, inputs: Any, *__: Any, **___: Any) -> Any:
        epochs[-1].take(trainer._prepare_inputs(inputs))
        return torch.zeros((), device=trainer.args.device)

    trainer.training_step = look
    trainer.optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1, device=scene.device))], lr=0.0)
    # Each step the Trainer would go through all parameters, for operations, norm and gradients that there are not.
    trainer.floating_point_ops = lambda *_, **__: 0
    trainer._get_grad_norm = lambda *_, **__: None
    with patch.object(scene.model, "zero_grad", lambda *_, **__: None):
        trainer.train()
    return epochs, list(redrawn(trainer, scene.setting.seed, len(epochs)))


def arguments(scene: Scene) -> dict[str, Any]:
    """`TrainingArguments` of the case's epochs without anything but their batches."""
    # A scaler of gradients refuses a step that has none.
    scaled = {"fp16": False} if scene.plan.arguments.get("fp16") else {}
    epochs = min(EPOCHS, scene.plan.arguments["num_train_epochs"])
    return {"num_train_epochs": epochs, "eval_strategy": "no", "logging_strategy": "no", "max_grad_norm": 0.0, **scaled}


def _turning(epochs: list[Epoch], evaluate: Callable[[], None]) -> Any:
    from transformers import TrainerCallback

    class Turning(TrainerCallback):  # type: ignore[misc]
        def on_epoch_begin(self, *_: Any, **__: Any) -> None:
            epochs.append(Epoch())

        def on_epoch_end(self, *_: Any, **__: Any) -> None:
            evaluate()

    return Turning()


def redrawn(trainer: Any, seed: int, epochs: int) -> Iterator[list[list[int]]]:
    """Row numbers by batch of each epoch, from the Trainer's own sampler told of its epoch."""
    from transformers import set_seed

    set_seed(seed)
    loader = trainer.get_train_dataloader()
    for epoch in range(epochs):
        if hasattr(loader, "set_epoch"):
            loader.set_epoch(epoch)
        yield [[int(row) for row in batch] for batch in loader.batch_sampler]


def keys(columns: Mapping[str, Any]) -> list[Key]:
    """A key for each row of a table of tokens, masks and labels, padded or not."""
    import numpy as np

    def tokens(ids: Any, mask: Any) -> bytes:
        return bytes(np.asarray(ids, dtype=np.int64)[np.asarray(mask, dtype=bool)].tobytes())

    rows = zip(columns["input_ids"], columns["attention_mask"], columns["labels"], strict=True)
    return [(tokens(ids, mask), int(label)) for ids, mask, label in rows]


def account(epoch: Epoch, rows: Sequence[Key], drawn: Sequence[Sequence[int]]) -> dict[str, JSON]:
    """An epoch against the rows of the data set and the batches that the sampler deals.

    Args:
        epoch: What was fed.
        rows: The data set, row by row.
        drawn: Row numbers by batch.
    """
    return {
        "batches": len(epoch.batches),
        "rows": sum(map(len, epoch.batches)),
        "content": {name: digest.hexdigest()[:16] for name, digest in epoch.digests.items()},
        "parts": parts([[rows[row] for row in batch] for batch in drawn], epoch.batches),
        **balance(Counter(rows), Counter(chain.from_iterable(epoch.batches))),
    }


def parts(drawn: Sequence[Sequence[Key]], fed: Sequence[Sequence[Key]]) -> int | None:
    """The first batch, from 0, that is fed otherwise than it is drawn; None for none. An epoch may be cut short."""
    apart = (i for i, (a, b) in enumerate(zip(drawn, fed, strict=False)) if list(a) != list(b))
    return next(apart, len(drawn) if len(fed) > len(drawn) else None)


def balance(rows: Counter[Key], fed: Counter[Key]) -> dict[str, JSON]:
    """How many rows were not fed, fed too often, fed with another's label, or are no rows of the data set."""
    left, more = rows - fed, fed - rows
    again = sum(count for key, count in more.items() if key in rows)
    strange = Counter[bytes]()
    for (tokens, _), count in ((key, count) for key, count in more.items() if key not in rows):
        strange[tokens] += count
    known = {tokens for tokens, _ in rows}
    labels = sum(count for tokens, count in strange.items() if tokens in known)
    return {
        "left_out": left.total(), "again": again, "other_labels": labels, "unknown": strange.total() - labels,
    }  # fmt: skip


METER = FedMeter
