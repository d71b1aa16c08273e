"""Training makes another number of updates."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE
from benchsuite.rules._looks import first, some

UPDATES, APPLIED = "optimizer.updates", "optimizer.applied"


def find(seen: Evidence) -> Clue | None:
    """The number of updates differs, or of those that reached the weights."""
    moved = seen.number_moved(UPDATES)
    if moved is None:
        return _lost(seen)
    old, new = moved
    return Clue(
        words=f"training makes {new:g} updates, made {old:g}",
        parts=seen.like(UPDATES, APPLIED),
        direction=1 if new > old else -1,
    )


def _lost(seen: Evidence) -> Clue | None:
    """As many steps, and yet other updates of some tensors."""
    moved, steps = first(seen, APPLIED), seen.numbers(UPDATES)
    if moved is None or not isinstance(moved[2], dict):
        return None
    told = some(f"{tensors} tensors got {updates} updates" for updates, tensors in moved[2].items())
    of = f" in {steps[1]:g} steps" if steps else ""
    return Clue(words=f"not every step updates every tensor: {told}{of}", parts=(APPLIED,))


RULE = Rule(
    name="updates",
    rank=29,
    find=find,
    effects={**CURVE, "optimizer.lr": 0, "input.*": 0, "optimizer.*": 0, "seeds.rng": 0,
             "time.train": 1, "energy.train": 1},
    unless=("trainable_set", "quantised_set", "optimizer_class", "untrained"),
    packages=("transformers", "accelerate"),
)  # fmt: skip
