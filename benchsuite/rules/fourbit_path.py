"""Packed weights are unpacked more or less often in a step: the quantised layers' own path changed."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import TIME, WORK
from benchsuite.rules._looks import larger

CENSUSES = ("kernels.by_name", "operators.by_name")
WORD = "dequantize"


def find(seen: Evidence) -> Clue | None:
    """A census counts another number of dequantisations on either side, of which there were some."""
    for metric in CENSUSES:
        moves = [move for move in larger(*(seen.moved(metric) or ({}, {}))) if WORD in move[0].lower()]
        if moves and moves[0][1] and moves[0][2]:
            old, new = sum(m[1] for m in moves), sum(m[2] for m in moves)
            word = "operators" if metric.startswith("operators") else "kernels"
            return Clue(
                words=f"the 4-bit path does {'more' if new > old else 'less'}: {old:g} -> {new:g} {word} that "
                "dequantise weights in a step",
                direction=1 if new > old else -1,
            )
    return None


RULE = Rule(
    name="fourbit_path",
    rank=44,
    find=find,
    effects={**TIME, **WORK, "memory.saved_for_backward": 0, "memory.peak.*": 0},
    unless=("checkpointing", "quantised_set", "quantisation_format", "double_quantisation"),
    packages=("bitsandbytes", "transformers", "peft", "torch"),
)
