"""Which part of the way from one regime to another is due to which change: pure.

A change's part is the effect of its step, averaged over the paths that `lattice` finds; over a whole lattice that is
its Shapley value. Parts add up to the whole: of times the logarithms of ratios do, of bytes and accuracy the
differences.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from .cases import describe
from .lattice import NAMES, Block, Factors, between, factors, finest, ordered, paths, steps
from .nouns import Case, Device, Record, Status, Transform, UsageError
from .registry import pick, regimes
from .side_by_side import MEASURES, groups, medians, words

ENDS = (("fp32", "qlora"), ("fp32", "qlora-dyn"), ("fp32", "amp-fast"))
"""Ways that are taken apart unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one change, or several that were only measured together, does to one metric."""

    factors: tuple[str, ...]
    effect: float
    """Ratio new / old, or difference new - old in the base unit; the mean over paths."""
    low: float
    high: float
    """Least and greatest over paths: how much it depends on what was changed before."""
    share: float | None
    """Of the whole effect; None where the whole is nothing."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One metric from end to end, and its parts."""

    metric: str
    scale: str
    """"ratio": parts multiply; "difference": parts add."""
    old: float
    new: float
    whole: float
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True)
class Decomposition:
    """The way from one regime to another, taken apart."""

    case: str
    """What all the regimes share, in words."""
    start: str
    end: str
    regimes: tuple[str, ...]
    """Those whose figures are used."""
    trials: int
    """Good trials of the regime that has the fewest."""
    paths: int
    effects: tuple[Effect, ...]
    missing: tuple[str, ...]
    """What could not be told, and what would tell it."""


# ---------------------------------------------------------------- effects


def decompose(
    records: Sequence[Record], ends: Iterable[tuple[str, str]], known: Mapping[str, Sequence[Transform]]
) -> tuple[Decomposition, ...]:
    """Each pair of ends of which both were measured, for each set of cases that differ in their regime alone.

    Args:
        records: Trials of a run; failed ones are left out.
        ends: Names of regimes, from and to.
        known: Transforms of all regimes by name, to tell which of them would say more.
    """
    pairs, found = tuple(ends), list[Decomposition]()
    for group in groups(records):
        there = {record.case.regime: _acting(record.case) for record in group}
        differing = [(a, b) for a, b in pairs if {a, b} <= there.keys() and there[a] != there[b]]
        found += [_decomposed(group, there, *pair, known) for pair in differing]
    return tuple(found)


def of_run(records: Sequence[Record], ends: str = "") -> tuple[Decomposition, ...]:
    """What a run says, of the two regimes that `ends` names as "FROM,TO", else of the usual ones.

    Raises:
        UsageError: `ends` are not two regimes of the run, or the run holds nothing that could be taken apart.
    """
    wanted = tuple(name.strip() for name in ends.split(",")) if ends else ()
    there = sorted({record.case.regime for record in records if record.status is Status.OK})
    for name in wanted:
        pick("regime", name, there)
    if ends and len(set(wanted)) != 2:  # noqa: PLR2004 - an end and another
        raise UsageError(f"--ends takes two regimes, FROM,TO, not {ends!r}. The run holds: {', '.join(there)}.")
    found = decompose(records, [(wanted[0], wanted[1])] if ends else ENDS, regimes())
    if not found:
        raise UsageError(
            f"nothing to take apart: no case has both ends of {' or '.join(' -> '.join(pair) for pair in ENDS)}, or "
            f"of --ends. The run holds: {', '.join(there) or 'no good trial'}. Measure with --suite-regimes all."
        )
    return found


def _acting(case: Case) -> Factors:
    """A case's factors, without those that do nothing on its device."""
    idle = {"cudagraphs"} if case.device is Device.CPU else set()
    return {name: value for name, value in factors(case.transforms).items() if name not in idle}


def _decomposed(
    group: Sequence[Record],
    measured_as: Mapping[str, Factors],
    start: str,
    end: str,
    known: Mapping[str, Sequence[Transform]],
) -> Decomposition:
    places = between(measured_as, start, end)
    order = ordered(places[end])
    ways = finest(paths(places.values(), places[end]), order)
    at = {place: name for name, place in places.items()} | {frozenset(): start, places[end]: end}
    used = {at[place]: medians([r for r in group if r.case.regime == at[place]]) for way in ways for place in way}
    figures = {place: used[name] for place, name in at.items() if name in used}
    measured = [metric for metric in MEASURES if metric in used[start] and metric in used[end]]
    whole = [metric for metric in measured if all(metric in figures[place] for way in ways for place in way)]
    names = sorted(used, key=lambda name: (len(places[name]), name))
    return Decomposition(
        case=words(group[0].case), start=start, end=end, regimes=tuple(names),
        trials=min(sum(record.case.regime == name for record in group) for name in names), paths=len(ways),
        effects=tuple(_effect(metric, ways, figures, order) for metric in whole),
        missing=(*_joint(ways, measured_as, known, (start, end), order), *_unmeasured(measured, used)),
    )  # fmt: skip


def _effect(
    metric: str, ways: Sequence[Sequence[Block]], figures: Mapping[Block, Mapping[str, float]], order: Sequence[str]
) -> Effect:
    ratio = MEASURES[metric] == "ratio"
    value = {place: math.log(f[metric]) if ratio else f[metric] for place, f in figures.items() if metric in f}
    found: dict[Block, list[float]] = {}
    for way in ways:
        for before, after in pairwise(way):
            found.setdefault(after - before, []).append(value[after] - value[before])
    first, last = ways[0][0], ways[0][-1]
    whole = value[last] - value[first]
    blocks = sorted(found, key=lambda block: [order.index(factor) for factor in ordered(block)])
    return Effect(
        metric=metric, scale=MEASURES[metric], old=figures[first][metric], new=figures[last][metric],
        whole=_shown(whole, ratio=ratio), parts=tuple(_part(b, found[b], whole, ratio=ratio) for b in blocks),
    )  # fmt: skip


def _part(block: Block, effects: Sequence[float], whole: float, *, ratio: bool) -> Part:
    mean = fmean(effects)
    return Part(
        factors=tuple(NAMES.get(factor, factor) for factor in ordered(block)), effect=_shown(mean, ratio=ratio),
        low=_shown(min(effects), ratio=ratio), high=_shown(max(effects), ratio=ratio),
        share=mean / whole if whole else None,
    )  # fmt: skip


def _shown(value: float, *, ratio: bool) -> float:
    return math.exp(value) if ratio else value


# ---------------------------------------------------------------- what could not be told


def _joint(
    ways: Sequence[Sequence[Block]],
    measured_as: Mapping[str, Factors],
    known: Mapping[str, Sequence[Transform]],
    ends: tuple[str, str],
    order: Sequence[str],
) -> Iterator[str]:
    """Changes that were measured together only, and the regimes that would tell them apart."""
    every = {**{name: factors(map(describe, ts)) for name, ts in known.items()}, **measured_as}
    places = between(every, *ends)
    for block in sorted({step for way in ways for step in steps(way) if len(step) > 1}, key=ordered):
        gaps = [(way[i], way[i + 1]) for way in ways for i, step in enumerate(steps(way)) if step == block]
        helpful = [name for name, place in places.items() if any(low < place < high for low, high in gaps)]
        names = ", ".join(NAMES.get(factor, factor) for factor in ordered(block) if factor in order)
        advice = f"measure {', '.join(sorted(helpful))} too" if helpful else "no regime that is known lies between"
        yield f"only measured together: {names}; {advice}"


def _unmeasured(measured: Iterable[str], used: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    for metric in measured:
        if lacking := sorted(name for name, figures in used.items() if metric not in figures):
            yield f"{metric} was not measured in {', '.join(lacking)}"
