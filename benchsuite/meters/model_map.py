"""What the model is made of: parameters, and for every module its class, dtype and part in training.

Read from the model that trains, after the transforms and before the first step; and as it was loaded and
reloaded, since preparing for training in 4 bits casts the rest to float32 and hides what was there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import compat
from ..nouns import JSON, Better, Kind, Measured, Metric, Phase
from ..scene import Meter, Scene


def _exact(name: str, title: str, unit: str = "") -> Metric:
    return Metric(name=name, unit=unit, kind=Kind.EXACT, concern="fingerprint", title=title)


TRAINABLE = _exact("params.trainable", "trainable parameters", "1")
TOTAL = _exact("params.total", "parameters of the base model", "1")
STORED = _exact("params.stored", "tensor elements as stored", "1")
DTYPES = _exact("model.dtypes", "stored elements by dtype")
LOADED_DTYPES = _exact("model.dtypes.loaded", "stored elements by dtype, as loaded")
RELOADED_DTYPES = _exact("model.dtypes.reloaded", "stored elements by dtype, as reloaded")
MODULES = _exact("model.modules", "module map")
LOADED_MODULES = _exact("model.modules.loaded", "module map, as loaded")
RELOADED_MODULES = _exact("model.modules.reloaded", "module map, as reloaded")
LOADED_BYTES = Metric(
    name="model.bytes.loaded", unit="B", kind=Kind.BYTES, concern="memory", title="parameters and buffers as loaded",
    better=Better.LOWER, relative=0.0, absolute=0.0,
)  # fmt: skip
CHECKPOINTING = _exact("model.checkpointing", "gradient checkpointing", "1")
KIND = _exact("model.checkpointing.kind", "how gradient checkpoints are made")
# The same for BERT with 4.55.3, 4.57.6 and 5.23.0; which modules of another model have a switch is the release's.
LAYERS = Metric(
    name="model.checkpointing.layers", unit="1", kind=Kind.EXACT, concern="fingerprint",
    title="layers that make gradient checkpoints", same_stack=True,
)  # fmt: skip
ATTENTION = _exact("model.attention", "attention backend")
MODES = _exact("model.modes.loaded", "mode of the model as loaded and reloaded")
QUANTISED = _exact("model.quantised_bytes", "bytes of quantisation constants")

TRAINED = _exact("model.after_training", "what training leaves otherwise than it found")
HOOKS = (
    "_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks", "_state_dict_hooks",
)  # fmt: skip
"""Where a module keeps them."""


STAGES = {Phase.LOAD: "loaded", Phase.RELOAD: "reloaded"}
"""Phases after which a model is as the libraries hand it over, and what it is then."""


class ModelMapMeter(Meter):
    """Counts after load (the base), after prepare (what trains) and after reload; holds training's end to its begin."""

    name = "model_map"
    metrics = (
        TRAINABLE, TOTAL, STORED, DTYPES, LOADED_DTYPES, RELOADED_DTYPES, MODULES, LOADED_MODULES, RELOADED_MODULES,
        LOADED_BYTES, CHECKPOINTING, KIND, LAYERS, ATTENTION, QUANTISED, MODES, TRAINED,
    )  # fmt: skip

    def __init__(self) -> None:
        self.begun: Mapping[str, JSON] = {}
        self.modes: dict[str, JSON] = {}

    def start(self, phase: Phase, scene: Scene) -> None:
        """See `Meter.start`."""
        if phase is Phase.TRAIN:
            self.begun = state(scene.model)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is Phase.TRAIN:
            return {TRAINED.name: Measured(value=otherwise(self.begun, state(scene.model)))}
        look = {Phase.LOAD: loaded, Phase.PREPARE: describe, Phase.RELOAD: reloaded}.get(phase)
        found = look(scene.model) if look else {}
        if phase in STAGES:
            self.modes[STAGES[phase]] = mode(scene.model)
        if phase is Phase.RELOAD:
            found = {**found, MODES.name: dict(self.modes)}
        return {name: Measured(value=value) for name, value in found.items()}


def loaded(model: Any) -> dict[str, JSON]:
    """What is said of the base before it is prepared, by metric name."""
    return {
        TOTAL.name: sum(logical(p) for p in model.parameters()),
        LOADED_DTYPES.name: dtypes(model),
        LOADED_MODULES.name: modules(model),
        LOADED_BYTES.name: nbytes(model),
    }


def reloaded(model: Any) -> dict[str, JSON]:
    """What is said of the reloaded model, by metric name."""
    return {RELOADED_DTYPES.name: dtypes(model), RELOADED_MODULES.name: modules(model)}


def mode(model: Any) -> str:
    """The mode that a model is in: "training", "evaluation", or how many of its modules train."""
    modes = [bool(module.training) for module in model.modules()]
    if len(set(modes)) > 1:
        return f"{sum(modes)} of {len(modes)} modules in training"
    return "training" if modes[0] else "evaluation"


def nbytes(model: Any) -> int:
    """Bytes of parameters and buffers."""
    return sum(int(t.nbytes) for t in (*model.parameters(), *model.buffers()))


def dtypes(model: Any) -> dict[str, JSON]:
    """Stored elements by dtype."""
    found: dict[str, JSON] = {}
    for parameter in model.parameters():
        found[_name(parameter.dtype)] = found.get(_name(parameter.dtype), 0) + parameter.numel()
    return dict(sorted(found.items()))


def describe(model: Any) -> dict[str, JSON]:
    """All that this meter says of a prepared model, by metric name."""
    parameters = list(model.parameters())
    return {
        TRAINABLE.name: sum(p.numel() for p in parameters if p.requires_grad),
        STORED.name: sum(p.numel() for p in parameters),
        DTYPES.name: dtypes(model),
        MODULES.name: modules(model),
        CHECKPOINTING.name: int(compat.is_checkpointing(model)),
        KIND.name: compat.checkpointing_kinds(model),
        LAYERS.name: len(compat.checkpointing_layers(model)),
        ATTENTION.name: getattr(model.config, "_attn_implementation", None),
        QUANTISED.name: quantised_bytes(model),
    }


def state(model: Any) -> dict[str, JSON]:
    """What training is to leave as it is: all that is said of a prepared model, its hooks, and no gradients."""
    return {
        **describe(model),
        "hooks": sum(len(getattr(module, kind, ())) for module in model.modules() for kind in HOOKS),
        "gradients": sum(p.grad is not None for p in model.parameters()),
    }


def otherwise(before: Mapping[str, JSON], after: Mapping[str, JSON]) -> dict[str, JSON]:
    """What differs, as "OLD -> NEW"; of the module map each module's own facts."""
    found: dict[str, JSON] = {}
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found.update({f"{name} {path}": move for path, move in otherwise(old, new).items()})
        elif old != new:
            found[name] = f"{old} -> {new}"
    return found


def logical(parameter: Any) -> int:
    """Elements that a parameter stands for: a packed 4-bit weight stores two in a byte."""
    state = getattr(parameter, "quant_state", None)
    shape = getattr(state, "shape", None)
    return int(parameter.numel() if shape is None else shape.numel())


def quantised_bytes(model: Any) -> dict[str, JSON]:
    """Bytes of the quantised weights' constants, and of the constants' own: what double quantisation saves.

    `get_memory_footprint` is the same with it and without.
    """
    states = [s for p in model.parameters() if (s := getattr(p, "quant_state", None)) is not None]
    nested = [s.state2 for s in states if getattr(s, "state2", None) is not None]
    return {"absmax": sum(s.absmax.nbytes for s in states), "nested": sum(s.absmax.nbytes for s in nested)}


def modules(model: Any) -> dict[str, JSON]:
    """Every module that holds a parameter itself, is dropout or scales an adapter, by its dotted name."""
    found: dict[str, JSON] = {}
    for name, module in model.named_modules():
        own = dict(module.named_parameters(recurse=False))
        if own or type(module).__name__ == "Dropout" or _scaling(module):
            found[name] = _describe(module, own)
    return found


def _describe(module: Any, own: Mapping[str, Any]) -> dict[str, JSON]:
    what: dict[str, JSON] = {"class": type(module).__name__}
    if own:
        first = next(iter(own.values()))
        what["dtype"] = _name(first.dtype)
        what["trains"] = all(p.requires_grad for p in own.values())
        state = getattr(first, "quant_state", None)
        if state is not None:
            what["quant"] = state.quant_type
            what["compute"] = _name(getattr(module, "compute_dtype", None))
            what["blocksize"] = state.blocksize
    if strided(own):
        what["strided"] = strided(own)
    if _scaling(module):
        what["scaling"] = _scaling(module)
    if isinstance(getattr(module, "eps", None), float):
        what["eps"] = module.eps
    if hasattr(module, "p"):
        what["dropout"] = module.p
    return what


def strided(own: Mapping[str, Any]) -> dict[str, list[int]]:
    """Strides of parameters that do not lie in memory row by row; quantised ones are packed as their kernels want."""
    return {name: list(p.stride()) for name, p in own.items() if p.dtype.is_floating_point and not p.is_contiguous()}


def _scaling(module: Any) -> dict[str, float]:
    """An adapter's factor by the adapter's name; attention modules have a plain number of that name."""
    scaling = getattr(module, "scaling", None)
    return {str(name): float(value) for name, value in scaling.items()} if isinstance(scaling, dict) else {}


def _name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


METER = ModelMapMeter
