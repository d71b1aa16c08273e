"""Importing the libraries brings in more modules, or fewer."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import counted, larger

MODULES = "stack.modules"


def find(seen: Evidence) -> Clue | None:
    """Modules imported by package differ."""
    moved = seen.moved(MODULES)
    moves = larger(*moved) if moved else []
    if not moves:
        return None
    grown = sum(b - a for _, a, b in moves)
    return Clue(
        words=f"{abs(grown):,.0f} {'more' if grown >= 0 else 'fewer'} modules are imported ({counted(moves)})",
        direction=1 if grown >= 0 else -1,
    )


RULE = Rule(
    name="import_growth",
    rank=53,
    find=find,
    effects={"time.import": 1, MODULES: 0, "ram.after_load": 1},
    packages=("transformers", "peft", "torch", "accelerate"),
)
