"""Modules that stay unquantised are loaded in another dtype: 24.0 M elements of BERT-base, 4 bytes for 2.

transformers 4.55 forced fp16 beside 4-bit weights, 5.x takes the checkpoint's dtype.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import CURVE, RESIDENT, TIME, WORK, either
from benchsuite.rules._looks import STORED, Entry, Maps, amount, families, is_quantised, maps, number, stored, unpinned
from benchsuite.units import show_change

BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}
DTYPES = "model.dtypes*"
Moved = list[tuple[str, Entry, Entry]]
Hits = list[tuple[Maps, Moved]]


def _moved(found: Maps) -> Moved:
    return [
        (name, old, new)
        for name, old, new in found.shared()
        if not is_quantised(old) and not is_quantised(new) and old.get("dtype") != new.get("dtype")
    ]


def find(seen: Evidence) -> Clue | None:
    """Floating dtypes of the same, unquantised modules differ."""
    candidates = [(found, _moved(found)) for found in maps(seen)]
    hits = [(found, moved) for found, moved in candidates if moved]
    dtypes = seen.like(DTYPES)
    if not hits:
        return _census(seen, dtypes)
    found, moved = hits[0]
    old, new = _dtypes(moved)
    pinned = not found.where
    elements = _elements(seen, dtypes, new) if pinned else None
    parts = {hit.metric for hit, _ in hits} | set(dtypes if pinned else seen.like(STORED))
    return Clue(
        unpinned=bool(found.where),
        words="; ".join(_told(seen, alike, elements) for alike in _by_dtypes(hits)),
        parts=tuple(sorted(parts)),
        direction=1 if BYTES.get(new, 0) >= BYTES.get(old, 0) else -1,
        size=elements * (BYTES.get(new, 0) - BYTES.get(old, 0)) if elements else None,
    )


def _dtypes(moved: Moved) -> tuple[str, str]:
    return str(moved[0][1].get("dtype")), str(moved[0][2].get("dtype"))


def _by_dtypes(hits: Hits) -> list[Hits]:
    """Builds by what became what: one release may widen some and narrow others."""
    found: dict[tuple[str, str], Hits] = {}
    for hit in hits:
        found.setdefault(_dtypes(hit[1]), []).append(hit)
    return list(found.values())


def _told(seen: Evidence, hits: Hits, elements: float | None) -> str:
    """What became what in the first of builds that moved alike, and in how many more; elements are the suite's own."""
    found, moved = hits[0]
    old, new = _dtypes(moved)
    kind = "unquantised modules" if any(is_quantised(e) for e in found.new.values()) else "modules"
    count, grown = (elements, "") if not found.where else _stored(seen, found.where, new)
    who = f"{amount(count)} elements of {kind}" if count else f"{len(moved)} {kind}"
    named = families((name, entry) for name, entry, _ in moved)
    builds = len({hit.where for hit, _ in hits}) - 1
    more = f", and in {builds} more such builds" if builds else ""
    return f"{unpinned(found.where)}{who} are {new}, were {old} ({named}){grown}{more}"


def _stored(seen: Evidence, where: str, dtype: str) -> tuple[float | None, str]:
    """Elements that a build with nothing pinned gained of a dtype, and its bytes in words, where that was recorded."""
    build = where.rpartition(", ")[0]
    old, new = (stored(side, build) for side in seen.pair(STORED) or (None, None))
    gained = (number(new, dtype) or 0.0) - (number(old, dtype) or 0.0)
    sizes = number(old, "bytes"), number(new, "bytes")
    if gained <= 0 or sizes[0] is None or sizes[1] is None:
        return None, ""
    return gained, f", after load {show_change(*sizes, 'B')}"


def _census(seen: Evidence, dtypes: tuple[str, ...]) -> Clue | None:
    """Where no module map shows it, the count of elements by dtype may: some went from one float to another."""
    for metric in dtypes:
        old, new = seen.moved(metric) or ({}, {})
        gained, lost = _floats(old, new, 1), _floats(old, new, -1)
        if gained and lost and gained != lost:
            elements = float((number(new, gained) or 0.0) - (number(old, gained) or 0.0))
            words = f"{amount(elements)} elements of unquantised modules are {gained}, were {lost}"
            width = BYTES[gained] - BYTES[lost]
            return Clue(words=words, parts=dtypes, direction=1 if width >= 0 else -1, size=elements * width)
    return None


def _floats(old: JSON, new: JSON, way: int) -> str:
    tables = [value if isinstance(value, Mapping) else {} for value in (old, new)]
    names = (dtype for dtype in BYTES if dtype in {*tables[0], *tables[1]})
    return next((d for d in names if way * ((number(new, d) or 0.0) - (number(old, d) or 0.0)) > 0), "")


def _elements(seen: Evidence, dtypes: tuple[str, ...], dtype: str) -> float | None:
    for metric in dtypes:
        old, new = seen.moved(metric) or ({}, {})
        gained = (number(new, dtype) or 0.0) - (number(old, dtype) or 0.0)
        if gained > 0:
            return gained
    return None


RULE = Rule(
    name="unquantised_dtype",
    rank=20,
    find=find,
    effects={
        **RESIDENT,
        **either(CURVE),
        **either(TIME),
        **either(WORK),
        "model.*": 0,
        "optimizer.gradient*": 0,
        "optimizer.backward.*": 0,
        "function.*": 0,
        "saved.bytes": 1,
    },
    packages=("transformers", "peft"),
)
