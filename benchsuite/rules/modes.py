"""The model runs in another mode: evaluation with modules in training, training without, autocast on or off."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.rules._effects import ACTIVATIONS, FUNCTION, TIME, WORK, either
from benchsuite.rules._looks import first, some

MODES = "model.modes"
WORDS = {"trains": "the model's own training mode", "gradients": "recording of gradients", "autocast": "autocast"}


def find(seen: Evidence) -> Clue | None:
    """A mode differs in training or in evaluation."""
    moved = first(seen, MODES)
    if moved is None:
        return None
    told = [_words(move.path, move.words) for move in moves(moved[1], moved[2])]
    return Clue(words=f"the model runs in another mode: {some(told)}", parts=(MODES,))


def _words(path: str, words: str) -> str:
    side, _, key = path.partition(".")
    return f"in {side}, {WORDS.get(key, key)} is {words}"


RULE = Rule(
    name="modes",
    rank=14,
    find=find,
    effects={**FUNCTION, **either(WORK), **either(TIME), **either(ACTIVATIONS), "optimizer.*": 0, "trainer.log": 0},
    packages=("accelerate", "transformers", "torch", "peft"),
)
