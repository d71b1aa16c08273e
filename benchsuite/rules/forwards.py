"""The model runs more often, or less, in the whole training than steps and evaluations need."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import first, number

FORWARDS = "model.forwards"


def find(seen: Evidence) -> Clue | None:
    """The number of passes in a mode differs."""
    moved = first(seen, FORWARDS)
    if moved is None:
        return None
    sides = [{mode: number(side, mode) or 0 for mode in ("training", "evaluation")} for side in moved[1:]]
    told = [f"in {mode} mode {old:g} -> {sides[1][mode]:g}" for mode, old in sides[0].items() if old != sides[1][mode]]
    if not told:
        return None
    more = sum(sides[1].values()) >= sum(sides[0].values())
    words = f"forward passes of the whole training: {', '.join(told)}"
    return Clue(words=words, parts=(FORWARDS,), direction=1 if more else -1)


RULE = Rule(
    name="forwards",
    rank=36,
    find=find,
    effects={"time.train": 1, "throughput.train": -1, "energy.train": 1, "count.python_calls.*": 1},
    unless=("modes_late", "modes", "updates", "evaluated", "passes", "evaluation_passes", "evaluation_rows"),
    packages=("transformers", "accelerate"),
)
