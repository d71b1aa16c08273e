"""Between data set and model a batch is changed: labels, masks or ids are not those of its rows."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import columns, first, some

CONTENT, RECEIVED = "input.content", "input.received"


def find(seen: Evidence) -> Clue | None:
    """Batches hold other values, while the tokenised rows and their order are as before."""
    moved = first(seen, CONTENT, RECEIVED)
    if moved is None or seen.moved("input.digests") or seen.moved("input.order"):
        return None
    where = "the collator makes" if moved[0] == CONTENT else "the model is given"
    return Clue(
        words=f"the batches that {where} are not their rows: {some(columns(moved[1], moved[2]))} differ",
        parts=seen.like(CONTENT, RECEIVED),
    )


RULE = Rule(
    name="received",
    rank=12,
    find=find,
    effects={**CURVE, **either(WORK), "input.*": 0, "function.evaluation": 0, "optimizer.accumulation": 0},
    unless=("tokens", "evaluation_rows", "updates"),
    packages=("transformers", "accelerate", "torch", "datasets"),
)
