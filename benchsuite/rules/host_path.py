"""The way to the device got longer: more Python and CUDA calls, copies or waits for the same work, beside steps too."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import TIME
from benchsuite.rules._looks import amount, counted, larger

COUNTS = {
    "count.syncs.step": "waits for the device a step",
    "count.copies.step": "copies between host and device a step",
    "count.python_calls.step": "python calls a step",
    "count.c_calls.step": "C calls a step",
    "count.cuda_calls.step": "CUDA API calls a step",
    "count.syncs.between": "waits for the device between steps",
    "count.python_calls.between": "python calls between steps",
    "count.c_calls.between": "C calls between steps",
}
TABLES = {
    "count.python_calls.step": "python_calls.by_package",
    "count.c_calls.step": "c_calls.by_name",
    "count.cuda_calls.step": "cuda_calls.by_name",
    "count.python_calls.between": "python_calls.between",
    "count.c_calls.between": "c_calls.between",
}
EITHER_WAY = {"count.c_calls.step": 0, "count.c_calls.between": 0}
"""What need not move as the others do: where Python is called less, C may be called more."""


def find(seen: Evidence) -> Clue | None:
    """A count of the host's work moved."""
    moved = {metric: pair for metric in COUNTS if (pair := seen.number_moved(metric))}
    if not moved:
        return None
    told = [f"{COUNTS[metric]} {amount(a)} -> {amount(b)}{_which(seen, metric)}" for metric, (a, b) in moved.items()]
    way = 1 if any(b > a for a, b in moved.values()) else -1
    return Clue(words=f"on the host, {', '.join(told)}", direction=way)


def _which(seen: Evidence, metric: str) -> str:
    """Which of those moved, where they have names: "(torch 3230 -> 3374)"."""
    table = seen.moved(TABLES[metric]) if metric in TABLES else None
    return f" ({counted(larger(*table))})" if table else ""


RULE = Rule(
    name="host_path",
    rank=52,
    find=find,
    effects={**{k: v for k, v in TIME.items() if not k.startswith("device.")}, **dict.fromkeys(COUNTS, 1),
             **EITHER_WAY, "python_calls.*": 0, "c_calls.*": 0, "cuda_calls.*": 0},
    packages=("transformers", "accelerate", "peft", "bitsandbytes", "torch"),
)  # fmt: skip
