"""Gradient checkpointing, said aloud: in the published run it was on by a default that its text denies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import compat
from ..nouns import Setting, Transform


@dataclass(frozen=True)
class Checkpointing(Transform):
    """Recompute each layer's activations in the backward pass."""

    reentrant: bool

    def prepare(self, model: Any, setting: Setting) -> Any:
        """See `Transform.prepare`.

        The reentrant form passes no gradient through a segment whose inputs need none, and the
        inputs of a frozen base need none: the embeddings' output is made to.
        """
        if self.reentrant:
            model.enable_input_require_grads()
        compat.enable_checkpointing(model, reentrant=self.reentrant)
        return model
