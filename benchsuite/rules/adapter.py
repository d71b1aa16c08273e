"""An adapter is scaled otherwise than before, or dropout is set otherwise, came or went."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import Maps, is_dropout, maps, short, some, unpinned

FIELDS = ("scaling", "dropout", "r", "lora_alpha")


def _moves(found: Maps) -> dict[tuple[str, str, str], int]:
    counts: dict[tuple[str, str, str], int] = {}
    for _, old, new in found.shared():
        for field in FIELDS:
            if old.get(field) != new.get(field):
                key = field, _value(old.get(field)), _value(new.get(field))
                counts[key] = counts.get(key, 0) + 1
    return counts


def _value(value: JSON) -> str:
    """A field's value; a table by adapter that holds one as that one."""
    if isinstance(value, Mapping) and len(value) == 1:
        return str(next(iter(value.values())))
    return "none" if value is None else str(value)


def _dropouts(found: Maps) -> list[str]:
    """What is said of dropout modules on one side only."""
    came = [name for name in found.new if name not in found.old and is_dropout(found.new[name])]
    went = [name for name in found.old if name not in found.new and is_dropout(found.old[name])]
    sides = ((came, "new"), (went, "gone"))
    return [
        f"dropout is {words} in {len(names)} places ({some(map(short, names), 2)})" for names, words in sides if names
    ]


def find(seen: Evidence) -> Clue | None:
    """Scaling, rank or dropout of modules that both sides have differ."""
    for found in maps(seen):
        told = [f"{field} of {n} modules is {new}, was {old}" for (field, old, new), n in _moves(found).items()]
        told += _dropouts(found)
        if told:
            return Clue(
                unpinned=bool(found.where), words=unpinned(found.where) + "; ".join(told), parts=(found.metric,)
            )
    return None


RULE = Rule(
    name="adapter",
    rank=21,
    find=find,
    effects={
        **CURVE,
        **either(WORK),
        "function.*": 0,
        "model.layers": 0,
        "model.modules*": 0,
        "model.dropout.scale": 0,
        "optimizer.backward.*": 0,
    },
    unless=("trainable_set",),
    packages=("peft", "transformers"),
)
