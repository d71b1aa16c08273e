"""What is drawn under the pinned seed comes out otherwise: head, adapters, or the generators themselves."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.rules._effects import FUNCTION
from benchsuite.rules._looks import first, short, some

ROUNDING = 1e-5
"""Another CPU moves the last bits of a draw: below this a tensor is not named."""
DRAWN = ("weights.initialised", "weights.spread")


def find(seen: Evidence) -> Clue | None:
    """What was drawn, or its spread, differs."""
    moved = first(seen, *DRAWN)
    if moved is None:
        return None
    places = [move.path for move in moves(moved[1], moved[2]) if not move.size <= ROUNDING]
    names = some(dict.fromkeys(short(place.partition("[")[0]) for place in places if place), 3)
    which = f": {names}" if names else ""
    return Clue(words=f"drawn weights come out otherwise under the same seed{which}", parts=seen.like(*DRAWN))


RULE = Rule(
    name="initialisation",
    rank=13,
    find=find,
    effects={**FUNCTION, "seeds.rng": 0, "saved.*": 0},
    unless=("built", "trainable_set", "quantised_set"),
    packages=("transformers", "peft", "torch"),
)
