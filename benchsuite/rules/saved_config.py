"""The saved configuration, as whoever reads the folder gets it, holds another value than it did."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import some
from benchsuite.rules._saved import CONFIG, RESTORED, acting, said


def find(seen: Evidence) -> Clue | None:
    """A value that both sides read differs."""
    told = [f"{move.path} {move.words}" for move in said(seen)]
    if not told:
        return None
    restored = seen.like(*RESTORED) if acting(seen) else ()
    return Clue(words=f"the saved configuration says otherwise: {some(told)}", parts=(CONFIG, *restored))


RULE = Rule(
    name="saved_config",
    rank=13,
    find=find,
    effects={"saved.files": 0, "saved.written": 0},
    packages=("peft", "transformers"),
)
