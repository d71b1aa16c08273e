"""The operator census of one training step and of a short evaluation: how many, which, their FLOPs, copies, and waits.

Seen by torch's dispatcher, forward and backward, on any device: so are the attention that runs, whatever the
configuration calls it, and the dropout that is drawn, whatever the modules hold. Operators that torch has no formula
for, bitsandbytes' and the CPU's attention among them, are given theirs here; FLOPs of elementwise
operators are not counted, as everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from math import prod
from typing import Any

from ..nouns import JSON
from ..scene import Scene
from ._probing import SessionMeter, count, exact, shown
from ._watch import evaluate
from .kernels import COPY as COPIES

# The same on every CPU capability and thread count (AVX512, AVX2, default; 1 and 2 threads).
OPERATORS = count("count.operators.step", "operators a step", same_stack=True, relative=0.0)
BY_NAME = shown("operators.by_name", "operators by name")
FLOPS = count("count.flops.step", "FLOPs a step", relative=0.001)
SYNCS = count("count.syncs.step", "waits for the device a step", same_stack=True, relative=0.0)
SYNCS_BETWEEN = count("count.syncs.between", "waits for the device between steps", same_stack=True, relative=0.0)
EVALUATION = count("count.operators.evaluation", "operators of an evaluation", same_stack=True, relative=0.0)
EVALUATION_BY_NAME = shown("operators.evaluation", "operators of an evaluation by name")
# Which kernel is chosen is torch's to say, by device and shape; plain products have no name of their own.
ATTENTION = exact("model.attention.dispatched", "attention as dispatched", depends_on=("gpu",))
DROPOUT = exact("model.dropout.drawn", "dropout as drawn: how often with which share")
PRODUCTS = exact("model.products", "share of FLOPs by dtype")
ATTENTION_WORDS = ("scaled_dot_product", "flash", "efficient_attention", "fmha")
COPYING = ("aten._to_copy", "aten.copy_", "aten.clone")

Formula = Callable[..., int]


@dataclass
class Seen:
    """What the dispatcher was asked for."""

    operators: Counter[str] = field(default_factory=Counter)
    dropout: Counter[str] = field(default_factory=Counter)
    flops: Counter[str] = field(default_factory=Counter)
    """By the dtype of what is computed."""
    syncs: int = 0

    def add(self, func: Any, args: Any, kwargs: Mapping[str, Any], out: Any) -> None:
        """Count one call."""
        self.operators[str(func)] += 1
        self.syncs += waits(func, args, out)
        share = dropped(func, args, kwargs)
        if share:
            self.dropout[f"{share:.6g}"] += 1

    @property
    def names(self) -> dict[str, int]:
        """Calls by operator."""
        return dict(sorted(self.operators.items()))

    @property
    def attention(self) -> list[str]:
        """Operators that are an attention by themselves."""
        return [name for name in self.names if any(word in name for word in ATTENTION_WORDS)]

    @property
    def shares(self) -> dict[str, float]:
        """Share of the FLOPs by dtype."""
        return {name: round(flops / self.flops.total(), 3) for name, flops in sorted(self.flops.items())}

    @property
    def copies(self) -> int:
        """Calls that copy a tensor to another place, dtype or layout."""
        return sum(calls for name, calls in self.operators.items() if name.startswith(COPYING))


class OperatorMeter(SessionMeter):
    """Counts over one step, one stretch between steps, and the evaluation of a few rows."""

    name = "operators"
    metrics = (
        OPERATORS, BY_NAME, FLOPS, SYNCS, SYNCS_BETWEEN, EVALUATION, EVALUATION_BY_NAME, ATTENTION, DROPOUT, PRODUCTS,
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.training, self.beside, self.evaluation = Seen(), Seen(), Seen()

    def instrument(self, scene: Scene) -> AbstractContextManager[Any]:
        """See `SessionMeter.instrument`."""
        return census(self.training)

    def between(self, scene: Scene) -> AbstractContextManager[Any]:
        """See `SessionMeter.between`."""
        return census(self.beside)

    def trained(self, scene: Scene) -> None:
        """See `SessionMeter.trained`."""
        with census(self.evaluation):
            evaluate(scene)

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`. A CPU has no copies but those that the dispatcher sees; CUDA's own count has more."""
        step, evaluation = self.training, self.evaluation
        found: dict[str, JSON] = {
            OPERATORS.name: step.operators.total(),
            BY_NAME.name: step.names,
            FLOPS.name: step.flops.total(),
            SYNCS.name: step.syncs,
            SYNCS_BETWEEN.name: self.beside.syncs,
            EVALUATION.name: evaluation.operators.total(),
            EVALUATION_BY_NAME.name: evaluation.names,
            ATTENTION.name: {"training": step.attention, "evaluation": evaluation.attention},
            DROPOUT.name: {"training": dict(sorted(step.dropout.items())), "evaluation": dict(evaluation.dropout)},
        }
        found[PRODUCTS.name] = {"training": step.shares, "evaluation": evaluation.shares}
        return found if scene.on_cuda else {**found, COPIES.name: step.copies}


def census(seen: Seen) -> AbstractContextManager[Any]:
    """Adds every operator inside to `seen`."""
    from torch.utils._python_dispatch import TorchDispatchMode

    known = formulas()

    class Census(TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = func(*args, **(kwargs or {}))
            seen.add(func, args, kwargs or {}, out)
            formula = known.get(func._overloadpacket)
            if formula is not None:
                seen.flops[dtype(out)] += int(formula(*args, **(kwargs or {}), out_val=out))
            return out

    mode: AbstractContextManager[Any] = Census()
    return mode


def dtype(out: Any) -> str:
    """The dtype of what an operator returns, of the first where it returns several."""
    first = out[0] if isinstance(out, tuple | list) else out
    return str(first.dtype).removeprefix("torch.")


def dropped(func: Any, args: Any, kwargs: Mapping[str, Any]) -> float:
    """The share that an operator drops out, 0 for one that drops nothing; `bernoulli_` is told what it keeps."""
    named = {argument.name: value for argument, value in zip(func._schema.arguments, args, strict=False)} | dict(kwargs)
    name = str(func)
    if name.startswith("aten.bernoulli_.float"):
        return round(1.0 - float(named.get("p", 0.5)), 6)
    share = named.get("dropout_p", named.get("p") if "dropout" in name else None)
    return float(share) if isinstance(share, float) and named.get("train") is not False else 0.0


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
            "gemv_4bit": matrix_product, "gemm_4bit": matrix_product,
            "int8_linear_matmul": matrix_product, "int8_scaled_mm": matrix_product,
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
