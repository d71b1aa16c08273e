"""Gradients of all that trains, in training mode: by the model in 64 bits, and against that by the model itself.

The first sees another formula of the backward pass and of what runs in training alone, checkpoints
among it; the second, and the same question asked of the forward pass, kernels that are wrong in the
precision in which the case computes. Dropout drops nothing here; where it stands is told by masks
that no chance draws. Not covered: dropout inside attention functions, whose masks nobody can set.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from .. import compat, trial
from ..nouns import JSON
from ..scene import Scene
from ._probing import apart, shown
from ._training import (
    KEEPING,
    Gradients,
    apart_from_chance,
    batch,
    distances,
    keeping_all,
    learnt,
    masking,
    rounded,
    standing_out,
    summary,
    told,
    training,
)
from .function import evaluating
from .twin import FixingMeter, along, dealt, fixed, layers, widened

# Measured under `tiny` in fp32, lora, qlora and amp between transformers 4.57.6 and 5.23, under AVX512, AVX2 and
# default, with 1 and 2 threads: the first two are the same to their last digit, 1e-9. Dropout before a norm, not after
# it, moves hidden states by 6e-3 and more, a residual that is detached gradients by 1e-2.
TRAINING = apart(
    "function.exact.training", "the model in 64 bits in training, with masks for dropout", absolute=1e-6, relative=1e-6
)
EXACT = apart("optimizer.backward.exact", "gradients of the model in 64 bits", absolute=1e-6, relative=1e-4)
# Likewise, own gradients: off by 2.2e-6 at most in fp32 and lora, by 0.0019 in qlora, 0.0143 in amp's bfloat16, of
# which the sides differ by a tenth and less; 1.5e-6 and 0.0021 in a Llama and a ModernBERT. A loss of rounded logits:
# 0.003 in fp32. Kernels of another release may round twice as much: three times is news.
OWN = apart("optimizer.backward.own", "all gradients against those in 64 bits", absolute=2e-5, relative=2.0)
OFF = shown("optimizer.backward.off", "tensors whose gradients are off")
# Likewise, hidden states and logits: 8e-7 at most in fp32 and lora, 9.7e-4 in qlora, 0.0126 in amp; the sides differ by
# up to a fifth. GELU by tanh in fp32 alone: 5e-5; a norm that rounds to bfloat16: 0.0017. Without gradients, as
# evaluation has it: what other kernels do in training the gradients tell.
ROUNDING = apart("function.rounding", "hidden states against those in 64 bits", absolute=5e-6, relative=2.0)


class TwinBackwardMeter(FixingMeter):
    """Copies the model before the probe's training, as the meter `twin` does, and lets go of the copy at once."""

    name = "twin_backward"
    metrics = (TRAINING, EXACT, OWN, OFF, ROUNDING)

    def prepared(self, scene: Scene) -> None:
        """See `SessionMeter.prepared`."""
        drawn, inputs = self.drawn(scene), dealt(scene)
        twin = widened(copy.deepcopy(scene.model), drawn)
        with apart_from_chance(scene), fixed(scene.model, drawn):
            wanted = trained(scene, twin, inputs)
            with trial.autocast(scene):
                own = trained(scene, scene.model, inputs)
            off = distances(own, wanted)
            self.found = {
                TRAINING.name: masked(scene, twin, inputs),
                EXACT.name: told_by_size(wanted),
                OWN.name: summary(off),
                OFF.name: standing_out(off),
                ROUNDING.name: rounding(scene, twin, inputs),
            }


def trained(scene: Scene, model: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Gradients in training mode, with dropout that drops nothing."""
    with keeping_all(model, _share(scene)), training(model):
        return learnt(model, batch(scene, inputs))


def masked(scene: Scene, twin: Any, inputs: Mapping[str, Any]) -> dict[str, JSON]:
    """What the layers answer in training mode, where what each dropout module lets pass is masked, too."""
    with compat.without_checkpointing(twin), keeping_all(twin, _share(scene)), masking(twin), training(twin):
        return layers(twin, inputs)


def _share(scene: Scene) -> float:
    """What dropout drops: so little that it is nothing.

    On a GPU there is none at all: one element in some 30 million would be dropped by its generator, which draws ones.
    """
    return 0.0 if scene.on_cuda else KEEPING


def told_by_size(found: Gradients) -> dict[str, JSON]:
    """Norm and sum along a direction of each gradient as shares of the norm of all, and that norm."""
    total = sum(float(g.norm()) ** 2 for g in found.values()) ** 0.5
    shares = {name: told((g.norm() / total, (g * along(g)).sum() / total)) for name, g in found.items() if total}
    return {"all": told([total]), **shares}


def rounding(scene: Scene, twin: Any, inputs: Mapping[str, Any]) -> dict[str, JSON]:
    """How far each layer's hidden states and the logits lie from the twin's, relatively, where the mask keeps them.

    Asked of a copy: a model of transformers 5 that was once asked for hidden states calls more Python ever after.
    """
    import torch

    model = copy.deepcopy(scene.model)
    with torch.no_grad(), evaluating(model), evaluating(twin):
        wanted = twin(**inputs, output_hidden_states=True)
        with trial.autocast(scene):
            own = model(**inputs, output_hidden_states=True)
    kept = inputs["attention_mask"].bool()
    states = zip(own.hidden_states or (), wanted.hidden_states or (), strict=True)
    found: dict[str, JSON] = {f"hidden {i}": _far(a[kept], b[kept]) for i, (a, b) in enumerate(states)}
    return {**found, "logits": _far(own.logits, wanted.logits)}


def _far(own: Any, wanted: Any) -> float:
    return rounded(float((own.double() - wanted).norm() / wanted.norm()))


METER = TwinBackwardMeter
