"""Batches of rows of like length, padded to a few widths: no arithmetic on padding, and few shapes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..bucketing import Sampler, widths_below
from ..nouns import Plan, Setting, Transform


@dataclass(frozen=True)
class Buckets(Transform):
    """Cut to `length` tokens, or to the profile's limit where that is shorter; pad to the next of a few widths."""

    length: int

    def _widths(self, setting: Setting) -> tuple[int, ...]:
        return widths_below(min(self.length, setting.profile.max_length))

    def plan(self, plan: Plan, setting: Setting) -> Plan:
        """See `Transform.plan`."""
        widths = self._widths(setting)
        return replace(plan, padding="longest", max_length=widths[-1], widths=widths)

    def trainer(self, base: Any, setting: Setting) -> Any:
        """See `Transform.trainer`. The Trainer's own grouping by length was renamed, and draws from a shared state."""
        widths = self._widths(setting)

        class Bucketed(base):  # type: ignore[misc]
            """Draws its rows from buckets."""

            def _get_train_sampler(self, train_dataset: Any = None) -> Sampler:
                rows = self.train_dataset if train_dataset is None else train_dataset
                return Sampler(
                    lengths=[len(ids) for ids in rows["input_ids"][:]],
                    widths=widths,
                    batch=self.args.train_batch_size * self.args.gradient_accumulation_steps,
                    seed=self.args.data_seed,
                )

        return Bucketed
