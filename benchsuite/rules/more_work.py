"""A step launches more or fewer kernels or operators, or computes more, or an evaluation does; says which by name."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import TIME, WORK
from benchsuite.rules._looks import amount, counted, larger

CENSUSES = {
    "count.kernels.step": ("kernels a step", "kernels.by_name"),
    "count.operators.step": ("operators a step", "operators.by_name"),
    "count.flops.step": ("FLOPs a step", ""),
    "count.operators.evaluation": ("operators an evaluation", "operators.evaluation"),
}


def find(seen: Evidence) -> Clue | None:
    """A count of work moved."""
    for metric, (words, names) in CENSUSES.items():
        moved = seen.number_moved(metric)
        if moved is None:
            continue
        old, new = moved
        table = seen.moved(names) if names else None
        which = f" ({counted(larger(*table))})" if table else ""
        return Clue(words=f"{words}: {amount(old)} -> {amount(new)}{which}", direction=1 if new > old else -1)
    return None


RULE = Rule(
    name="more_work",
    rank=50,
    find=find,
    effects={**TIME, **WORK, "memory.saved_for_backward": 0, "memory.peak.*": 0, "function.trained_bits": 0},
    packages=("transformers", "bitsandbytes", "peft", "torch"),
)
