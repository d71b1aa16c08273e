"""The tokenizer treats texts unlike the task's otherwise: special tokens in them, accents, where long ones are cut.

The rows that were trained on come out as before, so that this explains nothing but itself.
"""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import first, some
from benchsuite.rules.tokens import ODD, odd


def find(seen: Evidence) -> Clue | None:
    """Texts that the task does not hold get other tokens."""
    told = odd(seen) if first(seen, ODD) else []
    words = f"the tokenizer gives other tokens to texts unlike the task's: {some(told, 3)}"
    return Clue(words=words, parts=(ODD,)) if told else None


RULE = Rule(name="odd_texts", rank=12, find=find, unless=("tokens",), packages=("tokenizers", "transformers"))
