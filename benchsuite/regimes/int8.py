"""8-bit weights by bitsandbytes (LLM.int8), and what peft does to a model before training on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..nouns import Plan, Setting, Transform


@dataclass(frozen=True)
class Int8(Transform):
    """Quantise every linear layer that the model spec does not keep; products are of integers, but for outliers."""

    threshold: float
    """Magnitude from which an input's column is an outlier; bitsandbytes' own is 6."""
    unquantised: str
    """Dtype in which the rest is loaded."""

    def plan(self, plan: Plan, setting: Setting) -> Plan:
        """See `Transform.plan`."""
        config = {
            "load_in_8bit": True,
            "llm_int8_threshold": self.threshold,
            "llm_int8_skip_modules": list(setting.model.unquantised),
        }
        return replace(plan, dtype=self.unquantised, quantisation=config)

    def prepare(self, model: Any, setting: Setting) -> Any:
        """See `Transform.prepare`."""
        from peft import prepare_model_for_kbit_training

        return prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
