"""The host waits for the device more often in a step, or less, while the work of the step is the same."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import TIME
from benchsuite.rules._looks import amount, counted, larger

SYNCS, OPERATORS, BY_NAME = "count.syncs.step", "count.operators.step", "operators.by_name"
READ = "_local_scalar_dense"


def find(seen: Evidence) -> Clue | None:
    """Numbers are read from tensors more often, and no other operator came or went."""
    moved, operators, table = seen.number_moved(SYNCS), seen.number_moved(OPERATORS), seen.moved(BY_NAME)
    if moved is None or operators is None or table is None:
        return None
    reads = [move for move in larger(*table) if READ in move[0]]
    old, new = moved
    if not reads or new - old != operators[1] - operators[0]:
        return None
    words = f"the host waits for the device: {amount(old)} -> {amount(new)} times a step ({counted(reads)})"
    return Clue(words=words, direction=1 if new > old else -1)


RULE = Rule(
    name="waits",
    rank=48,
    find=find,
    effects={**{k: v for k, v in TIME.items() if not k.startswith("device.")}, SYNCS: 1, OPERATORS: 1,
             "count.python_calls.step": 0, "count.c_calls.step": 0, "c_calls.*": 0,
             "count.copies.step": 0, "operators.*": 0, "kernels.*": 0,
             "count.cuda_calls.step": 1, "cuda_calls.*": 0},
    unless=("device_copies",),
    packages=("transformers", "accelerate", "torch"),
)  # fmt: skip
