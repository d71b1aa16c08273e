"""Regimes as points, and the paths between two of them that change as little as possible at a time: pure.

A regime is a value for each factor (how weights are kept, whether adapters train, how rows are padded, ...). Measured
regimes that have, for each factor, the value of one of two ends lie between these. A path goes from end to end and
changes one factor at a time, or several at once where no regime between was measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from .nouns import JSON

Factors = Mapping[str, str]
"""A regime's value for each factor, as text."""
Block = frozenset[str]
"""Factors that change in one step."""
NAMES: Mapping[str, str] = {
    "trained": "fewer trained parameters", "half": "half precision", "weights": "4 bits",
    "double": "double quantisation", "checkpointing": "checkpointing", "autocast": "mixed precision",
    "padding": "padding", "cudagraphs": "CUDA graphs",
}  # fmt: skip
"""What people call a factor; others are called by their transform."""


def factors(transforms: Iterable[Mapping[str, JSON]]) -> dict[str, str]:
    """A regime's transforms, as a case holds them, by factor. A recipe goes with what it trains."""
    found: dict[str, str] = {}
    trained: list[str] = []
    for transform in transforms:
        name, fields = str(transform["name"]), {k: v for k, v in transform.items() if k != "name"}
        text = f"{name} {json.dumps(fields, sort_keys=True)}"
        if name in ("Lora", "Recipe"):
            trained.append(text)
        else:
            found.update(_factor(name, fields, text))
    return {**found, "trained": "; ".join(sorted(trained))}


def _factor(name: str, fields: Mapping[str, JSON], text: str) -> dict[str, str]:
    if name == "Half":
        return {"half": str(fields["dtype"])}
    if name == "Nf4":
        double = {"double": "yes"} if fields["double_quant"] else {}
        return {"weights": "nf4", "half": str(fields["compute"]), **double}
    if name == "Int8":
        return {"weights": "int8", "half": "float16"}
    return {{"FixedPadding": "padding", "Buckets": "padding"}.get(name, name.lower()): text}


def between(regimes: Mapping[str, Factors], start: str, end: str) -> dict[str, Block]:
    """Where each regime stands that lies between two: the factors in which it is like the end and not the start."""
    first, last = regimes[start], regimes[end]
    found = {}
    for name, values in regimes.items():
        changed = {k for k in {*first, *last, *values} if values.get(k) != first.get(k)}
        if all(values.get(k) == last.get(k) for k in changed):
            found[name] = frozenset(changed)
    return found


# ---------------------------------------------------------------- paths


def paths(places: Iterable[Block], end: Block) -> list[tuple[Block, ...]]:
    """All ways from nothing to `end` over the places, each from one to a next, nothing measured lying between."""
    known = {*places, frozenset[str](), end}

    def ways(here: Block) -> Iterator[tuple[Block, ...]]:
        if here == end:
            yield (here,)
            return
        above = [place for place in known if here < place <= end]
        for place in above:
            if not any(here < other < place for other in above):
                yield from ((here, *rest) for rest in ways(place))

    return list(ways(frozenset()))


def finest(ways: Sequence[tuple[Block, ...]], order: Sequence[str]) -> list[tuple[Block, ...]]:
    """The paths that change the fewest factors at once, all in the same blocks, so that they can be averaged.

    Of several such ways to block, the one whose blocks hold factors that are neighbours in `order`.
    """
    blocked: dict[frozenset[Block], list[tuple[Block, ...]]] = {}
    for way in ways:
        blocked.setdefault(frozenset(steps(way)), []).append(way)

    def rank(blocks: frozenset[Block]) -> tuple[int, int, list[list[int]]]:
        ranks = sorted(sorted(order.index(factor) for factor in block) for block in blocks)
        return -len(blocks), sum(block[-1] - block[0] for block in ranks), ranks

    return blocked[min(blocked, key=rank)]


def steps(way: Sequence[Block]) -> list[Block]:
    """What changes along a path, step by step."""
    return [after - before for before, after in pairwise(way)]


def ordered(found: Iterable[str]) -> tuple[str, ...]:
    """Factors in the order in which they are told: ours as listed, then others by name."""
    known = list(NAMES)
    return tuple(sorted(found, key=lambda name: (known.index(name) if name in known else len(known), name)))
