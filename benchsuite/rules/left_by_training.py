"""Training leaves the model otherwise than it found it: dtypes, dropout, checkpointing, hooks or gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import ACTIVATIONS, CURVE, WORK, either
from benchsuite.rules._looks import first, some

TRAINED = "model.after_training"


def find(seen: Evidence) -> Clue | None:
    """What the end of training differs in is not what it was."""
    moved = first(seen, TRAINED)
    told = list(_told(*moved[1:])) if moved else []
    words = f"training leaves the model otherwise than it found it: {some(told)}"
    return Clue(words=words, parts=(TRAINED,)) if told else None


def _told(old: JSON, new: JSON) -> Iterator[str]:
    before, now = (side if isinstance(side, Mapping) else {} for side in (old, new))
    for name, move in now.items():
        if move != before.get(name):
            yield f"{name} {move}"
    yield from (f"{name} stays as it is, was {move}" for name, move in before.items() if name not in now)


RULE = Rule(
    name="left_by_training",
    rank=16,
    find=find,
    effects={**CURVE, **either(ACTIVATIONS), **either(WORK), "memory.held.train": 0, "trainer.log*": 0},
    unless=("trainable_set", "quantised_set", "unquantised_dtype"),
    packages=("transformers", "peft", "accelerate", "bitsandbytes"),
)
