"""Other parameters train than before: a frozen head, adapters on other layers, a base that is not frozen."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE, RESIDENT, TIME, WORK, either
from benchsuite.rules._looks import Maps, is_head, maps, packed, short, some, unpinned

ADAPTERS = "lora_"
TRAINABLE = "params.trainable"
PARTS = (TRAINABLE, "params.stored", "model.dtypes*", "optimizer.groups", "saved.tensors", "saved.bytes")


def _turned(found: Maps, *, to: bool) -> list[str]:
    # A module that was quantised meanwhile cannot train: that is `quantised_set`'s to tell.
    other_form = {*packed(found, now=True), *packed(found, now=False)}
    pairs = [(n, bool(a.get("trains")), bool(b.get("trains"))) for n, a, b in found.shared() if n not in other_form]
    shared = [name for name, did, does in pairs if did is not to and does is to]
    only = found.new if to else found.old
    other = found.old if to else found.new
    return shared + [n for n, entry in only.items() if n not in other and entry.get("trains")]


def _told(names: list[str], said: str) -> list[str]:
    heads = [name for name in names if is_head(name)]
    adapters = [name for name in names if ADAPTERS in name and name not in heads]
    others = [name for name in names if name not in heads and name not in adapters]
    lines = [f"the head ({some(map(short, heads), 2)}) is {said}"] if heads else []
    lines += [f"{len(adapters)} adapter layers ({some(map(short, adapters), 2)}) are {said}"] if adapters else []
    return lines + ([f"{some(map(short, others))} {'is' if len(others) == 1 else 'are'} {said}"] if others else [])


def find(seen: Evidence) -> Clue | None:
    """A module trains on one side only."""
    for found in maps(seen):
        lost, won = _turned(found, to=False), _turned(found, to=True)
        if lost or won:
            words = "; ".join(_told(lost, "no longer trained") + _told(won, "trained, not so before"))
            parts = (found.metric, *(seen.like(*PARTS) if not found.where else ()))
            return Clue(
                unpinned=bool(found.where), words=unpinned(found.where) + words, parts=parts, direction=1 if won else -1
            )
    return _counted(seen)


def _counted(seen: Evidence) -> Clue | None:
    """Where a module trains in part, as by its bias alone, only the number of parameters tells."""
    moved = seen.number_moved(TRAINABLE)
    if moved is None:
        return None
    old, new = moved
    words = f"{new:,.0f} parameters are trained, {old:,.0f} were"
    return Clue(words=words, parts=seen.like(*PARTS), direction=1 if new > old else -1)


RULE = Rule(
    name="trainable_set",
    rank=21,
    find=find,
    effects={
        **either(CURVE),
        **RESIDENT,
        **either(TIME),
        **either(WORK),
        "memory.*": 0,
        "optimizer.*": 0,
        "weights.*": 0,
        "defaults.*": 0,
        "function.*": 0,
        "model.*": 0,
        "saved.*": 0,
    },
    unless=("quantised_set",),
    packages=("peft", "transformers"),
)
