"""Mixed precision by autocast: 32-bit weights, half-precision matrix products."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..nouns import Plan, Setting, Transform

BF16_FROM = (8, 0)
"""Compute capability from which bfloat16 is in hardware. torch accepts it on a T4 (7.5) too, and emulates it."""


@dataclass(frozen=True)
class Autocast(Transform):
    """fp16 with loss scaling on CUDA before capability 8.0, bf16 from there on and on the CPU."""

    def plan(self, plan: Plan, setting: Setting) -> Plan:
        """See `Transform.plan`."""
        half = setting.capability is not None and setting.capability < BF16_FROM
        flag = "fp16" if half else "bf16"
        return replace(plan, autocast="float16" if half else "bfloat16", arguments={**plan.arguments, flag: True})
