"""The way to the device got longer: more python calls, copies or waits a step for the same work on it."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import TIME
from benchsuite.rules._looks import amount, counted, larger

COUNTS = {
    "count.syncs.step": "waits for the device a step",
    "count.copies.step": "copies between host and device a step",
    "count.python_calls.step": "python calls a step",
}
PACKAGES = "python_calls.by_package"


def find(seen: Evidence) -> Clue | None:
    """A count of the host's work moved."""
    moved = {metric: pair for metric in COUNTS if (pair := seen.number_moved(metric))}
    if not moved:
        return None
    told = [f"{COUNTS[metric]} {amount(a)} -> {amount(b)}" for metric, (a, b) in moved.items()]
    table = seen.moved(PACKAGES) if "count.python_calls.step" in moved else None
    which = f" ({counted(larger(*table))})" if table else ""
    way = 1 if any(b > a for a, b in moved.values()) else -1
    return Clue(words=f"on the host, {', '.join(told)}{which}", direction=way)


RULE = Rule(
    name="host_path",
    rank=52,
    find=find,
    effects={**{k: v for k, v in TIME.items() if not k.startswith("device.")}, **dict.fromkeys(COUNTS, 1),
             "python_calls.*": 0},
    packages=("transformers", "accelerate", "peft", "bitsandbytes", "torch"),
)  # fmt: skip
