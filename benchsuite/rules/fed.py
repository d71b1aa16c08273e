"""The Trainer's loop feeds an epoch otherwise than its sampler deals it, or with other labels than the rows' own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import CURVE
from benchsuite.rules._looks import first, number, some

FED = "input.fed"
WRONG = {
    "other_labels": "rows come with labels that are not theirs",
    "unknown": "rows come that the data set does not hold",
    "again": "rows come once too often",
    "left_out": "rows do not come",
}


def find(seen: Evidence) -> Clue | None:
    """An epoch is no longer what rows and sampler say; one that is, and differs, is another rule's."""
    moved = first(seen, FED)
    if moved is None:
        return None
    told = list(_told(*moved[1:]))
    if not told:
        return None
    return Clue(words=f"the Trainer feeds other than its sampler deals: {some(told, 3)}", parts=(FED,))


def _told(old: JSON, new: JSON) -> Iterator[str]:
    epochs = new if isinstance(new, Mapping) else {}
    for name, now in epochs.items():
        was = old.get(name) if isinstance(old, Mapping) else None
        wrong = list(_wrong(was, now))
        at = number(now, "parts")
        place = f" from batch {at:g} on" if at is not None and at != number(was, "parts") else ""
        if wrong:
            yield f"in {name}{place}, {some(wrong)}"
        elif place:
            yield f"{name} is in another order{place}{_again(epochs, name)}"


def _wrong(was: JSON, now: JSON) -> Iterator[str]:
    for key, words in WRONG.items():
        before, after = number(was, key) or 0, number(now, key) or 0
        if before != after:
            yield f"{after:g} {words}{f' ({before:g} before)' if before else ''}"


def _again(epochs: Mapping[str, JSON], name: str) -> str:
    """Which earlier epoch it is all over again, if any."""
    for other, table in epochs.items():
        if other == name:
            return ""
        mine = epochs[name]
        if isinstance(table, Mapping) and isinstance(mine, Mapping) and table.get("content") == mine.get("content"):
            return f", that of {other} again"
    return ""


RULE = Rule(
    name="fed",
    rank=11,
    find=find,
    effects={**CURVE, "input.received": 0, "optimizer.gradient*": 0, "memory.saved_for_backward": 0},
    unless=("tokens", "received"),
    packages=("transformers", "accelerate", "torch", "datasets"),
)
