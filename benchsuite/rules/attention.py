"""Attention is computed by another backend: SDPA, eager or a flash kernel."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.nouns import JSON
from benchsuite.rules._effects import ACTIVATIONS, FUNCTION, RESIDENT, TIME, WORK, either
from benchsuite.rules._looks import first, kernel, larger, some

FLAG, DISPATCHED = "model.attention", "model.attention.dispatched"
CENSUSES = ("kernels.by_name", "operators.by_name", "operators.evaluation")
WORDS = ("scaled_dot_product", "flash", "fmha", "efficient_attention", "cutlassf", "_sdpa", "safe_softmax")


def find(seen: Evidence) -> Clue | None:
    """The flag differs, or attention kernels came or went in a census."""
    flag, dispatched = first(seen, FLAG), first(seen, DISPATCHED)
    census = [name for metric in CENSUSES for name in _came_or_went(seen, metric)]
    # Another dtype brings its own attention kernels along: then the dtype is the cause.
    if flag is None and (
        seen.moved("model.computes") or seen.moved("model.modes") or (dispatched is None and not census)
    ):
        return None
    words = f"attention is {flag[2]}, was {flag[1]}" if flag else "attention is computed by another backend"
    census = list(dict.fromkeys(census)) or (_dispatched(*dispatched[1:]) if dispatched else [])
    return Clue(words=f"{words} ({some(census, 2)})" if census else words, parts=seen.like(FLAG, DISPATCHED))


def _dispatched(old: JSON, new: JSON) -> list[str]:
    return [f"in {move.path}: {move.words}" for move in moves(old, new)]


def _came_or_went(seen: Evidence, metric: str) -> list[str]:
    old, new = seen.moved(metric) or ({}, {})
    moves = [m for m in larger(old, new) if any(word in m[0].lower() for word in WORDS) and not (m[1] and m[2])]
    return [f"{kernel(name)} {'is new' if b else 'is gone'}" for name, _, b in moves]


RULE = Rule(
    name="attention",
    rank=40,
    find=find,
    effects={**either(TIME), **either(WORK), **either(RESIDENT), **either(ACTIVATIONS), **FUNCTION},
    packages=("transformers", "torch"),
)
