"""The loaded weights are not those of the checkpoint's file."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import FUNCTION, either
from benchsuite.rules._looks import first, some, values

LOADED = "weights.loaded"
STATES = {
    "differing": "other values than in the file", "missing": "in the file and not in the model",
    "not_in_file": "not in the file",
}  # fmt: skip


def find(seen: Evidence) -> Clue | None:
    """Tensors that were as in the file no longer are."""
    moved = first(seen, LOADED)
    if moved is None:
        return None
    told = []
    for key, words in STATES.items():
        old, new = ([name for names in values(side, key) for name in _list(names)] for side in moved[1:])
        fresh = [name for name in new if name not in old]
        told += [f"{some(fresh, 3)} ({words})"] if fresh else []
    if not told:
        told = ["fewer tensors differ from the file than did"]
    return Clue(words=f"loaded weights are not the checkpoint's: {'; '.join(told)}", parts=(LOADED,))


def _list(value: object) -> list[str]:
    return [str(name) for name in value] if isinstance(value, list) else []


RULE = Rule(
    name="weights",
    rank=11,
    find=find,
    effects={**either(FUNCTION), "weights.*": 0, "optimizer.accumulation": 0},
    unless=("quantisation_format", "quantised_set", "double_quantisation"),
    packages=("transformers", "bitsandbytes"),
)
