"""Products are computed in another dtype, or modules take and return another, while the weights are as they were."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.rules._effects import ACTIVATIONS, FUNCTION, TIME, WORK, either
from benchsuite.rules._looks import first, some

PRODUCTS, COMPUTES = "model.products", "model.computes"


def find(seen: Evidence) -> Clue | None:
    """Shares of FLOPs by dtype differ, or dtypes at modules' borders do."""
    products, computes = first(seen, PRODUCTS), first(seen, COMPUTES)
    if products is None and computes is None:
        return None
    told = [f"{move.path} {move.words}" for found in (products, computes) if found for move in moves(*found[1:])]
    return Clue(words=f"the model computes in other dtypes: {some(told)}", parts=seen.like(PRODUCTS, COMPUTES))


RULE = Rule(
    name="compute_dtypes",
    rank=40,
    find=find,
    effects={**FUNCTION, **either(WORK), **either(TIME), **either(ACTIVATIONS)},
    unless=("modes", "quantised_set", "quantisation_format", "unquantised_dtype", "trainable_set", "adapter",
            "module_classes", "attention", "tokens", "checkpointing", "activation_function", "untrained"),
    packages=("bitsandbytes", "torch", "accelerate", "transformers"),
)  # fmt: skip
