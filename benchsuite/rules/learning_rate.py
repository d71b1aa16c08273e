"""The learning rate takes another course: another peak, warm-up or decay, or another number of steps."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE
from benchsuite.rules._looks import first
from benchsuite.units import is_number

SERIES = "optimizer.lr"


def find(seen: Evidence) -> Clue | None:
    """The series of the steps' rates differs."""
    moved = first(seen, SERIES)
    if moved is None or not all(isinstance(side, list) for side in moved[1:]):
        return None
    old, new = ([v for v in side if is_number(v)] for side in moved[1:])
    if not old or not new:
        return None
    at = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    steps = f"; {len(new)} steps, {len(old)} before" if len(old) != len(new) else ""
    place = f"from step {at + 1} on it is {new[at]:.3g}, was {old[at]:.3g}" if at < min(len(old), len(new)) else ""
    last = f"it ends at {new[-1]:.3g}, did at {old[-1]:.3g}" if old[-1] != new[-1] else ""
    told = ", ".join(part for part in (place, last) if part) or "it is cut short or goes on longer"
    return Clue(words=f"the learning rate takes another course: {told}{steps}", parts=(SERIES,))


RULE = Rule(
    name="learning_rate",
    rank=30,
    find=find,
    effects={**CURVE, "optimizer.groups": 0, "optimizer.groups.after": 0},
    packages=("transformers", "accelerate", "torch"),
)
