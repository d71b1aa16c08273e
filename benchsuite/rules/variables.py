"""Environment variables that change numerics, memory or threads differ."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import Move, moves, plain
from benchsuite.nouns import JSON
from benchsuite.rules._effects import FUNCTION, RESIDENT, TIME, WORK, either
from benchsuite.rules._looks import some

PART, NOTE = "stack.variables", "variables"


def find(seen: Evidence) -> Clue | None:
    """A variable differs, by the fingerprint or by the notes of the environment."""
    old, new = seen.moved(PART) or _notes(seen)
    told = [f"{move.path} {move.words}" for move in moves(old, new) if not _set_by_library(move)]
    if not told:
        return None
    return Clue(words=f"environment variables: {some(told)}", parts=seen.like(PART))


def _set_by_library(move: Move) -> bool:
    """Accelerate tells itself things by variables: which of them there are is its version's doing, not the user's."""
    return move.path.startswith("ACCELERATE_") and "->" not in move.words


def _notes(seen: Evidence) -> tuple[JSON, JSON]:
    sides = [plain(side[0].environment.notes.get(NOTE)) if side else None for side in (seen.old, seen.new)]
    return (sides[0], sides[1]) if all(isinstance(side, dict) for side in sides) else ({}, {})


RULE = Rule(
    name="variables",
    rank=43,
    find=find,
    effects={**FUNCTION, **either(TIME), **either(WORK), **either(RESIDENT), "model.precision_flags": 0, "memory.*": 0},
)
