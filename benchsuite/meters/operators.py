"""The operator census of one training step: how many, which, their FLOPs, and waits for the device.

Seen by torch's dispatcher, forward and backward, on any device. Operators that torch has no formula
for, bitsandbytes' and the CPU's attention among them, are given theirs here; FLOPs of elementwise
operators are not counted, as everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from math import prod
from typing import Any

from ..nouns import JSON
from ..scene import Scene
from ._probing import SessionMeter, count, shown

# The same on every CPU capability and thread count (AVX512, AVX2, default; 1 and 2 threads).
OPERATORS = count("count.operators.step", "operators a step", same_stack=True, relative=0.0)
BY_NAME = shown("operators.by_name", "operators by name")
FLOPS = count("count.flops.step", "FLOPs a step", relative=0.001)
SYNCS = count("count.syncs.step", "waits for the device a step", same_stack=True, relative=0.0)

Formula = Callable[..., int]


class OperatorMeter(SessionMeter):
    """Counts over one step."""

    name = "operators"
    metrics = (OPERATORS, BY_NAME, FLOPS, SYNCS)

    def __init__(self) -> None:
        super().__init__()
        self.operators: Counter[str] = Counter()
        self.flops = 0
        self.syncs = 0

    def instrument(self, scene: Scene) -> AbstractContextManager[Any]:
        """See `SessionMeter.instrument`."""
        from torch.utils._python_dispatch import TorchDispatchMode

        known, meter = formulas(), self

        class Census(TorchDispatchMode):  # type: ignore[misc]
            def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                out = func(*args, **(kwargs or {}))
                meter.operators[str(func)] += 1
                meter.syncs += waits(func, args, out)
                formula = known.get(func._overloadpacket)
                if formula is not None:
                    meter.flops += int(formula(*args, **(kwargs or {}), out_val=out))
                return out

        mode: AbstractContextManager[Any] = Census()
        return mode

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return {
            OPERATORS.name: self.operators.total(),
            BY_NAME.name: dict(sorted(self.operators.items())),
            FLOPS.name: self.flops,
            SYNCS.name: self.syncs,
        }


def waits(func: Any, args: Any, out: Any) -> bool:
    """Whether the host waits here on a GPU: a number read from a tensor, or a copy to the host."""
    name = str(func)
    if name.startswith("aten._local_scalar_dense"):
        return True
    if not name.startswith(("aten._to_copy", "aten.copy_")):
        return False
    source = args[1] if name.startswith("aten.copy_") else args[0]
    return bool(source.device.type != "cpu" and out.device.type == "cpu")


def formulas() -> dict[Any, Formula]:
    """FLOPs by operator: torch's own, and those it lacks."""
    import torch
    from torch.utils.flop_counter import flop_registry

    found: dict[Any, Formula] = dict(flop_registry)
    ours: dict[str, dict[str, Formula]] = {
        "aten": {
            "_scaled_dot_product_flash_attention_for_cpu": attention,
            "_scaled_dot_product_flash_attention_for_cpu_backward": attention_backward,
        },
        "bitsandbytes": {
            "gemv_4bit": matrix_product, "int8_linear_matmul": matrix_product, "int8_scaled_mm": matrix_product,
            "dequantize_4bit": dequantisation, "dequantize_blockwise": dequantisation,
        },
    }  # fmt: skip
    for space, table in ours.items():
        for name, formula in table.items():
            packet = getattr(getattr(torch.ops, space), name, None)
            if packet is not None:
                found.setdefault(packet, formula)
    return found


def attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """Two batched matrix products: scores, and what they weigh."""
    batch, heads, queries, width = query.shape
    keys = key.shape[-2]
    return int(2 * batch * heads * queries * keys * (width + value.shape[-1]))


def attention_backward(_: Any, query: Any, key: Any, value: Any, *__: Any, **___: Any) -> int:
    """Five products: the scores again, and the gradients of scores, query, key and value."""
    batch, heads, queries, width = query.shape
    return int(2 * batch * heads * queries * key.shape[-2] * (3 * width + 2 * value.shape[-1]))


def matrix_product(left: Any, *_: Any, out_val: Any, **__: Any) -> int:
    """Twice the elements of the result times the length of a row of the left factor."""
    return int(2 * prod(out_val.shape) * left.shape[-1])


def dequantisation(*_: Any, out_val: Any, **__: Any) -> int:
    """One product with the block's constant for each element."""
    return int(prod(out_val.shape))


METER = OperatorMeter
