"""4-bit NormalFloat weights by bitsandbytes, and what peft does to a model before training on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..nouns import Plan, Setting, Transform


@dataclass(frozen=True)
class Nf4(Transform):
    """Quantise every linear layer that the model spec does not keep."""

    double_quant: bool
    compute: str
    """Dtype of the matrix products."""
    unquantised: str
    """Dtype in which the rest is loaded. Pinned: transformers 4.55 forced fp16, 5.x takes the checkpoint's."""

    def plan(self, plan: Plan, setting: Setting) -> Plan:
        """See `Transform.plan`."""
        config = {
            "load_in_4bit": True,
            "bnb_4bit_quant_type": "nf4",
            "bnb_4bit_use_double_quant": self.double_quant,
            "bnb_4bit_compute_dtype": self.compute,
            # Named, since transformers 5.x no longer finds a classifier by itself.
            "llm_int8_skip_modules": list(setting.model.unquantised),
        }
        return replace(plan, dtype=self.unquantised, quantisation=config)

    def loaded(self, model: Any, setting: Setting) -> Any:
        """See `Transform.loaded`.

        On CPUs with AVX512-BF16 an evaluation forward repacks the weights in place, and training
        after it breaks (bitsandbytes 0.50.2): the fast path is switched off.
        """
        for module in model.modules():
            if hasattr(module, "support_avx512bf16_for_cpu"):
                module.support_avx512bf16_for_cpu = False
        return model

    def prepare(self, model: Any, setting: Setting) -> Any:
        """See `Transform.prepare`. Checkpointing, which peft would switch on here, is a transform of its own."""
        from peft import prepare_model_for_kbit_training

        return prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
