"""Weights, optimizer state or gradients are written by something else than the updates and what belongs to them."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE
from benchsuite.rules._looks import first, number

WRITES, GRADIENTS, ACROSS = "optimizer.writes", "optimizer.gradients.writes", "optimizer.across"


def find(seen: Evidence) -> Clue | None:
    """Other writes are found, and were not; or elsewhere than they were."""
    told = {WRITES: _beside(seen), ACROSS: _across(seen), GRADIENTS: _gradients(seen)}
    parts = tuple(metric for metric, words in told.items() if words)
    return Clue(words="; ".join(told[metric] for metric in parts), parts=parts) if parts else None


def _beside(seen: Evidence) -> str:
    moved = first(seen, WRITES)
    if moved is None:
        return ""
    _, old, new = moved
    before, now = number(old, "found"), number(new, "found")
    if before is None or now is None or not isinstance(new, Mapping):
        return ""
    if not now:
        return "weights and the optimizer's state are no longer written beside its updates"
    when, updates = new.get("first"), number(new, "updates") or 0
    were = f", was {_times(before)}" if before else ""
    return (
        f"weights or the optimizer's state are written beside its updates: found {_times(now)}{were}, first {when}, "
        f"after {updates:g} updates"
    )


def _across(seen: Evidence) -> str:
    moved = first(seen, ACROSS)
    if moved is None:
        return ""
    _, old, new = moved
    before, now = number(old, "found"), number(new, "found")
    if before is None or now is None:
        return ""
    if not now:
        return (
            "weights and the optimizer's state come unchanged through evaluations, saves and epochs' ends, and did not"
        )
    were = f", was {_times(before)}" if before else ""
    others = [f"{count:g} tensors of its {kind}" for kind in ("weights", "state") if (count := number(new, kind))]
    return (
        f"an evaluation, a save or an epoch's end leaves the training otherwise: {_times(now)}{were}, first after "
        f"{number(new, 'updates') or 0:g} updates ({', '.join(others)})"
    )


def _gradients(seen: Evidence) -> str:
    moved = first(seen, GRADIENTS)
    if moved is None:
        return ""
    before, now = (number(side, "otherwise") for side in moved[1:])
    if not now:
        return "gradients are written as often for every update, and were not"
    at = number(moved[2], "first")
    were = f", was {before:g}" if before else ""
    return f"gradients are written in another way before {now:g} updates{were}: first before update {at or 0:g}"


def _times(count: float) -> str:
    return "once" if count == 1 else f"{count:g} times"


RULE = Rule(
    name="written_beside",
    rank=28,
    find=find,
    effects={**CURVE, "trainer.log": 0},
    packages=("transformers", "accelerate", "torch", "peft"),
)
