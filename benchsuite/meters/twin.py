"""The model as a function in 64 bits: what it computes, apart from how it rounds.

A copy of the prepared model is widened to float64, quantised weights by what they dequantise to; whatever
no checkpoint file holds, head and adapters, is given fixed values, so that no draw counts and no adapter
is zero. What is left of a difference is another formula: an activation, a norm's epsilon, a mask, a
position, an adapter's scale. Not covered: kernels of lower precision, which the other logits see.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .. import trial
from ..nouns import JSON
from ..scene import Scene
from ._probing import SessionMeter, apart, exact
from .function import ROWS, evaluating, examples
from .weights import match, names

# Measured: 0 to nine digits between transformers 4.57.6 and 5.23 and between CPU capabilities; tanh's GELU: 1e-4.
EXACT = apart("function.exact", "the model in 64 bits, layer by layer", absolute=1e-6, relative=1e-6)
ACTIVATIONS = apart("function.activations", "activation functions in 64 bits", absolute=1e-6, relative=1e-6)
LAYERS = exact("model.layers", "layers without parameters")
# Measured: 0.0013 in qlora on a CPU, whose products are in fp16, and below 0.01 in fp32, under AVX512, AVX2 and
# default, with 1 and 2 threads. A backward pass that halves: 0.5 and more.
BACKWARD = apart("optimizer.backward", "gradients against those of the model in 64 bits", absolute=0.1, relative=0.5)
POINTS = (-3.0, -1.0, -0.3, 0.3, 1.0, 3.0)
"""Where activation functions are tried: tanh's GELU is off by up to 5e-4 there."""
SIZE = 0.05
"""Of the fixed values."""
MOST = 24
"""Tensors whose gradients are compared."""
FLOOR = 1e-3
"""Of the largest gradient: a key's bias has none, since attention does not see it, and what arithmetic leaves there is
1e-18 of the largest in 64 bits and 1e-6 in 32; the smallest of the others is 4e-3."""


class FixingMeter(SessionMeter):
    """A meter that has to know which tensors no checkpoint file holds. What it finds before the training it tells."""

    def __init__(self) -> None:
        super().__init__()
        self.from_file: frozenset[int] = frozenset()
        self.found: dict[str, JSON] = {}

    def loaded(self, scene: Scene) -> None:
        """See `SessionMeter.loaded`."""
        held = dict(scene.model.named_parameters())
        matched = match(tuple(names(scene.source)), held, scene.model.base_model_prefix)
        self.from_file = frozenset(id(held[name]) for name in matched.values())

    def drawn(self, scene: Scene) -> list[str]:
        """Names of the prepared model's tensors that were drawn: head and adapters."""
        return [name for name, p in scene.model.named_parameters() if id(p) not in self.from_file]

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return self.found


class TwinMeter(FixingMeter):
    """Copies the model before the probe's training, and lets go of the copy at once."""

    name = "twin"
    metrics = (EXACT, BACKWARD, ACTIVATIONS, LAYERS)

    def prepared(self, scene: Scene) -> None:
        """See `SessionMeter.prepared`."""
        drawn = self.drawn(scene)
        twin = widened(copy.deepcopy(scene.model), drawn)
        plain = dict(bare_leaves(twin))
        self.found = {
            EXACT.name: layers(twin, _inputs(scene)) | {"logits as dealt": layers(twin, dealt(scene))["logits"]},
            BACKWARD.name: compared(scene, twin, drawn),
            ACTIVATIONS.name: answers(plain.values(), scene.device),
            LAYERS.name: classes(plain.values()),
        }


def _inputs(scene: Scene) -> dict[str, Any]:
    padded = scene.tokenizer.pad(examples(scene), return_tensors="pt")
    return {name: tensor.to(scene.device) for name, tensor in padded.items()}


def dealt(scene: Scene) -> dict[str, Any]:
    """The same examples in the shape in which training deals them."""
    rows = scene.rows["validation"][:ROWS]
    padded = scene.tokenizer.pad({n: values for n, values in rows.items() if n != "labels"}, return_tensors="pt")
    return {name: tensor.to(scene.device) for name, tensor in padded.items()}


def compared(scene: Scene, twin: Any, drawn: Iterable[str]) -> dict[str, float]:
    """How far the model's own gradients lie from its twin's, on the same values and without dropout."""
    inputs = dealt(scene)
    names_ = sample([name for name, p in scene.model.named_parameters() if p.requires_grad])
    with fixed(scene.model, drawn), evaluating(scene.model), trial.autocast(scene):
        own = gradients(scene.model, inputs, names_)
    return farthest(own, gradients(twin, inputs, names_))


def farthest(own: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, float]:
    """Largest relative distance of a tensor's gradient from the wanted one, and of how many tensors.

    Relative to the wanted gradient, or to a share of the largest where it is smaller.
    """
    floor = FLOOR * max((float(w.norm()) for w in wanted.values()), default=0.0)
    norms = {name: max(float(w.norm()), floor) for name, w in wanted.items()}
    apart_ = [float((own[n].double() - wanted[n]).norm()) / norm for n, norm in norms.items() if norm > 0]
    return {"largest": round(max(apart_), 4), "tensors": len(apart_)} if apart_ else {}


def sample(names_: list[str], most: int = MOST) -> list[str]:
    """At most so many, evenly spread."""
    stride = -(-len(names_) // most) or 1
    return names_[::stride]


@contextmanager
def fixed(model: Any, drawn: Iterable[str]) -> Iterator[None]:
    """`model` with the fixed values in its drawn tensors; afterwards as it was."""
    held = {name: p for name, p in model.named_parameters() if name in set(drawn)}
    before = {name: p.detach().clone() for name, p in held.items()}
    try:
        for parameter in held.values():
            parameter.data.copy_(along(parameter.double()))
        yield
    finally:
        for name, parameter in held.items():
            parameter.data.copy_(before[name])


def gradients(model: Any, inputs: Mapping[str, Any], names_: Iterable[str]) -> dict[str, Any]:
    """Gradients of a fixed function of the logits by parameter; a tensor that gets none has zeros."""
    import torch

    held = dict(model.named_parameters())
    wanted = {name: held[name] for name in names_}
    logits = model(**inputs).logits
    whole = (logits.double() * along(logits.double())).sum() / SIZE
    found = torch.autograd.grad(whole, list(wanted.values()), allow_unused=True)
    pairs = zip(wanted.items(), found, strict=True)
    return {name: torch.zeros_like(p) if gradient is None else gradient.detach() for (name, p), gradient in pairs}


def widened(model: Any, drawn: Iterable[str]) -> Any:
    """`model` itself in float64 and evaluation mode, quantised layers by plain ones, `drawn` by fixed values."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            weight = dequantised(child)
            if weight is not None:
                setattr(parent, name, _plain(child, weight))
    model = model.double().eval()
    held = dict(model.named_parameters())
    for name in drawn:
        held[name].data.copy_(along(held[name]))
    return model


def dequantised(layer: Any) -> Any:
    """What a layer's 4-bit or 8-bit weight stands for; None where it has neither."""
    weight = layer._parameters.get("weight")
    if getattr(weight, "quant_state", None) is not None:
        from bitsandbytes.functional import dequantize_4bit

        return dequantize_4bit(weight.data, weight.quant_state)
    # Of 8 bits the largest of each row; it moves from the weight to the layer's state with the first forward pass.
    scale = next((s for s in (getattr(weight, "SCB", None), *_state(layer)) if s is not None), None)
    return None if scale is None else weight.data.double() * scale.double().unsqueeze(1) / 127


def _state(layer: Any) -> list[Any]:
    return [getattr(getattr(layer, "state", None), "SCB", None)]


def _plain(layer: Any, weight: Any) -> Any:
    """A linear layer of a quantised one's dequantised weight."""
    import torch

    made = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=layer.bias is not None, device=weight.device)
    made.weight.data = weight.detach()
    if layer.bias is not None:
        made.bias.data = layer.bias.data
    return made.requires_grad_(requires_grad=False)


def along(like: Any) -> Any:
    """The fixed values in the shape of `like`; as a direction, what a tensor is told by beside its norm."""
    import torch

    return (torch.arange(like.numel(), dtype=like.dtype, device=like.device).cos() * SIZE).view_as(like)


def layers(model: Any, inputs: Mapping[str, Any]) -> dict[str, JSON]:
    """Logits, and of each layer's hidden states, where the mask keeps them, their spread and sum along a direction."""
    import torch

    with torch.no_grad():
        output = model(**inputs, output_hidden_states=True)
    found: dict[str, JSON] = {}
    for i, hidden in enumerate(output.hidden_states or ()):
        kept = hidden[inputs["attention_mask"].bool()]
        found[f"hidden {i}"] = [_kept(kept.square().mean().sqrt()), _kept((kept * along(kept)).sum())]
    return {**found, "logits": [_kept(value) for value in output.logits.flatten()]}


def _kept(number: Any) -> float:
    return round(float(number), 9)


def bare_leaves(model: Any) -> Iterator[tuple[str, Any]]:
    """Modules without parameters, buffers and children, by their dotted name: activations and dropouts."""
    import torch

    for name, module in model.named_modules():
        empty = not any(True for _ in (*module.children(), *module.parameters(), *module.buffers()))
        if empty and type(module).forward is not torch.nn.Module.forward:
            yield name, module


def classes(modules: Iterable[Any]) -> dict[str, int]:
    """Number of modules by class."""
    counts: dict[str, int] = {}
    for module in modules:
        counts[type(module).__name__] = counts.get(type(module).__name__, 0) + 1
    return dict(sorted(counts.items()))


def answers(modules: Iterable[Any], device: str) -> dict[str, JSON]:
    """What one module of each class makes of `POINTS`; those that take anything else are left out."""
    import torch

    points = torch.tensor(POINTS, dtype=torch.float64, device=device)
    found: dict[str, JSON] = {}
    for module in modules:
        try:
            answer = module(points)
        except Exception:  # noqa: BLE001, S112 - a container without parameters that wants something else
            continue
        if getattr(answer, "shape", None) == points.shape:
            found[type(module).__name__] = [_kept(value) for value in answer]
    return dict(sorted(found.items()))


METER = TwinMeter
