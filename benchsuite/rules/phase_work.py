"""A phase beside the training step, as loading or tokenising, takes more calls, or fewer; says of which functions."""

from __future__ import annotations

import builtins
from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._looks import amount, number, some

COUNT, BY_FUNCTION = "count.python_calls.{}", "python_calls.by_phase"
DOING = {
    "tokenizer": "loading the tokenizer",
    "load": "loading the model",
    "tokenise": "tokenising",
    "prepare": "preparing the training",
    "evaluation": "an evaluation",
    "log": "logging",
    "save": "saving the model",
    "train": "training, beside its steps,",
    "reload": "reloading the model",
}
TIMES = {"tokenizer": "time.tokenise", "load": "time.load", "tokenise": "time.tokenise", "reload": "time.reload"}
"""Times of which nothing but the phase is part; to tokenise has the tokenizer loaded first."""
SHARE = 0.005
"""Of a phase's calls those of one function from which on the meter names it."""
MOST, WIDTH = 3, 48
BUILT_IN = {"builtins", *dir(builtins)}


def find(seen: Evidence) -> Clue | None:
    """A phase's count moved."""
    moved = {phase: pair for phase in DOING if (pair := seen.number_moved(COUNT.format(phase)))}
    if not moved:
        return None
    told = [_words(seen, phase, old, new) for phase, (old, new) in moved.items()]
    slower = list(dict.fromkeys(TIMES[phase] for phase in moved if phase in TIMES))
    return Clue(words="; ".join(told), parts=seen.like(*slower))


def _words(seen: Evidence, phase: str, old: float, new: float) -> str:
    way = "more" if new > old else "less"
    said = f"{DOING[phase]} does {way} work in Python: {amount(old)} -> {amount(new)} calls"
    before, now = (_table(side, phase) for side in seen.pair(BY_FUNCTION) or ({}, {}))
    functions = movers(before, now, old, new)
    return f"{said} (most: {some(functions, MOST)})" if functions else said


def _table(value: JSON, phase: str) -> JSON:
    return value.get(phase, {}) if isinstance(value, Mapping) else {}


def movers(before: JSON, now: JSON, old: float, new: float) -> list[str]:
    """Functions whose calls moved, the largest move first and Python's own last, as "re.search few -> 3,000".

    A function that a side does not name had there less than its share: no more is known of it.
    """
    names = [name for side in (before, now) if isinstance(side, Mapping) for name in side]
    moves = []
    for name in dict.fromkeys(names):
        a, b = number(before, name), number(now, name)
        moves.append(((SHARE * new if b is None else b) - (SHARE * old if a is None else a), name, a, b))
    least = SHARE * min(old, new)
    ordered = sorted((m for m in moves if abs(m[0]) >= least), key=lambda m: (_common(m[1]), -abs(m[0])))
    return [f"{_short(name)} {_few(a)} -> {_few(b)}" for _, name, a, b in ordered]


def _common(name: str) -> bool:
    """Whether a function is Python's own, as "dict.get": all work calls these, and they tell nothing of whose it is."""
    return name.partition(".")[0] in BUILT_IN


def _short(name: str) -> str:
    plain = name.replace("<locals>.", "")
    return plain if len(plain) <= WIDTH else f"...{plain[-WIDTH:]}"


def _few(calls: float | None) -> str:
    return "few" if calls is None else f"{calls:,.0f}"


RULE = Rule(
    name="phase_work",
    rank=54,
    find=find,
    effects={**{COUNT.format(phase): 0 for phase in DOING}, BY_FUNCTION: 0},
    packages=("transformers", "datasets", "tokenizers", "accelerate", "peft", "bitsandbytes", "safetensors", "torch"),
)
