"""Tensors that trained get no update any more: no gradient reaches them, whatever the step counter says."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import first, number

APPLIED, UPDATES = "optimizer.applied", "optimizer.updates"


def find(seen: Evidence) -> Clue | None:
    """More tensors are without any update."""
    moved, steps = first(seen, APPLIED), seen.numbers(UPDATES)
    old, new = (number(side, "0") or 0 for side in moved[1:]) if moved else (0, 0)
    if new <= old or (steps and not steps[1]):
        return None
    before = f", {old:g} before" if old else ", each had some"
    of = f" in {steps[1]:g} steps" if steps else ""
    return Clue(words=f"{new:g} tensors that shall train get no update{of}{before}", parts=(APPLIED,))


RULE = Rule(
    name="untrained",
    rank=21,
    find=find,
    effects={**CURVE, **either(WORK), "model.dropout.drawn": 0, "model.products": 0, "optimizer.*": 0, "memory.*": 0,
             "function.exact.training": 0},
    unless=("trainable_set", "quantised_set", "optimizer_class", "adapter", "optimizer_groups"),
    packages=("peft", "transformers", "torch", "accelerate"),
)  # fmt: skip
