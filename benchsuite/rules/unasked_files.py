"""Training leaves files that nobody asked for, or a packed file grew: more than arguments is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._looks import first, larger, size, some

UNASKED, PACKED = "saved.unasked", "saved.packed"


def find(seen: Evidence) -> Clue | None:
    """Files stand beside, or a pickle has another size."""
    unasked, packed = first(seen, UNASKED), first(seen, PACKED)
    told = [f"training leaves {words} that nobody asked for" for words in _beside(*unasked[1:])] if unasked else []
    grown = larger(packed[1], packed[2]) if packed else []
    told += [f"{name}, packed, has {size(now)} at least, was {size(was)}" for name, was, now in grown]
    return Clue(words=some(told, 3), parts=seen.like(UNASKED, PACKED)) if told else None


def _beside(old: JSON, new: JSON) -> Iterator[str]:
    """What is there and was not, or holds another number of files."""
    tables = [value if isinstance(value, Mapping) else {} for value in (old, new)]
    for name, _, now in larger(*tables):
        yield f"{name} ({now:g} files)" if now else f"no {name}"


RULE = Rule(
    name="unasked_files",
    rank=34,
    find=find,
    effects={"time.train": 0, "time.save": 0, "saved.files": 0, "count.python_calls.save": 0},
    unless=("arguments",),
    packages=("transformers", "accelerate"),
)
