"""In what order training and evaluation see the rows, in what shapes, and what is in them, as the Trainer deals them.

Of training the first epoch, and of the second its order; of evaluation the whole, or its first batches
where there are very many. Drawn from the Trainer's own sampler, and held against one batch that the
model was really given.
Rows are told by their number, so that equal texts do not hide an order.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from ..nouns import JSON
from ..scene import Scene
from ._probing import SessionMeter, exact
from ._watch import contents

ORDER = exact("input.order", "order of the first two epochs")
BATCHES = exact("input.batches", "batch shapes of the first epoch")
CONTENT = exact("input.content", "what the first epoch's batches hold")
EVALUATION = exact("input.evaluation", "rows, batches and their content in evaluation")
SHOWN = 8
"""Row numbers that are recorded as they are; the rest is a digest."""
COLLATED = 128
"""Batches that are put together for their shapes; the last one besides."""


class BatchMeter(SessionMeter):
    """Draws the epoch after the probe's training, in which it watched one step's batch."""

    name = "batches"
    metrics = (ORDER, BATCHES, CONTENT, EVALUATION)

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, JSON] = {}
        self.step = 0
        self.given: list[list[int]] = []

    @contextmanager
    def instrument(self, scene: Scene) -> Iterator[None]:
        """See `SessionMeter.instrument`."""

        def look(_: Any, __: Any, kwargs: Mapping[str, Any]) -> None:
            self.given = kwargs["input_ids"].tolist()

        self.step = scene.trainer.state.global_step
        hook = scene.model.register_forward_pre_hook(look, with_kwargs=True)
        try:
            yield
        finally:
            hook.remove()

    def trained(self, scene: Scene) -> None:
        """See `SessionMeter.trained`."""
        from transformers import set_seed

        set_seed(scene.setting.seed)
        loader = scene.trainer.get_train_dataloader()
        drawn = [list(batch) for batch in loader.batch_sampler]
        if hasattr(loader, "set_epoch"):
            loader.set_epoch(1)
        again = order([list(batch) for batch in loader.batch_sampler])["digest"]
        batches = [_collate(loader, batch) for batch in drawn[:COLLATED] + drawn[COLLATED:][-1:]]
        # Fewer batches than steps: the step was of a later epoch, whose order is not drawn here.
        seen = self.step < len(batches)
        as_drawn = batches[self.step]["input_ids"].tolist() == self.given if seen else None
        shapes = Counter(map(shape, batches))
        self.found = {
            ORDER.name: {**order(drawn), "as_trained": as_drawn, "second_epoch": again},
            BATCHES.name: dict(sorted(shapes.items())),
            CONTENT.name: contents(batches),
            EVALUATION.name: evaluation(scene.trainer.get_eval_dataloader()),
        }

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return self.found


def _collate(loader: Any, rows: Sequence[int]) -> Any:
    return loader.collate_fn([loader.dataset[row] for row in rows])


def evaluation(loader: Any) -> dict[str, JSON]:
    """Rows and batches of a loader as it deals them, their shapes, and a digest a column over at most `COLLATED`."""
    batches = [{**batch} for batch in islice(loader, COLLATED)]
    return {
        "rows": len(loader.dataset),
        "batches": len(loader),
        "shapes": dict(sorted(Counter(map(shape, batches)).items())),
        "content": contents(batches),
    }


def order(batches: Sequence[Sequence[int]]) -> dict[str, JSON]:
    """Number of batches and rows, the first row numbers, and a digest of all."""
    rows = [int(row) for batch in batches for row in batch]
    digest = hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]
    return {"batches": len(batches), "rows": len(rows), "first": rows[:SHOWN], "digest": digest}


def shape(batch: Mapping[str, Any]) -> str:
    """A batch's tensors by name, with dtype and shape."""
    parts: Iterable[tuple[str, Any]] = sorted(batch.items())
    return ", ".join(f"{name} {str(t.dtype).removeprefix('torch.')} {'x'.join(map(str, t.shape))}" for name, t in parts)


METER = BatchMeter
