"""What the model is given in training and in evaluation, in which modes it runs, and what becomes of its answers.

Seen from the model's own door, one training step and one short evaluation by the Trainer: behind
tokenizer, data set, sampler and collator, of which other meters tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .. import trial
from ..nouns import JSON
from ..scene import Scene
from ._probing import SessionMeter, apart, exact, shown
from ._watch import Evaluation, Watch, contents, cross_entropy, evaluate, once

RECEIVED = exact("input.received", "batches as the model receives them")
MODES = exact("model.modes", "modes in training and evaluation")
DTYPES = exact("model.computes", "dtypes that modules take and return")
LOGITS = shown("function.evaluation.dtype", "dtype of the logits that evaluation hands on")
# Measured: 0 for labels and accuracy, 1 for the loss to four digits, and 0 for the logits, in either regime.
EVALUATION = apart("function.evaluation", "the Trainer's evaluation against bare forwards", absolute=0.01)


class ForwardMeter(SessionMeter):
    """Watches one training step of its own, and an evaluation once the steps are over."""

    name = "forwards"
    metrics = (RECEIVED, MODES, DTYPES, EVALUATION, LOGITS)

    def __init__(self) -> None:
        super().__init__()
        self.training, self.evaluation = Watch(), Watch()
        self.agreement: dict[str, JSON] = {}
        self.logits = ""

    @contextmanager
    def instrument(self, scene: Scene) -> Iterator[None]:
        """See `SessionMeter.instrument`."""
        with self.training.on(scene.model):
            yield

    def trained(self, scene: Scene) -> None:
        """See `SessionMeter.trained`."""
        with self.evaluation.on(scene.model):
            found = evaluate(scene)
        # A batch that is predicted twice is one of the evaluation's all the same.
        self.agreement = agreement(found, bare(scene, once(self.evaluation.batches)), scene)
        self.logits = str(getattr(found.logits, "dtype", type(found.logits).__name__))

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        sides = {"training": self.training, "evaluation": self.evaluation}
        return {
            RECEIVED.name: {side: contents(once(watch.batches)) for side, watch in sides.items()},
            MODES.name: {side: watch.modes for side, watch in sides.items()},
            DTYPES.name: {side: watch.dtypes for side, watch in sides.items()},
            EVALUATION.name: self.agreement,
            LOGITS.name: self.logits,
        }


def bare(scene: Scene, batches: list[dict[str, Any]]) -> Any:
    """Logits of batches without Trainer: rows x classes, float32 on the CPU."""
    import torch

    scene.model.eval()
    with torch.no_grad(), trial.autocast(scene):
        inputs = [{name: value for name, value in batch.items() if name != "labels"} for batch in batches]
        return torch.cat([scene.model(**batch).logits.float().cpu() for batch in inputs])


def agreement(found: Evaluation, logits: Any, scene: Scene) -> dict[str, JSON]:
    """How far an evaluation lies from what bare logits and the rows' own labels say."""
    import torch

    labels = torch.tensor(scene.rows["validation"][: len(logits)]["labels"])
    told = torch.as_tensor(found.logits).float()
    loss = cross_entropy(logits, labels)
    right = float((logits.argmax(-1) == labels).double().mean())
    same = told.shape == logits.shape and len(found.labels) == len(labels)
    return {
        "rows": len(found.labels) - len(labels),
        "labels": int((torch.as_tensor(found.labels) != labels).sum()) if same else None,
        "logits": round(float((told - logits).abs().max()), 6) if same else None,
        "loss": round(found.figures["eval_loss"] / loss, 4),
        "accuracy": round(found.figures["eval_accuracy"] - right, 4),
    }


METER = ForwardMeter
