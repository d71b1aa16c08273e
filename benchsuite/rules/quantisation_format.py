"""The same modules are quantised, in another format or computing in another dtype."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import FUNCTION, RESIDENT, TIME, WORK, either
from benchsuite.rules._looks import Maps, is_quantised, maps, unpinned

FIELDS = {"quant": "stored as", "compute": "computing in", "class": "of class", "blocksize": "in blocks of"}


def _moves(found: Maps) -> dict[tuple[str, str, str], int]:
    counts: dict[tuple[str, str, str], int] = {}
    for _, old, new in found.shared():
        for field in FIELDS:
            both = is_quantised(old) and is_quantised(new) and field in old and field in new
            if both and old[field] != new[field]:
                key = field, str(old.get(field)), str(new.get(field))
                counts[key] = counts.get(key, 0) + 1
    return counts


def find(seen: Evidence) -> Clue | None:
    """Format, compute dtype or class of quantised modules differ."""
    hits = [(found, moves) for found in maps(seen) if (moves := _moves(found))]
    if not hits:
        return None
    found, moves = hits[0]
    told = [f"{count} quantised modules are {FIELDS[f]} {new}, were {old}" for (f, old, new), count in moves.items()]
    return Clue(
        unpinned=bool(found.where),
        words=unpinned(found.where) + "; ".join(told),
        parts=(*sorted({hit.metric for hit, _ in hits}), *(() if found.where else seen.like("model.quantised_bytes"))),
    )


RULE = Rule(
    name="quantisation_format",
    rank=20,
    find=find,
    effects={
        **either(RESIDENT),
        **either(FUNCTION),
        **either(TIME),
        **either(WORK),
        "model.*": 0,
        "optimizer.gradient*": 0,
        "weights.*": 0,
        "memory.*": 0,
    },
    packages=("bitsandbytes", "transformers"),
)
