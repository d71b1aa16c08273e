"""The saved file holds other tensors, or the same in another dtype or shape."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import first, short, some

TENSORS = "saved.tensors"


def find(seen: Evidence) -> Clue | None:
    """Names, dtypes or shapes of the saved tensors differ."""
    moved = first(seen, TENSORS)
    if moved is None or not all(isinstance(side, Mapping) for side in moved[1:]):
        return None
    _, old, new = moved
    gone, came = [n for n in old if n not in new], [n for n in new if n not in old]
    other = [f"{short(n)} {old[n]} -> {new[n]}" for n in old if n in new and old[n] != new[n]]
    told = [f"{len(gone)} tensors are gone ({some(map(short, gone), 2)})"] if gone else []
    told += [f"{len(came)} tensors are new ({some(map(short, came), 2)})"] if came else []
    told += [f"{len(other)} are of another dtype or shape ({some(other, 2)})"] if other else []
    return Clue(
        words=f"the saved file differs: {'; '.join(told)}", parts=(TENSORS,), direction=-1 if gone and not came else 1
    )


RULE = Rule(
    name="saved_file",
    rank=23,
    find=find,
    effects={"saved.*": 0, "function.reload_drift": 0, "quality.*": 0, "vram.after_reload": 0},
    unless=("trainable_set", "quantised_set"),
    packages=("peft", "transformers"),
)
