"""The model is built of other modules: some came, some went, some are of another class. What no nearer rule tells."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import FUNCTION, RESIDENT, TIME, WORK, either
from benchsuite.rules._looks import Entry, Maps, is_dropout, is_quantised, maps, short, some, unpinned


def _told(found: Maps) -> list[str]:
    classes = [
        f"{short(name)} is {new.get('class')}, was {old.get('class')}"
        for name, old, new in found.shared()
        if old.get("class") != new.get("class") and not is_quantised(old) and not is_quantised(new)
    ]
    came = [short(name) for name in found.new if name not in found.old and _counts(found.new[name])]
    went = [short(name) for name in found.old if name not in found.new and _counts(found.old[name])]
    lines = [some(classes, 2)] if classes else []
    lines += [f"{len(came)} modules are new ({some(came, 2)})"] if came else []
    return lines + ([f"{len(went)} modules are gone ({some(went, 2)})"] if went else [])


def _counts(entry: Entry) -> bool:
    return not entry.get("trains") and not is_dropout(entry)


def find(seen: Evidence) -> Clue | None:
    """Modules that do not train came, went or changed class."""
    for found in maps(seen):
        told = _told(found)
        if told:
            return Clue(
                unpinned=bool(found.where), words=unpinned(found.where) + "; ".join(told), parts=(found.metric,)
            )
    return None


RULE = Rule(
    name="module_classes",
    rank=22,
    find=find,
    effects={
        **either(FUNCTION),
        **either(RESIDENT),
        **either(TIME),
        **either(WORK),
        "model.*": 0,
        "optimizer.gradient*": 0,
        "params.*": 0,
        "memory.*": 0,
    },
    unless=("trainable_set", "quantised_set"),
    packages=("transformers", "peft", "bitsandbytes"),
)
