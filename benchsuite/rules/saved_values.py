"""The file holds other values than were trained, or the reloaded model others than the file."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._looks import first, short, some

VALUES = "saved.values"
STATES = {"not_as_trained": "the file does not hold what was trained", "not_as_saved": "reload does not restore it"}


def find(seen: Evidence) -> Clue | None:
    """Tensors whose values are not those of the step before."""
    moved = first(seen, VALUES)
    if moved is None:
        return None
    fresh = {words: _fresh(*moved[1:], key) for key, words in STATES.items()}
    told = [f"{words}: {some(map(short, names), 3)}" for words, names in fresh.items() if names]
    return (
        Clue(words="values change on their way through the file: " + "; ".join(told), parts=(VALUES,)) if told else None
    )


def _fresh(old: JSON, new: JSON, key: str) -> list[str]:
    a, b = (side.get(key) if isinstance(side, Mapping) else None for side in (old, new))
    return [str(name) for name in b if not (isinstance(a, list) and name in a)] if isinstance(b, list) else []


RULE = Rule(
    name="saved_values",
    rank=15,
    find=find,
    effects={"function.reload_drift": 0, "function.merge_drift": 0, "quality.*.reloaded": 0, "quality.logits": 0},
    unless=("saved_file", "reload"),
    packages=("peft", "transformers", "safetensors"),
)
