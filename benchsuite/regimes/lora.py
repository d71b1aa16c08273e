"""Low-rank adapters by peft on a frozen base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..nouns import Setting, Transform


@dataclass(frozen=True)
class Lora(Transform):
    """Train rank-`r` updates of the model's target layers, and its classification head."""

    r: int
    alpha: int
    dropout: float

    adapter = True

    def prepare(self, model: Any, setting: Setting) -> Any:
        """See `Transform.prepare`. Every field whose default could move is named."""
        from peft import LoraConfig, TaskType, get_peft_model

        config = LoraConfig(
            r=self.r,
            lora_alpha=self.alpha,
            lora_dropout=self.dropout,
            # Empty: peft's own mapping for the architecture.
            target_modules=list(setting.model.lora_targets) or None,
            task_type=TaskType.SEQ_CLS,
            bias="none",
            init_lora_weights=True,
            use_rslora=False,
            use_dora=False,
        )
        return get_peft_model(model, config)

    def restore(self, model: Any, folder: str, setting: Setting) -> Any:
        """See `Transform.restore`. `AutoPeftModel` would load the base unquantised without saying so."""
        from peft import PeftModel

        return PeftModel.from_pretrained(model, folder, is_trainable=False)
