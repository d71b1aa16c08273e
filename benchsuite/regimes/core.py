"""The named regimes. One line each; another package adds its own by an entry point (docs: README)."""

from __future__ import annotations

from collections.abc import Mapping

from ..nouns import Transform
from .autocast import Autocast
from .checkpointing import Checkpointing
from .fixed_padding import FixedPadding
from .lora import Lora
from .nf4 import Nf4
from .recipe import Recipe

PADDED = FixedPadding(length=128)
FULL_RECIPE = Recipe(lr=2e-5)
LORA_RECIPE = Recipe(lr=2e-4, decay=0.01, warmup=0.1)
LORA = Lora(r=16, alpha=32, dropout=0.1)
NF4 = Nf4(double_quant=True, compute="float16", unquantised="float16")

REGIMES: Mapping[str, tuple[Transform, ...]] = {
    "fp32": (PADDED, FULL_RECIPE),
    "qlora": (NF4, Checkpointing(reentrant=True), LORA, PADDED, LORA_RECIPE),
    "qlora-nogc": (NF4, LORA, PADDED, LORA_RECIPE),
    "lora": (LORA, PADDED, LORA_RECIPE),
    "amp": (Autocast(), PADDED, FULL_RECIPE),
}
