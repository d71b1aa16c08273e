"""Between data set and model a batch is changed: labels, masks or ids are not those of its rows."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import columns, first, some

CONTENT, RECEIVED, EVALUATION = "input.content", "input.received", "input.evaluation"


def find(seen: Evidence) -> Clue | None:
    """Batches hold other values, while the tokenised rows and their order are as before."""
    if seen.moved("input.digests") or seen.moved("input.order"):
        return None
    content, received = first(seen, CONTENT), first(seen, RECEIVED)
    other = columns(*content[1:]) if content else _training(*received[1:]) if received else []
    if not other:
        return None
    where = "the collator makes" if content else "the model is given"
    return Clue(
        words=f"the batches that {where} are not their rows: {some(other)} differ",
        parts=seen.like(CONTENT, RECEIVED, EVALUATION),
    )


def _training(old: JSON, new: JSON) -> list[str]:
    """Columns of the training step's batch that differ; those of evaluation are `evaluation_rows`' to tell."""
    sides = [side.get("training") if isinstance(side, Mapping) else None for side in (old, new)]
    return columns(*sides) if all(isinstance(side, Mapping) for side in sides) else []


RULE = Rule(
    name="received",
    rank=12,
    find=find,
    effects={**CURVE, **either(WORK), "input.*": 0, "function.evaluation": 0, "*.accumulation": 0},
    unless=("tokens", "updates"),
    packages=("transformers", "accelerate", "torch", "datasets"),
)
