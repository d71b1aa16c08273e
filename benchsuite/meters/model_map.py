"""What the model is made of: parameters, and for every module its class, dtype and part in training.

Read from the model that trains, after the transforms and before the first step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import compat
from ..nouns import JSON, Kind, Measured, Metric, Phase
from ..scene import Meter, Scene


def _exact(name: str, title: str, unit: str = "") -> Metric:
    return Metric(name=name, unit=unit, kind=Kind.EXACT, concern="fingerprint", title=title)


TRAINABLE = _exact("params.trainable", "trainable parameters", "1")
TOTAL = _exact("params.total", "parameters of the base model", "1")
STORED = _exact("params.stored", "tensor elements as stored", "1")
DTYPES = _exact("model.dtypes", "stored elements by dtype")
MODULES = _exact("model.modules", "module map")
CHECKPOINTING = _exact("model.checkpointing", "gradient checkpointing", "1")
ATTENTION = _exact("model.attention", "attention backend")


class ModelMapMeter(Meter):
    """Counts once after load (the base) and once after prepare (what trains)."""

    name = "model_map"
    metrics = (TRAINABLE, TOTAL, STORED, DTYPES, MODULES, CHECKPOINTING, ATTENTION)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is Phase.LOAD:
            return {TOTAL.name: Measured(value=sum(logical(p) for p in scene.model.parameters()))}
        if phase is Phase.PREPARE:
            return {name: Measured(value=value) for name, value in describe(scene.model).items()}
        return {}


def describe(model: Any) -> dict[str, JSON]:
    """All that this meter says of a prepared model, by metric name."""
    parameters = list(model.parameters())
    dtypes: dict[str, int] = {}
    for parameter in parameters:
        dtypes[_name(parameter.dtype)] = dtypes.get(_name(parameter.dtype), 0) + parameter.numel()
    return {
        TRAINABLE.name: sum(p.numel() for p in parameters if p.requires_grad),
        STORED.name: sum(p.numel() for p in parameters),
        DTYPES.name: dict(sorted(dtypes.items())),
        MODULES.name: modules(model),
        CHECKPOINTING.name: int(compat.is_checkpointing(model)),
        ATTENTION.name: getattr(model.config, "_attn_implementation", None),
    }


def logical(parameter: Any) -> int:
    """Elements that a parameter stands for: a packed 4-bit weight stores two in a byte."""
    state = getattr(parameter, "quant_state", None)
    shape = getattr(state, "shape", None)
    return int(parameter.numel() if shape is None else shape.numel())


def modules(model: Any) -> dict[str, JSON]:
    """Every module that holds a parameter itself, or is dropout, by its dotted name."""
    found: dict[str, JSON] = {}
    for name, module in model.named_modules():
        own = dict(module.named_parameters(recurse=False))
        if own or type(module).__name__ == "Dropout":
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
    if hasattr(module, "p"):
        what["dropout"] = module.p
    return what


def _name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


METER = ModelMapMeter
