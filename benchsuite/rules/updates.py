"""Training makes another number of updates."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE

UPDATES = "optimizer.updates"


def find(seen: Evidence) -> Clue | None:
    """The number of updates differs."""
    moved = seen.number_moved(UPDATES)
    if moved is None:
        return None
    old, new = moved
    return Clue(
        words=f"training makes {new:g} updates, made {old:g}", parts=(UPDATES,), direction=1 if new > old else -1
    )


RULE = Rule(
    name="updates",
    rank=29,
    find=find,
    effects={**CURVE, "optimizer.lr": 0, "input.order": 0, "input.batches": 0, "seeds.rng": 0,
             "time.train": 1, "energy.train": 1},
    packages=("transformers", "accelerate"),
)  # fmt: skip
