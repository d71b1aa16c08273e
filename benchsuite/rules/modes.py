"""The model runs in another mode: evaluation with modules in training, training without, autocast on or off.

Or it is handed over in another one, which shows wherever somebody relies on it and sets none.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.nouns import JSON
from benchsuite.rules._effects import ACTIVATIONS, FUNCTION, TIME, WORK, either
from benchsuite.rules._looks import first, some

MODES, LOADED, DEFAULTS = "model.modes", "model.modes.loaded", "defaults.modes"
WORDS = {"trains": "the model's own training mode", "gradients": "recording of gradients", "autocast": "autocast"}


def find(seen: Evidence) -> Clue | None:
    """A mode differs in training or in evaluation, or as a model is loaded."""
    moved = first(seen, MODES)
    told = [_words(move.path, move.words) for move in moves(moved[1], moved[2])] if moved else []
    words = [f"the model runs in another mode: {some(told)}"] if told else []
    handed = _handed(seen)
    words += [f"a model is handed over in another mode: {handed}"] if handed else []
    parts = seen.like(MODES, LOADED, DEFAULTS)
    return Clue(words="; ".join(words), parts=parts, unpinned=parts == (DEFAULTS,)) if words else None


def _handed(seen: Evidence) -> str:
    """The modes that models come in now; of the builds with nothing pinned one stands for all."""
    own, unpinned = first(seen, LOADED), first(seen, DEFAULTS)
    told = [f"{move.path} {move.words}" for move in moves(own[1], own[2])] if own else []
    builds = [f"{move.path} {move.words}" for move in moves(*_both(*unpinned[1:]))] if unpinned else []
    told += [f"with nothing pinned, {some(builds, 1)}"] if builds else []
    return ", ".join(told)


def _both(old: JSON, new: JSON) -> tuple[JSON, JSON]:
    """The modes of models that both sides made: one that crashed on its way has none, which other rules tell."""
    sides = [{f"{build}.{stage}": mode for build, stage, mode in _made(side)} for side in (old, new)]
    shared = sides[0].keys() & sides[1].keys()
    before, after = ({path: mode for path, mode in side.items() if path in shared} for side in sides)
    return before, after


def _made(side: JSON) -> Iterator[tuple[str, str, JSON]]:
    for build, stages in side.items() if isinstance(side, dict) else ():
        for stage, mode in stages.items() if isinstance(stages, dict) else ():
            yield build, stage, mode


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
