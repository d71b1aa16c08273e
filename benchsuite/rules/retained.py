"""Objects outlive tear-down: a Trainer, a model or its tensors are still held by somebody."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import size

LIVE = {
    "memory.live_trainers": "Trainers", "memory.live_modules": "modules", "memory.live_tensors": "of tensors",
    "vram.left": "of VRAM",
}  # fmt: skip


def find(seen: Evidence) -> Clue | None:
    """More is alive after tear-down than was, or less."""
    moved = {metric: pair for metric in LIVE if (pair := seen.number_moved(metric))}
    if not moved:
        return None
    told = [f"{_amount(metric, b)} {LIVE[metric]} (were {_amount(metric, a)})" for metric, (a, b) in moved.items()]
    return Clue(words=f"alive after tear-down: {', '.join(told)}", parts=tuple(moved))


def _amount(metric: str, number: float) -> str:
    bytes_ = metric in {"memory.live_tensors", "vram.left"}
    return size(number) if bytes_ else f"{number:g}"


RULE = Rule(
    name="retained",
    rank=44,
    find=find,
    effects={"vram.peak.*": 1, "vram.cublas_workspace": 0, "ram.peak": 1},
    packages=("accelerate", "transformers", "torch"),
)
