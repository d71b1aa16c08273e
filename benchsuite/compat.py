"""The differences between the supported versions of transformers, 4.55.3 to 5.x, in one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any
from unittest.mock import patch


def dtype_argument(dtype: Any) -> dict[str, Any]:
    """`from_pretrained`'s dtype under the name that this version listens to (renamed in 4.56)."""
    import transformers
    from packaging.version import Version

    name = "dtype" if Version(transformers.__version__) >= Version("4.56.0") else "torch_dtype"
    return {name: dtype}


def enable_checkpointing(model: Any, *, reentrant: bool) -> None:
    """Switch gradient checkpointing on (renamed to activation checkpointing in late 5.x)."""
    name = "activation_checkpointing" if hasattr(model, "activation_checkpointing_enable") else "gradient_checkpointing"
    getattr(model, f"{name}_enable")(**{f"{name}_kwargs": {"use_reentrant": reentrant}})


def is_checkpointing(model: Any) -> bool:
    """Whether a model recomputes activations."""
    late = getattr(model, "is_activation_checkpointing", None)
    return bool(getattr(model, "is_gradient_checkpointing", False) if late is None else late)


FLAGS = ("gradient_checkpointing", "activation_checkpointing")
"""What a module that recomputes calls its switch."""


def checkpointing_modules(model: Any) -> list[Any]:
    """Modules whose switch is on: layers, and what holds them."""
    return [module for module in model.modules() if any(vars(module).get(flag) is True for flag in FLAGS)]


def checkpointing_layers(model: Any) -> list[Any]:
    """Those of them that hold no other: what is computed again in one piece."""
    every = checkpointing_modules(model)
    known = {id(module) for module in every}
    return [module for module in every if not any(id(sub) in known for sub in module.modules() if sub is not module)]


def checkpointing_kinds(model: Any) -> list[str]:
    """What layers that recompute call, as "checkpoint use_reentrant=True": each once, none for a model without."""
    called = (vars(module).get("_gradient_checkpointing_func") for module in checkpointing_modules(model))
    return sorted({_called(function) for function in called if function is not None})


def _called(function: Any) -> str:
    """A function's name with what is fixed of its arguments, where that is a plain value."""
    fixed = {k: v for k, v in getattr(function, "keywords", {}).items() if isinstance(v, bool | int | str)}
    name = getattr(getattr(function, "func", function), "__name__", "")
    return " ".join([name or type(function).__name__, *(f"{k}={v}" for k, v in sorted(fixed.items()))])


@contextmanager
def without_checkpointing(model: Any) -> Iterator[None]:
    """Inside, `model` recomputes nothing; the flag is each layer's own, so that how it checkpoints stays set."""
    held = [(module, name) for module in model.modules() for name in FLAGS if vars(module).get(name) is True]
    for module, name in held:
        setattr(module, name, False)
    try:
        yield
    finally:
        for module, name in held:
            setattr(module, name, True)


def bare_optimizer(optimizer: Any) -> Any:
    """The torch optimizer under accelerate's wrapper."""
    return getattr(optimizer, "optimizer", optimizer)


MASKS = ("transformers.modeling_attn_mask_utils", "transformers.masking_utils")
TRACED = ("is_tracing", "is_torchdynamo_compiling")


@contextmanager
def unread_masks() -> Iterator[None]:
    """Inside, no mask's values decide what is computed: read there, they would end a recording of CUDA graphs.

    Late versions of transformers see by themselves that they are recorded; earlier ones are told that they are traced.
    """
    with ExitStack() as told:
        if not hasattr(import_module("transformers.utils.import_utils"), "is_cuda_stream_capturing"):
            for module in map(import_module, MASKS):
                for name in TRACED:
                    if hasattr(module, name):
                        told.enter_context(patch.object(module, name, lambda *_: True))
        yield
