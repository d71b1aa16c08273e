"""A default value of the libraries changed: what the suite pins stays, what a user leaves out does not."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import some, values_moved

SIGNATURES = "defaults.signatures"


def find(seen: Evidence) -> Clue | None:
    """A default that both sides have differs."""
    # An older record may hold a class's signature beside what an instance of it holds, "X" beside "X()".
    told = dict.fromkeys(f"{m.path.replace('()', '')} {m.words}" for m in values_moved(seen, SIGNATURES))
    if not told:
        return None
    what = "a default value" if len(told) == 1 else "default values"
    return Clue(words=f"{what} changed: {some(told, 4)}", parts=(SIGNATURES,))


RULE = Rule(
    name="default_values",
    rank=35,
    find=find,
    effects={
        "defaults.modules": 0, "defaults.loaded": 0, "defaults.accumulation*": 0, "defaults.optimizer": 0,
        "defaults.checkpointing": 0, "trainer.arguments": 0,
    },
    packages=("transformers", "peft", "bitsandbytes"),
)  # fmt: skip
