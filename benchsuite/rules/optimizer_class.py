"""Another optimizer, or another implementation of it: fused, foreach, 8-bit."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import CURVE, RESIDENT, TRAIN_TIME, WORK, either
from benchsuite.rules._looks import default_moved, is_crash, values

OWN = "optimizer.groups"
DEFAULT = "defaults.optimizer"
WAYS = ("fused", "foreach", "capturable")


def _name(value: JSON) -> str:
    names = values(value, "class") or [value if isinstance(value, str) else "optimizer"]
    ways = [way for way in WAYS if any(values(value, way))]
    return f"{names[0]} ({', '.join(ways)})" if ways else str(names[0])


def find(seen: Evidence) -> Clue | None:
    """Class or implementation differ, pinned or not."""
    parts = [metric for metric in (OWN, DEFAULT) if _differs(*(seen.moved(metric) or (None, None)))]
    if not parts or (parts == [DEFAULT] and default_moved(seen, "optim")):
        return None
    old, new = seen.moved(parts[0]) or (None, None)
    unpinned = parts == [DEFAULT]
    words = f"{'with nothing pinned, ' if unpinned else ''}the optimizer is {_name(new)}, was {_name(old)}"
    return Clue(words=words, parts=tuple(parts), unpinned=unpinned)


def _differs(old: JSON, new: JSON) -> bool:
    return not is_crash(new) and _name(old) != _name(new)


RULE = Rule(
    name="optimizer_class",
    rank=30,
    find=find,
    effects={**CURVE, **either(TRAIN_TIME), **either(WORK), **either(RESIDENT), "memory.*": 0, "optimizer.*": 0},
    packages=("transformers", "torch", "bitsandbytes"),
)
