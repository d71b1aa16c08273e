"""The named regimes. One line each; another package adds its own by an entry point (docs/howto/own-parts.md)."""

from __future__ import annotations

from collections.abc import Mapping

from ..nouns import Transform
from .autocast import Autocast
from .buckets import Buckets
from .checkpointing import Checkpointing
from .cuda_graphs import CudaGraphs
from .fixed_padding import FixedPadding
from .half import Half
from .int8 import Int8
from .lora import Lora
from .nf4 import Nf4
from .recipe import Recipe

PADDED = FixedPadding(length=128)
BUCKETS = Buckets(length=128)
FULL_RECIPE = Recipe(lr=2e-5)
LORA_RECIPE = Recipe(lr=2e-4, decay=0.01, warmup=0.1)
LORA = Lora(r=16, alpha=32, dropout=0.1)
HALF = Half(dtype="float16")
INT8 = Int8(threshold=6.0, unquantised="float16")
NF4 = Nf4(double_quant=True, compute="float16", unquantised="float16")
NF4_PLAIN = Nf4(double_quant=False, compute="float16", unquantised="float16")
RECOMPUTED = Checkpointing(reentrant=True)

PUBLISHED: Mapping[str, tuple[Transform, ...]] = {
    "fp32": (PADDED, FULL_RECIPE),
    "qlora": (NF4, RECOMPUTED, LORA, PADDED, LORA_RECIPE),
    "qlora-nogc": (NF4, LORA, PADDED, LORA_RECIPE),
    "lora": (LORA, PADDED, LORA_RECIPE),
    "amp": (Autocast(), PADDED, FULL_RECIPE),
    # What takes the step from fp32 to qlora apart: each of these differs from a neighbour in one thing.
    "lora-half": (HALF, LORA, PADDED, LORA_RECIPE),
    "int8-lora": (INT8, LORA, PADDED, LORA_RECIPE),
    "qlora-nodq": (NF4_PLAIN, RECOMPUTED, LORA, PADDED, LORA_RECIPE),
    "qlora-nodq-nogc": (NF4_PLAIN, LORA, PADDED, LORA_RECIPE),
}
"""Padded as the published run was."""


def bucketed(transforms: tuple[Transform, ...]) -> tuple[Transform, ...]:
    """The same with batches of rows of like length."""
    return tuple(BUCKETS if transform is PADDED else transform for transform in transforms)


REGIMES: Mapping[str, tuple[Transform, ...]] = {
    **PUBLISHED,
    **{f"{name}-dyn": bucketed(transforms) for name, transforms in PUBLISHED.items()},
    "amp-fast": (Autocast(), CudaGraphs(), BUCKETS, FULL_RECIPE),
}
