"""Data go to the device and back more often than they did; each way back is a wait, too."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import TIME
from benchsuite.rules._looks import amount, counted, larger

COPIES, SYNCS, CENSUS = "count.copies.step", "count.syncs.step", "kernels.by_name"
COPY = "memcpy"


def find(seen: Evidence) -> Clue | None:
    """The census of the device names copies between host and device that came, went or changed in number."""
    moved = seen.number_moved(COPIES)
    table = seen.moved(CENSUS)
    if moved is None or table is None:
        return None
    copies = [move for move in larger(*table) if COPY in move[0].lower() and _crosses(move[0])]
    if not copies:
        return None
    old, new = moved
    words = f"device copies and fills a step: {amount(old)} -> {amount(new)} ({counted(copies)})"
    return Clue(words=words, direction=1 if new > old else -1)


def _crosses(name: str) -> bool:
    return "HtoD" in name or "DtoH" in name


RULE = Rule(
    name="device_copies",
    rank=46,
    find=find,
    effects={**{k: v for k, v in TIME.items() if not k.startswith("device.")}, COPIES: 1, SYNCS: 1,
             "count.operators.step": 1, "count.allocations.step": 1, "count.python_calls.step": 0,
             "count.c_calls.step": 0, "c_calls.*": 0, "count.cuda_calls.step": 1, "operators.*": 0, "kernels.*": 0,
             "cuda_calls.*": 0},
    unless=("compute_dtypes",),
    packages=("transformers", "accelerate", "torch"),
)  # fmt: skip
