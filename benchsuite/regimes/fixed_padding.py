"""Every example padded to one length, as the published run did."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..nouns import Plan, Setting, Transform


@dataclass(frozen=True)
class FixedPadding(Transform):
    """Cut and pad to `length` tokens, or to the profile's limit where that is shorter."""

    length: int

    def plan(self, plan: Plan, setting: Setting) -> Plan:
        """See `Transform.plan`."""
        return replace(plan, padding="fixed", max_length=min(self.length, setting.profile.max_length))
