"""A default value of the libraries changed: what the suite pins stays, what a user leaves out does not."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.rules._looks import first, some

SIGNATURES = "defaults.signatures"


def find(seen: Evidence) -> Clue | None:
    """A default that both sides have differs."""
    moved = first(seen, SIGNATURES)
    if moved is None:
        return None
    both = (m for m in moves(moved[1], moved[2]) if not m.words.startswith(("added", "removed")))
    # A class's signature and what an instance of it holds, "X" and "X()", say the same.
    told = dict.fromkeys(f"{m.path.replace('()', '')} {m.words}" for m in both)
    return Clue(words=f"default values changed: {some(told, 4)}", parts=(SIGNATURES,)) if told else None


RULE = Rule(
    name="default_values",
    rank=35,
    find=find,
    effects={"defaults.*": 0, "trainer.arguments": 0},
    packages=("transformers", "peft", "bitsandbytes"),
)
