"""Whether the tokenizer that was saved is the one that was used: by what it says of texts, and by its settings.

Both sides are of one trial, so that a release that tokenises otherwise moves nothing here: `input.tokenizer` and
`input.digests` tell of that. Texts are the first validation rows and a few that are read in many ways. Not covered:
what a file holds for readers other than transformers, which `saved.written` has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..nouns import JSON
from ..scene import Scene
from ._probing import ProbeMeter, caught, crash, exact
from .inputs import tokenizer as describe

TOKENIZER = exact("saved.tokenizer", "saved tokenizer against the one that was used")
ROWS = 8
"""Validation texts looked at."""
LONG = 600
"""Words of the text that is to be cut: more than most encoders take."""
ODD = (
    "", "  Two  spaces,\ttabs\nand lines ", "CAPITALS and Cafés: naïve, Zoë, 東京, 🙂",
    "don't re-use e-mail's 3.14 & 50%", "[CLS] [SEP] [MASK] <s> </s> <pad>", "film " * LONG,
)  # fmt: skip
"""Texts that show white space, case, accents, other scripts, punctuation, special tokens, and where it is cut."""


class SavedTokenizerMeter(ProbeMeter):
    """Loads the tokenizer anew, in the probe phase."""

    name = "saved_tokenizer"
    metrics = (TOKENIZER,)

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        from transformers import AutoTokenizer

        texts = (*scene.examples.validation.texts[:ROWS], *ODD)
        try:
            anew = AutoTokenizer.from_pretrained(scene.saved, use_fast=True, trust_remote_code=False)
            return {TOKENIZER.name: against(scene.tokenizer, anew, texts)}
        except Exception as error:  # noqa: BLE001 - a folder without a tokenizer is a finding, whatever is raised
            return {TOKENIZER.name: crash(caught(error), scene.saved)}


def against(used: Any, anew: Any, texts: Sequence[str]) -> dict[str, JSON]:
    """How many texts, how many of them `anew` gives other tokens, and the settings in which it differs."""
    sides = [[encoded(what, text) for text in texts] for what in (used, anew)]
    before, after = describe(used), describe(anew)
    return {
        "texts": len(texts),
        "other_ids": sum(one != other for one, other in zip(*sides, strict=True)),
        "differs": {name: [before[name], after[name]] for name in before if before[name] != after[name]},
    }


def encoded(what: Any, text: str) -> dict[str, list[int]]:
    """What a model gets of a text that is cut where the tokenizer itself would cut it."""
    return dict(what(text, truncation=True))


METER = SavedTokenizerMeter
