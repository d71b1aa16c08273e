"""The counts of a Trainer's log against what was done: steps, epochs, and rates times their runtime. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..nouns import JSON

RATE_DIGITS, TIME_DIGITS = 0.5e-3, 0.5e-4
"""How far the Trainer's rounding moves a rate and a runtime."""
EPOCH_DIGITS = 0.5e-2
"""How far versions before 5 round an epoch."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a training did."""

    logged: Sequence[int]
    """Steps done as each entry was written."""
    steps: int
    batches: int
    """Of an epoch."""
    accumulated: int
    """Batches a step."""
    rows: int
    batch: int
    evaluated: int
    """Rows of an evaluation."""
    evaluated_batch: int

    @property
    def steps_an_epoch(self) -> int:
        """Steps of an epoch: the last one may have fewer batches."""
        return math.ceil(self.batches / self.accumulated)

    def epoch(self, steps: int) -> float:
        """How many epochs so many steps are."""
        whole, rest = divmod(steps, self.steps_an_epoch)
        return whole + rest * self.accumulated / self.batches

    @property
    def seen(self) -> tuple[float, ...]:
        """Rows trained on: with an epoch's last batch as it is, and as if it were full, which Trainers say too."""
        whole, rest = divmod(self.steps, self.steps_an_epoch)
        size = self.batch * self.accumulated
        return whole * self.rows + rest * size, self.steps * size


def tally(history: Sequence[Mapping[str, Any]], done: Done) -> dict[str, JSON]:
    """Each count as a share of what was done, the furthest from 1; null where not every entry tells it.

    What rounding alone can have moved is 1, so that the same is said however long a training took.
    """
    if len(history) != len(done.logged):
        return {"entries": len(history) - len(done.logged)}
    entries = list(zip(history, done.logged, strict=True))
    found: dict[str, JSON] = {
        "step": furthest([(entry.get("step"), steps, 0.0) for entry, steps in entries]),
        "epoch": furthest([(entry.get("epoch"), done.epoch(steps), EPOCH_DIGITS) for entry, steps in entries]),
    }
    for name, wanted in _rates(done):
        told = [entry for entry in history if name in entry]
        if told:
            found[name] = furthest([_product(entry, name, wanted) for entry in told])
    return found


def _rates(done: Done) -> Iterator[tuple[str, tuple[float, ...]]]:
    yield "train_samples_per_second", done.seen
    yield "train_steps_per_second", (done.steps,)
    yield "eval_samples_per_second", (done.evaluated,)
    yield "eval_steps_per_second", (math.ceil(done.evaluated / done.evaluated_batch),)


def _product(entry: Mapping[str, Any], name: str, wanted: Sequence[float]) -> tuple[float | None, float, float]:
    """A rate times its runtime, against what may be meant: the first of it where it is none."""
    runtime, rate = entry.get(f"{name.split('_', maxsplit=1)[0]}_runtime"), entry[name]
    if runtime is None:
        return None, wanted[0], 0.0
    product = rate * runtime
    # Twice what rounding can do: the product of both roundings, and the floats' own, are in it too.
    apart = 2 * (runtime * RATE_DIGITS + rate * TIME_DIGITS)
    return product, next((rows for rows in wanted if abs(rows - product) <= apart), wanted[0]), apart


def furthest(pairs: Sequence[tuple[float | None, float, float]]) -> float | None:
    """Of what was told over what was done the share furthest from 1; None where one was not told or means nothing."""
    if not pairs or any(told is None for told, _, _ in pairs):
        return None
    shares = [_share(told, done, apart) for told, done, apart in pairs if told is not None]
    worst = max(shares, key=lambda share: abs(share - 1) if math.isfinite(share) else math.inf)
    return round(worst, 2) if math.isfinite(worst) else None


def _share(told: float, done: float, apart: float) -> float:
    if abs(told - done) <= apart:
        return 1.0
    return told / done if done else math.inf
