"""What the tokenizer makes of texts that the task does not hold, and of a call that says nothing.

`input.digests` has the task's own rows, as the plan has them tokenised: none holds a special token, an accent or
another script, and few are cut. The texts are those of `saved_tokenizer`, which holds the saved tokenizer against the
one that was used; this holds that one against the baseline's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..nouns import JSON
from ..scene import Scene
from ._probing import ProbeMeter, exact
from .saved_tokenizer import ODD

# Measured on the CPU: identical over fresh processes of fp32 and qlora.
TEXTS = exact("input.tokenizer.odd", "tokens of texts unlike the task's")
PLAIN = ("a film", "a film that holds what it says")
"""Texts of two lengths that are given with nothing said: a default that pads or cuts shows in their lengths."""
SHORT = 16
"""Ids to which the long text is cut, beside the plan's own number and the tokenizer's."""
SHOWN = 32
"""Ids up to which all are told."""
ENDS = 4
"""Ids that are told of each end of more."""
TITLE = 40
"""Characters of a text that name it."""


class OddTextMeter(ProbeMeter):
    """Asks the trial's tokenizer in the probe phase."""

    name = "odd_texts"
    metrics = (TEXTS,)

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return {TEXTS.name: answers(scene.tokenizer, scene.plan.max_length)}


def answers(tokenizer: Any, longest: int) -> dict[str, JSON]:
    """Ids of every odd text as the plan cuts it, of the longest as it is cut elsewhere, and what a bare call gives."""
    *odd, long = ODD
    texts = {title(text): ids(tokenizer, text, max_length=longest) for text in odd}
    cuts: dict[str, Mapping[str, Any]] = {
        f"cut to {SHORT}": {"max_length": SHORT}, "cut as planned": {"max_length": longest}, "cut as it is": {},
    }  # fmt: skip
    return {
        "texts": texts,
        title(long): {how: ids(tokenizer, long, **said) for how, said in cuts.items()},
        "with nothing said": bare(tokenizer),
    }


def title(text: str) -> str:
    """A text as a name: in quotes, white space spelled out, its end left out where it is long."""
    said = json.dumps(text, ensure_ascii=False)
    return said if len(said) <= TITLE else f'{said[: TITLE - 3].rstrip()}..."'


def ids(tokenizer: Any, text: str, **said: Any) -> JSON:
    """The ids of a text that is to be cut; of many their number and both ends."""
    found = [int(i) for i in tokenizer(text, truncation=True, **said)["input_ids"]]
    return found if len(found) <= SHOWN else {"length": len(found), "begins": found[:ENDS], "ends": found[-ENDS:]}


def bare(tokenizer: Any) -> dict[str, JSON]:
    """Columns and lengths of two texts for which nothing is asked."""
    found = tokenizer(list(PLAIN))
    return {"columns": sorted(found), "lengths": [len(row) for row in found["input_ids"]]}


METER = OddTextMeter
