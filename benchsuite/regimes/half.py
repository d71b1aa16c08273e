"""Frozen weights kept and multiplied in half precision: QLoRA without its 4 bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from ..nouns import Plan, Setting, Transform


@dataclass(frozen=True)
class Half(Transform):
    """Linear layers of the base in `dtype`, all else as `Nf4` has it, so that these two differ in the 4 bits alone."""

    dtype: str

    def plan(self, plan: Plan, setting: Setting) -> Plan:
        """See `Transform.plan`."""
        return replace(plan, dtype=self.dtype)

    def loaded(self, model: Any, setting: Setting) -> Any:
        """See `Transform.loaded`."""
        for layer in _linear(model, setting):
            layer.__class__ = half_linear()
        return model

    def prepare(self, model: Any, setting: Setting) -> Any:
        """See `Transform.prepare`. What is not multiplied in half precision is cast up, as peft does for 4 bits."""
        model.requires_grad_(requires_grad=False)
        kept = {id(module.weight) for module in model.modules() if isinstance(module, half_linear())}
        for parameter in model.parameters():
            if id(parameter) not in kept:
                parameter.data = parameter.data.float()
        return model


def _linear(model: Any, setting: Setting) -> Iterator[Any]:
    """Linear layers of the base model, but those that the model spec keeps; the head stands beside the base."""
    import torch

    for name, module in model.base_model.named_modules():
        if type(module) is torch.nn.Linear and not _kept(name, setting.model.unquantised):
            yield module


def _kept(name: str, unquantised: tuple[str, ...]) -> bool:
    return any(name == kept or name.endswith(f".{kept}") or name.startswith(f"{kept}.") for kept in unquantised)


@cache
def half_linear() -> Any:
    """The class of a linear layer that multiplies in its weight's dtype and answers in its input's, as a 4-bit one."""
    import torch

    class HalfLinear(torch.nn.Linear):  # type: ignore[misc]
        """See `half_linear`."""

        def forward(self, inputs: Any) -> Any:
            dtype = self.weight.dtype
            bias = None if self.bias is None else self.bias.to(dtype)
            return torch.nn.functional.linear(inputs.to(dtype), self.weight, bias).to(inputs.dtype)

    return HalfLinear
