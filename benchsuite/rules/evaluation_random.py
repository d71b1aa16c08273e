"""Two forwards of the same input in evaluation differ: dropout or another source of chance is left on."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import FUNCTION

DRIFT = "function.repeat_drift"


def find(seen: Evidence) -> Clue | None:
    """The drift between two forwards grew."""
    drift = seen.number_moved(DRIFT)
    if drift is None or drift[1] <= drift[0]:
        return None
    return Clue(
        words=f"evaluation is left to chance: two forwards differ by {drift[1]:.3g} (was {drift[0]:.3g}), "
        "as with dropout left on",
        parts=(DRIFT,),
    )


RULE = Rule(
    name="evaluation_random",
    rank=16,
    find=find,
    effects={
        **FUNCTION,
        "optimizer.accumulation": 0,
        "model.dropout.drawn": 0,
        "model.modes": 0,
        "defaults.accumulation*": 0,
        "trainer.log": 0,
    },
    packages=("transformers", "peft", "torch"),
)
