"""The same modules with the same weights have other gradients: one that is lost, scaled or misplaced by a formula."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import first, short
from benchsuite.rules._multiples import times
from benchsuite.units import is_number

EXACT = "optimizer.backward.exact"
WHOLE = "all"
LEAST = 1e-3
"""Relative move of one tensor's gradient that is told by name."""
NOTHING = 1e-6
"""Share of the norm of all below which a tensor has no gradient."""
Sizes = Mapping[str, tuple[float, float]]
"""Norm and sum along a direction by tensor."""


def find(seen: Evidence) -> Clue | None:
    """Gradients in 64 bits lie elsewhere; says of how many tensors, and how many times they are what they were."""
    moved = first(seen, EXACT)
    if moved is None:
        return None
    old, new = (_sizes(value) for value in moved[1:])
    shared = [name for name in old if name in new]
    differ = [name for name in shared if _differ(old[name], new[name])]
    ratio = times(_ratio(old[name], new[name]) for name in differ)
    told = f"gradients of {len(differ)} of {len(shared)} tensors " + (
        f"are {ratio} what they were" if ratio else "differ"
    )
    place = f", first {short(differ[0])}" if differ else ""
    return Clue(
        words=f"the backward pass, or what runs in training alone, is another function: in 64 bits {told}{place}",
        parts=(EXACT,),
    )


def _sizes(value: JSON) -> Sizes:
    """Sizes without the norm of all, by which they are shares: one that moves moves the others' shares too."""
    if not isinstance(value, Mapping):
        return {}
    scale = next(iter(_numbers(value.get(WHOLE))), 1.0)
    pairs = {name: _numbers(sub) for name, sub in value.items() if name != WHOLE}
    return {
        name: (pair[0] * scale, pair[1] * scale)
        for name, pair in pairs.items()
        if len(pair) == 2 and pair[0] > NOTHING  # noqa: PLR2004
    }


def _numbers(value: JSON) -> list[float]:
    return [float(one) for one in value if is_number(one)] if isinstance(value, list | tuple) else []


def _differ(old: tuple[float, float], new: tuple[float, float]) -> bool:
    return any(abs(a - b) > LEAST * max(abs(old[0]), abs(new[0])) for a, b in zip(old, new, strict=True))


def _ratio(old: tuple[float, float], new: tuple[float, float]) -> float | None:
    """How many times the old gradient the new one is, where both of its sizes agree on that."""
    if not (old[0] and old[1]):
        return None
    norm, along = new[0] / old[0], new[1] / old[1]
    return along if abs(norm - abs(along)) <= LEAST * norm else None


RULE = Rule(
    name="backward_formula",
    rank=32,
    find=find,
    effects={**CURVE, **either(WORK), "optimizer.backward*": 0},
    unless=(
        "forward_formula",
        "forward_training", "weights", "quantised_set", "quantisation_format", "double_quantisation",
        "quantised_weights",
        "unquantised_dtype", "trainable_set", "adapter", "module_classes", "activation_function", "epsilon",
        "mask_ignored", "tokens", "gradient", "initialisation", "modes",
    ),
    packages=("transformers", "torch", "peft"),
)  # fmt: skip
