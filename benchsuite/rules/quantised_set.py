"""Other modules are quantised than before: the head that must train, or one whose name in the skip list was ignored.

transformers 5.x does not skip a classifier in 4-bit quantisation on its own, and matches names in the
skip list by whole prefixes or suffixes only.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import FUNCTION, RESIDENT, TIME, WORK, either
from benchsuite.rules._looks import STORED, Maps, crashed, is_head, maps, packed, short, some, unpinned

COUNTS = (
    "model.dtypes*",
    "saved.tensors",
    "optimizer.groups",
    "model.quantised_bytes",
    "params.stored",
    "params.trainable",
)
"""What follows from the set alone."""
MODES = "defaults.modes"
"""Of a model that crashes as it is made none is known."""
WHEN = {"prepared": "prepared", "adapted": "given an adapter", "run": "trained"}
"""Stages of a build with nothing pinned, as people call them."""


def find(seen: Evidence) -> Clue | None:
    """A module that both sides have is quantised on one of them only."""
    hits = [(m, packed(m, now=True), packed(m, now=False)) for m in maps(seen)]
    hits = [hit for hit in hits if hit[1] or hit[2]]
    if not hits:
        return None
    found, fresh, spared = hits[0]
    parts = {hit.metric for hit, *_ in hits} | set(seen.like(STORED) if found.where else seen.like(*COUNTS))
    ends = _ends(seen, found)
    parts |= set(seen.like(MODES) if ends else ())
    return Clue(
        unpinned=bool(found.where),
        words=unpinned(found.where) + "; ".join(_told(fresh, now=True) + _told(spared, now=False)) + ends,
        parts=tuple(sorted(parts)),
        direction=-1 if fresh and not spared else 1,
    )


def _ends(seen: Evidence, found: Maps) -> str:
    """Where a build with nothing pinned crashes for it."""
    build = found.where.rpartition(", ")[0]
    old, new = (side.get(build) if isinstance(side, Mapping) else None for side in seen.pair(found.metric) or ((), ()))
    where, words = next(crashed(old, new), ("", "")) if build else ("", "")
    return f", and it crashes when {WHEN.get(where, where)} ({words})" if where else ""


def _told(names: list[str], *, now: bool) -> list[str]:
    heads = [name for name in names if is_head(name)]
    others = [name for name in names if not is_head(name)]
    said = "quantised, was not" if now else "no longer quantised"
    lines = [f"the head ({some(map(short, heads))}) is {said}"] if heads else []
    if others:
        kept = ": a skip list that names it is not honoured" if now and len(others) == 1 else ""
        lines.append(f"{some(map(short, others))} {'is' if len(others) == 1 else 'are'} {said}{kept}")
    return lines


RULE = Rule(
    name="quantised_set",
    rank=19,
    find=find,
    effects={**RESIDENT, **either(FUNCTION), **either(TIME), **either(WORK), "saved.*": 0, "weights.*": 0,
             "optimizer.*": 0, "model.*": 0, "params.*": 0, "memory.*": 0},
    packages=("transformers", "bitsandbytes", "peft"),
)  # fmt: skip
