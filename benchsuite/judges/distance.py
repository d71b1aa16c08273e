"""Judges curves and logits by their largest distance: scalars, series, matrices or named tables of floats.

An element has moved when |new - old| exceeds metric.absolute (1e-3 unless given) plus
metric.relative x |old|. A curve that moved is `changed`, neither better nor worse. Several trials:
each new one is compared with the nearest old one. NaN equals NaN, and nothing else; null is read
as NaN, as record files hold it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from benchsuite.judges._common import Trials, finding, invalid, ratio, shown
from benchsuite.nouns import JSON, Finding, Kind, Metric, Outcome
from benchsuite.units import is_number

ABSOLUTE = 1e-3
DIMENSIONS = 2
TOLD = 3
"""Entries of a table that stand for it."""
Index = tuple[int | str, ...]
Elements = dict[Index, float]


@dataclass(frozen=True)
class Gap:
    """How far two values lie apart."""

    excess: float
    """Largest |new - old| over its own limit; above 1 the value moved."""
    largest: float
    at: Index
    moved: int
    words: str
    """Said instead of the distance: another shape, a NaN that came or went."""


@dataclass(frozen=True)
class Distance:
    """Largest distance over elements."""

    name: str = "distance"
    kind: Kind | None = None

    def __call__(self, metric: Metric, old: Trials, new: Trials) -> Finding:
        """Judge; see the module."""
        a, b = [_elements(t.value) for t in old], [_elements(t.value) for t in new]
        if any(e is None for e in (*a, *b)):
            said = "a value is neither a number, a series, a matrix nor a table of them"
            return invalid(old, new, said if None in a else "", said if None in b else "")
        absolute = ABSOLUTE if metric.absolute is None else metric.absolute
        limits = absolute, metric.relative or 0.0
        gaps = [min((_gap(x or {}, y or {}, *limits) for x in a), key=lambda g: g.excess) for y in b]
        worst = max(gaps, key=lambda g: g.excess)
        outcome = Outcome.CHANGED if worst.excess > 1 else Outcome.OK
        shown_old, shown_new = _tell(old[0].value), _tell(new[gaps.index(worst)].value)
        numeric = all(is_number(v) for v in (shown_old, shown_new))
        return finding(
            outcome,
            shown_old,
            shown_new,
            effect=ratio(shown_old, shown_new) if numeric else None,
            detectable=absolute,
            detail=_detail(worst, len(a[0] or {}), absolute, limits[1]),
        )


def _elements(value: JSON, at: Index = ()) -> Elements | None:
    if value is None:
        return {at: math.nan}
    if is_number(value):
        try:
            return {at: float(value)}
        except OverflowError:
            return {at: math.inf if value > 0 else -math.inf}
    if not isinstance(value, list | tuple | Mapping) or len(at) == DIMENSIONS:
        return None
    found: Elements = {}
    for key, sub in value.items() if isinstance(value, Mapping) else enumerate(value):
        elements = _elements(sub, (*at, key))
        if elements is None:
            return None
        found |= elements
    return found


def _gap(old: Elements, new: Elements, absolute: float, relative: float) -> Gap:
    if old.keys() != new.keys():
        return Gap(math.inf, math.inf, (), 0, f"another shape: {len(old)} -> {len(new)} elements")
    apart = {i: (_apart(old[i], new[i]), absolute + relative * abs(old[i])) for i in old}
    if not apart:
        return Gap(0.0, 0.0, (), 0, "nothing to compare: no elements")
    excess = {i: _excess(*pair) for i, pair in apart.items()}
    at = max(excess, key=excess.__getitem__)
    moved = sum(e > 1 for e in excess.values())
    return Gap(excess[at], max(d for d, _ in apart.values()), at, moved, _came_or_went(old, new))


def _apart(old: float, new: float) -> float:
    if old == new or (math.isnan(old) and math.isnan(new)):
        return 0.0
    difference = abs(new - old)
    return difference if math.isfinite(difference) else math.inf


def _excess(distance: float, limit: float) -> float:
    if distance == 0:
        return 0.0
    if not math.isfinite(distance):
        return math.inf
    return distance / limit if limit else math.inf


def _came_or_went(old: Elements, new: Elements) -> str:
    came = [i for i in old if math.isnan(new[i]) and not math.isnan(old[i])]
    went = [i for i in old if math.isnan(old[i]) and not math.isnan(new[i])]
    said = [("NaN where the baseline has numbers", came), ("numbers where the baseline has NaN", went)]
    return "; ".join(f"{words}: {len(where)} of {len(old)}, first{_place(where[0])}" for words, where in said if where)


def _place(at: Index) -> str:
    return " at " + "".join(f"[{i}]" if isinstance(i, int) else f" {i}" for i in at).strip() if at else ""


def _tell(value: JSON) -> JSON:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {sub:.4g}" if is_number(sub) else name for name, sub in list(value.items())[:TOLD])
    if not isinstance(value, list | tuple):
        return shown(value)
    if value and isinstance(value[0], list | tuple):
        return f"{len(value)} x {len(value[0])} values"
    last = f", last {value[-1]:.6g}" if value and isinstance(value[-1], float) else ""
    return f"{len(value)} values{last}"


def _detail(gap: Gap, count: int, absolute: float, relative: float) -> str:
    if gap.words:
        return gap.words
    if gap.largest == 0:
        return f"bit-identical ({count} values)" if count > 1 else "bit-identical"
    limit = f"{absolute:g}" + (f" + {relative:g} x |old|" if relative else "")
    share = f"; {gap.moved} of {count} beyond {limit}" if count > 1 or gap.moved else f"; limit {limit}"
    return f"largest distance {gap.largest:.3g}, worst{_place(gap.at)}{share}"


JUDGE = Distance()
