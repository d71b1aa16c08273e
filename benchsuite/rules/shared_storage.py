"""Other parameters share memory: a tie is lost, or what should be a copy is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import CURVE, RESIDENT
from benchsuite.rules._looks import first, some

SHARED = "model.shared"


def find(seen: Evidence) -> Clue | None:
    """Sets of names came or went."""
    moved = first(seen, SHARED)
    if moved is None:
        return None
    old, new = (set(_sets(side)) for side in moved[1:])
    told = [f"{names} share memory, and did not" for names in sorted(new - old)]
    told += [f"{names} share memory no longer" for names in sorted(old - new)]
    return Clue(words=some(told, 2), parts=(SHARED,), direction=-1 if new - old else 1) if told else None


def _sets(value: JSON) -> Iterator[str]:
    for stage in value.values() if isinstance(value, Mapping) else ():
        for names in stage if isinstance(stage, list) else ():
            if isinstance(names, list):
                yield " and ".join(map(str, names))


RULE = Rule(
    name="shared_storage",
    rank=22,
    find=find,
    effects={**CURVE, **RESIDENT, "params.*": 0, "model.bytes.*": 1, "saved.*": 0, "count.*": 0, "operators.*": 0},
    packages=("transformers", "peft", "torch"),
)
