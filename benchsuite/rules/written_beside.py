"""Weights or the optimizer's state are written by something else than the optimizer's updates."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE
from benchsuite.rules._looks import first, number

WRITES = "optimizer.writes"


def find(seen: Evidence) -> Clue | None:
    """Other writes are found, and were not; or elsewhere than they were."""
    moved = first(seen, WRITES)
    if moved is None:
        return None
    _, old, new = moved
    before, now = number(old, "found"), number(new, "found")
    if before is None or now is None or not isinstance(new, Mapping):
        return None
    if not now:
        return Clue(words="weights and the optimizer's state are no longer written beside its updates", parts=(WRITES,))
    when, updates = new.get("first"), number(new, "updates") or 0
    were = f", was {_times(before)}" if before else ""
    words = (
        f"weights or the optimizer's state are written beside its updates: found {_times(now)}{were}, first {when}, "
        f"after {updates:g} updates"
    )
    return Clue(words=words, parts=(WRITES,))


def _times(count: float) -> str:
    return "once" if count == 1 else f"{count:g} times"


RULE = Rule(
    name="written_beside",
    rank=28,
    find=find,
    effects={**CURVE, "trainer.log": 0},
    packages=("transformers", "accelerate", "torch", "peft"),
)
