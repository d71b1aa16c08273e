"""The model as a function, on fixed examples: before training, after it, and saved and reloaded.

The examples are the first validation rows. Logits are taken in evaluation mode and in the case's
own precision. The other forms (padded, repeated, merged) are taken from one more reload of
what the trial saved, in the probe phase; where one process holds all models they are left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .. import trial
from ..nouns import JSON, Measured, Phase
from ..scene import Scene
from ._probing import CPU, SessionMeter, apart, caught, crash, exact, guarded

ROWS = 8
"""Examples looked at."""
PAD = 8
"""Pad tokens beyond the longest example, where the model has room for them."""


# Measured under `tiny` between CPU capabilities (AVX512, AVX2, default), 1 and 2 threads, and transformers 4.55.3 and
# 5.23: initial logits (0.03 large) lie within 1.9e-5; trained ones (1.6 large) within 1e-6 in fp32 and 0.078 in qlora.
INIT = apart("function.logits_init", "logits before training", absolute=1e-3, relative=0.01)
TRAINED = apart("function.logits_trained", "logits after training", absolute=0.25, relative=0.05)
# On one CPU and one stack every bit repeats, so that any other arithmetic shows here, however little it does.
BITS = exact(
    "function.trained_bits", "logits after training, bit for bit", same_stack=True, depends_on=(*CPU, "cpu_model")
)  # fmt: skip
# Likewise: 0 in fp32; 5.9e-4 to 7.7e-4 in qlora, whose norms train in fp32 and are reloaded in fp16.
RELOAD = apart("function.reload_drift", "logits, reloaded against saved", absolute=2e-3, relative=0.5)
# Likewise: 4e-7 at most in fp32; 0 or 9.8e-4, one step of fp16, in qlora. An ignored mask moves 0.1 and more.
PADDING = apart("function.padding_drift", "logits, padded against unpadded", absolute=5e-3, relative=0.5)
# Likewise: 0 everywhere, and as much as padding moves where a mask takes another kernel: 0.0035 in qlora on an H200.
MASKLESS = apart("function.maskless_drift", "logits, without a mask against a full one", absolute=0.02, relative=0.5)
# Likewise: 0 everywhere. Dropout left on moves 0.01 and more.
REPEAT = apart("function.repeat_drift", "logits, one forward against the next", absolute=1e-4)
# Likewise: 0.011 to 0.014, the rounding of merged weights to 4 bits; in 32 bits 1e-6.
MERGE = apart("function.merge_drift", "logits, adapter merged against apart", absolute=0.02, relative=0.5)


class FunctionMeter(SessionMeter):
    """Logits twice, and five differences between forms that should say the same."""

    name = "function"
    metrics = (INIT, TRAINED, BITS, RELOAD, PADDING, MASKLESS, REPEAT, MERGE)

    def __init__(self) -> None:
        super().__init__()
        self.initial: Any = None
        self.trained_logits: Any = None

    def prepared(self, scene: Scene) -> None:
        """See `SessionMeter.prepared`."""
        self.initial = logits(scene, scene.model)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`. What a forward of `ROWS` examples takes is less than any peak of training."""
        if phase is Phase.TRAIN:
            return guarded(lambda: self._after_training(scene), (TRAINED, BITS))
        return super().stop(phase, scene)

    def _after_training(self, scene: Scene) -> Mapping[str, JSON]:
        self.trained_logits = logits(scene, scene.model)
        found: dict[str, JSON] = {TRAINED.name: _rounded(self.trained_logits)}
        if not scene.on_cuda:
            # A GPU adds in no fixed order.
            found[BITS.name] = digest(self.trained_logits)
        return found

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        try:
            trial.reload(scene)
            return {INIT.name: _rounded(self.initial), **self._turned_over(scene)}
        finally:
            trial.release(scene)

    def _turned_over(self, scene: Scene) -> dict[str, JSON]:
        first, single = logits(scene, scene.model), unpadded(scene, scene.model)
        found: dict[str, JSON] = {
            RELOAD.name: drift(self.trained_logits, first),
            REPEAT.name: drift(first, logits(scene, scene.model)),
            PADDING.name: drift(padded(scene, scene.model), single),
            MASKLESS.name: attempt(lambda: drift(unpadded(scene, scene.model, masked=False), single)),
        }
        if hasattr(scene.model, "merge_and_unload"):
            found[MERGE.name] = attempt(lambda: drift(first, logits(scene, scene.model.merge_and_unload())))
        return found


def attempt(measure: Callable[[], JSON]) -> JSON:
    """What `measure` returns, or its crash as a text."""
    try:
        return measure()
    except Exception as error:  # noqa: BLE001 - whatever a library raises is what was measured
        return crash(caught(error))


def drift(one: Any, other: Any) -> float:
    """Largest absolute difference of two sets of logits."""
    return round(float((one - other).abs().max()), 7)


def digest(found: Any) -> str:
    """Digest of the very bits."""
    return hashlib.sha256(found.contiguous().numpy().tobytes()).hexdigest()[:16]


def logits(scene: Scene, model: Any) -> Any:
    """Rows x classes, float32 on the CPU, of the fixed examples as the plan pads them."""
    return _forward(scene, model, examples(scene))


def padded(scene: Scene, model: Any) -> Any:
    """The same, with every example padded beyond the longest by `PAD` tokens at least."""
    batch = examples(scene)
    longest = max(map(sum, batch["attention_mask"]))
    room = getattr(model.config, "max_position_embeddings", longest + PAD)
    return _forward(scene, model, batch, padding="max_length", max_length=min(longest + PAD, room))


def unpadded(scene: Scene, model: Any, *, masked: bool = True) -> Any:
    """The same, each example by itself and without any pad token; with a mask that leaves nothing out, or none."""
    import torch

    batch = examples(scene)
    rows = [{name: [values[i]] for name, values in batch.items()} for i in range(len(batch["attention_mask"]))]
    return torch.cat([_forward(scene, model, row, masked=masked) for row in rows])


def examples(scene: Scene) -> dict[str, list[list[int]]]:
    """The fixed examples without labels and without pad tokens."""
    rows = scene.rows["validation"][:ROWS]
    return strip({name: values for name, values in rows.items() if name != "labels"})


def strip(batch: Mapping[str, list[list[int]]]) -> dict[str, list[list[int]]]:
    """A batch of token lists without the positions that its mask leaves out."""
    masks = batch["attention_mask"]
    return {
        name: [
            [value for value, kept in zip(row, mask, strict=True) if kept]
            for row, mask in zip(values, masks, strict=True)
        ]
        for name, values in batch.items()
    }


def _forward(scene: Scene, model: Any, batch: Mapping[str, Any], *, masked: bool = True, **padding: Any) -> Any:
    import torch

    tensors = dict(scene.tokenizer.pad(dict(batch), return_tensors="pt", **padding))
    if not masked:
        del tensors["attention_mask"]
    with evaluating(model), torch.no_grad(), trial.autocast(scene):
        return model(**{name: tensor.to(scene.device) for name, tensor in tensors.items()}).logits.float().cpu()


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """`model` in evaluation mode; afterwards each module is as it was."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _rounded(found: Any) -> list[list[float]]:
    return [[round(value, 6) for value in row] for row in found.tolist()]


METER = FunctionMeter
