"""Puts rows of different lengths together into one batch of tensors, as wide as the longest needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .bucketing import padded, width_of


@dataclass(frozen=True)
class Collator:
    """Puts rows together into tensors, as wide as the longest needs."""

    widths: Sequence[int]
    pads: Mapping[str, int]
    """What each column of tokens is padded with; other columns hold one number a row."""
    left: bool
    """True where padding goes before the text."""

    @classmethod
    def of(cls, tokenizer: Any, widths: Sequence[int]) -> Collator:
        """The one that pads as `tokenizer` would."""
        pads = {
            "input_ids": tokenizer.pad_token_id, "attention_mask": 0, "token_type_ids": tokenizer.pad_token_type_id
        }  # fmt: skip
        return cls(widths=tuple(widths), pads=pads, left=tokenizer.padding_side == "left")

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Rows x width integers a column of tokens, rows integers a column of numbers."""
        import torch

        width = width_of(max(len(row["input_ids"]) for row in rows), self.widths)
        return {name: torch.tensor([self._values(row, name, width) for row in rows]) for name in rows[0]}

    def _values(self, row: Mapping[str, Any], name: str, width: int) -> Any:
        if name not in self.pads:
            return row[name]
        return padded(row[name], width=width, pad=self.pads[name], left=self.left)
