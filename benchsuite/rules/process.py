"""Training leaves the process otherwise: a thread that runs on, or garbage that nobody collects."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.nouns import JSON
from benchsuite.rules._effects import TIME, either
from benchsuite.rules._looks import first, some

PROCESS = "trainer.process"
WORDS = {"collects": "garbage collection is on", "thresholds": "garbage is collected after"}


def find(seen: Evidence) -> Clue | None:
    """Threads came or went, or the collector is set otherwise."""
    moved = first(seen, PROCESS)
    if moved is None or not all(isinstance(side, Mapping) for side in moved[1:]):
        return None
    _, old, new = moved
    before, now = _threads(old), _threads(new)
    told = [f"threads run on that did not: {some(came)}"] if (came := [n for n in now if n not in before]) else []
    told += [f"threads no longer run on: {some(gone)}"] if (gone := [n for n in before if n not in now]) else []
    rest = (move for move in moves(old, new) if not move.path.startswith("threads"))
    told += [f"{WORDS.get(move.path, move.path)}: {move.words}" for move in rest]
    return Clue(words=f"training leaves the process otherwise: {'; '.join(told)}", parts=(PROCESS,)) if told else None


def _threads(value: JSON) -> list[str]:
    found = value.get("threads") if isinstance(value, Mapping) else None
    return [str(name) for name in found] if isinstance(found, list) else []


RULE = Rule(
    name="process",
    rank=38,
    find=find,
    effects={**either(TIME), "ram.*": 0, "memory.live_*": 0},
    packages=("transformers", "accelerate", "torch", "datasets", "huggingface-hub"),
)
