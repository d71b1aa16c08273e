"""Training goes as before, bit for bit, and parts on the way: says where, which no look at first steps can."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import Device, Record
from benchsuite.rules._effects import CURVE
from benchsuite.units import is_number

LOSS, NORM, EPOCHS, UPDATES = "quality.loss", "quality.grad_norm", "quality.validation_loss", "optimizer.updates"
SERIES = {LOSS: "loss", NORM: "gradient norm"}
FEW = 2
"""Trials that must agree bit for bit before a GPU's bits say anything."""


def find(seen: Evidence) -> Clue | None:
    """Loss and gradient norm are equal for a while, and not to the end."""
    if not seen.like(*CURVE) or not _repeats(seen):
        return None
    pairs = {name: (a, b) for name in SERIES if (a := _series(seen.old, name)) and (b := _series(seen.new, name))}
    if not pairs or any(len(a) != len(b) for a, b in pairs.values()):
        return None
    agree = {name: _agree(*pair) for name, pair in pairs.items()}
    name = min(agree, key=lambda name: agree[name])
    (old, new), at = pairs[name], agree[name]
    steps = seen.numbers(UPDATES)
    if not 0 < at < len(old) or steps is None:
        return None
    each, epochs = steps[1] / len(old), len(_series(seen.new, EPOCHS))
    last = f"{at * each:.0f}{_epoch(at * each, steps[1], epochs)}"
    words = (
        f"training goes as before until step {last} and parts from there: "
        f"{SERIES[name]} {old[at]:.4g} -> {new[at]:.4g} at step {(at + 1) * each:.0f}"
    )
    return Clue(words=words)


def _repeats(seen: Evidence) -> bool:
    """Whether equal bits mean an equal course: on a CPU, and where old trials repeat one another's."""
    same = all(_series((trial,), name) == _series(seen.old, name) for trial in seen.old for name in SERIES)
    return same and (seen.case.device is Device.CPU or len(seen.old) >= FEW)


def _series(trials: Sequence[Record], name: str) -> list[float]:
    value = trials[0].fingerprint.get(name) if trials else None
    return [float(v) for v in value if is_number(v)] if isinstance(value, list | tuple) else []


def _agree(old: Sequence[float], new: Sequence[float]) -> int:
    """How many values are the same before the first that is another."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=True))))


def _epoch(step: float, steps: float, epochs: int) -> str:
    done = step * epochs / steps if steps else 0.0
    return f" (the end of epoch {done:.0f})" if done and done == round(done) else ""


RULE = Rule(
    name="parts_late",
    # Where it happens, and not what: any rule that knows what comes first.
    rank=60,
    find=find,
    effects=CURVE,
    packages=("transformers", "accelerate", "torch"),
)
