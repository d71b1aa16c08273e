"""An update is not what the optimizer's formula makes of its settings: decay, bias correction, another step."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import first, short, some

FORMULA, TENSORS = "optimizer.formula", "optimizer.formula.off"


def find(seen: Evidence) -> Clue | None:
    """One update with given gradients lies elsewhere."""
    moved = first(seen, FORMULA)
    if moved is None or not isinstance(moved[2], dict):
        return None
    off = [f"{name} by {value:.2%}" for name, value in moved[2].items() if isinstance(value, float) and value]
    words = f"an update is not AdamW's: off in {some(off)}" if off else "the optimizer obeys another formula"
    tensors = (seen.pair(TENSORS) or (None, None))[1]
    if off and isinstance(tensors, list) and tensors:
        words += f", {len(tensors)} tensors, first {short(str(tensors[0]))}"
    return Clue(words=words, parts=(FORMULA,))


RULE = Rule(
    name="update_formula",
    rank=31,
    find=find,
    effects={**CURVE, **either(WORK), "optimizer.formula.*": 0},
    unless=("optimizer_class", "trainable_set", "quantised_set"),
    packages=("torch", "bitsandbytes", "accelerate"),
)
