"""Learning rate, weight decay and warm-up: what the optimizer is told."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..nouns import Plan, Setting, Transform


@dataclass(frozen=True)
class Recipe(Transform):
    """AdamW with a linear schedule."""

    lr: float
    """Peak learning rate, before the profile's factor."""
    decay: float = 0.0
    warmup: float = 0.0
    """Share of all optimizer steps that warm up."""

    def plan(self, plan: Plan, setting: Setting) -> Plan:
        """See `Transform.plan`. Warm-up is a share here and whole steps later: the Trainer's name for it moved."""
        added = {
            "learning_rate": self.lr * setting.profile.lr_scale,
            "weight_decay": self.decay,
            "warmup_share": self.warmup,
            "lr_scheduler_type": "linear",
        }
        return replace(plan, arguments={**plan.arguments, **added})
