"""The model leaves training mode on the way: its first steps run as they should, later ones do not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import CURVE
from benchsuite.rules._looks import first, some

MODES = "model.modes.steps"
RUN = re.compile(r"(?P<mode>.+) x (?P<times>\d+)")
WORDS = {"train": "training mode", "eval": "evaluation mode"}


def find(seen: Evidence) -> Clue | None:
    """The runs of modes differ in more than their length."""
    moved = first(seen, MODES)
    if moved is None:
        return None
    old, new = (list(_runs(side)) for side in moved[1:])
    before = {mode for mode, _, _ in old}
    told = [f"steps {start} to {end} run in {_said(mode)}" for mode, start, end in new if mode not in before]
    if not told:
        return None
    return Clue(words=f"training does not stay in its mode: {some(told)}{_were(old)}", parts=(MODES,))


def _runs(value: JSON) -> Iterator[tuple[str, int, int]]:
    """Each run's mode with its first and last step."""
    done = 0
    for run in value if isinstance(value, list) else []:
        found = RUN.fullmatch(run) if isinstance(run, str) else None
        if found:
            yield found["mode"], done + 1, done + int(found["times"])
            done += int(found["times"])


def _said(mode: str) -> str:
    word, _, rest = mode.partition(" ")
    return f"{WORDS[word]} {rest}".rstrip() if word in WORDS else mode


def _were(old: list[tuple[str, int, int]]) -> str:
    return f"; all were in {_said(old[0][0])}" if len(old) == 1 else ""


RULE = Rule(
    name="modes_late",
    rank=15,
    find=find,
    effects=CURVE,
    packages=("transformers", "accelerate", "torch", "peft"),
)
