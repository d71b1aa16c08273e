"""Accuracy against what it costs, over the regimes of a run: training time, and peak VRAM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from markupsafe import Markup

from benchsuite.nouns import CaseResult, RunResult, Weights
from benchsuite.reporters._columns import good
from benchsuite.units import show

from .blocks import (
    WIDTH,
    Block,
    Figure,
    Figures,
    Note,
    Section,
    Table,
    across,
    columns,
    dot,
    drawing,
    line,
    text,
    upward,
)
from .scales import Axis, axis
from .sides import NEW, OLD, middle, trials

ACCURACY = "quality.accuracy.reloaded"
COSTS = {"time.train": ("training time", "s"), "vram.peak.train": ("peak VRAM in training", "B")}
LEFT, RIGHT, TOP, BOTTOM = 46.0, WIDTH - 16, 26.0, 220.0
SURE = 1.96
"""Standard errors on both sides of an accuracy: 95 %."""
LETTER, LINE = 6.2, 13.0
"""About how much room a label's letter takes, and a line of it."""
RANDOM = "The weights are random, so that accuracy says nothing about a regime here."
HEAD = columns("Regime, Side, Cost:number, Accuracy:number, From:number, To:number, On the front")


@dataclass(frozen=True, kw_only=True)
class Spot:
    """One regime on one side."""

    regime: str
    side: str
    cost: float
    accuracy: float
    interval: tuple[float, float]


def section(run: RunResult) -> Section | None:
    """None where no case has an accuracy."""
    groups: dict[tuple[str, ...], list[CaseResult]] = {}
    for result in run.results:
        if middle(good(result.records), ACCURACY) is not None:
            groups.setdefault(_alike(result), []).append(result)
    blocks = [block for i, (key, group) in enumerate(groups.items()) for block in _blocks(f"pareto-{i}", key, group)]
    lead = (
        "Up is more accurate, left is cheaper; a regime on the dashed front is beaten in both by no other. The bars "
        "are what chance leaves open on so many validation examples (95 %)."
    )
    return Section(id="regimes", title="Which regime", lead=lead, blocks=tuple(blocks)) if blocks else None


def _alike(result: CaseResult) -> tuple[str, ...]:
    case = result.case
    return case.task, case.profile.name, case.model.id, case.weights.value, case.device.value, f"seed {case.seed}"


def _blocks(key: str, name: tuple[str, ...], group: Sequence[CaseResult]) -> Iterator[Block]:
    told = " · ".join(name)
    if len(group) == 1:
        yield Note(text=f"{told}: {group[0].case.regime} alone; a choice needs two regimes (--regimes fp32,qlora).")
        return
    drawn = [_figure(f"{key}-{i}", told, metric, group) for i, metric in enumerate(COSTS)]
    if any(result.case.weights is Weights.RANDOM for result in group):
        yield Note(text=f"{told}: {RANDOM}")
    old = (("ring-old", "baseline"),) if any(OLD in trials(result) for result in group) else ()
    legend = (("dot-new", "this run"), ("stroke-front", "front of this run"), *old)
    yield Figures(legend=legend, figures=tuple(found for found in drawn if found))


def spots(group: Sequence[CaseResult], metric: str) -> tuple[Spot, ...]:
    """Each regime's cost and accuracy, medians over trials, on both sides."""
    return tuple(found for result in group for side in (OLD, NEW) if (found := _spot(result, side, metric)))


def _spot(result: CaseResult, side: str, metric: str) -> Spot | None:
    records = trials(result).get(side, ())
    cost, accuracy = middle(records, metric), middle(records, ACCURACY)
    if cost is None or accuracy is None:
        return None
    count = max(len(record.predictions.labels) for record in records)
    return Spot(
        regime=result.case.regime, side=side, cost=cost, accuracy=accuracy, interval=wilson(accuracy, count)
    )  # fmt: skip


def wilson(share: float, count: int) -> tuple[float, float]:
    """Where the true share lies with 95 % confidence, seen on `count` examples; the share itself where none are."""
    if count < 1:
        return share, share
    z = SURE**2 / count
    middle_, reach = share + z / 2, SURE * sqrt(share * (1 - share) / count + z / (4 * count))
    return max(0.0, (middle_ - reach) / (1 + z)), min(1.0, (middle_ + reach) / (1 + z))


def front(found: Sequence[Spot]) -> tuple[Spot, ...]:
    """Those that no other beats in cost and accuracy, the cheapest first."""
    kept: list[Spot] = []
    for spot in sorted(found, key=lambda spot: (spot.cost, -spot.accuracy)):
        last = kept[-1] if kept else None
        alike = last and (spot.cost, spot.accuracy) == (last.cost, last.accuracy)
        if last is None or alike or spot.accuracy > last.accuracy:
            kept.append(spot)
    return tuple(kept)


# ---------------------------------------------------------------- drawing


def _figure(key: str, told: str, metric: str, group: Sequence[CaseResult]) -> Figure | None:
    words, unit = COSTS[metric]
    found = spots(group, metric)
    new = [spot for spot in found if spot.side == NEW]
    if not new:
        return None
    x = axis([spot.cost for spot in found], unit, LEFT, RIGHT, zero=True)
    y = axis([end for spot in found for end in (spot.accuracy, *spot.interval)], "1", BOTTOM, TOP, count=4)
    best = front(new)
    parts = [*upward(y, LEFT, RIGHT, "accuracy"), *across(x, TOP, BOTTOM, words), _stairs(best, x, y)]
    parts += [part for spot in found for part in _mark(spot, x, y)]
    parts += _labels(new, x, y)
    title = f"Accuracy against {words}, {told}"
    says = f"On the front: {', '.join(spot.regime for spot in best)}."
    svg = drawing(key, title, says, BOTTOM + 34, parts)
    return Figure(title=f"Accuracy against {words}", says=says, svg=svg, table=_table(title, unit, found, best))


def _stairs(best: Sequence[Spot], x: Axis, y: Axis) -> Markup:
    points: list[tuple[float, float]] = []
    for spot in best:
        points += [(x(spot.cost), points[-1][1])] if points else []
        points.append((x(spot.cost), y(spot.accuracy)))
    return line([*points, (RIGHT, points[-1][1])], "line-front")


def _mark(spot: Spot, x: Axis, y: Axis) -> Iterator[Markup]:
    style = "new" if spot.side == NEW else "old"
    place = x(spot.cost)
    if spot.side == NEW:
        yield line([(place, y(end)) for end in spot.interval], "line-interval")
    told = f"{spot.regime}, {spot.side}: accuracy {spot.accuracy:.4f}"
    yield dot(place, y(spot.accuracy), 4.5, "dot-new" if style == "new" else "ring-old", told)


def _labels(found: Sequence[Spot], x: Axis, y: Axis) -> Iterator[Markup]:
    """A name beside each mark, on whichever side is still free."""
    taken: list[tuple[float, float, float, float]] = []
    for spot in found:
        a, b, wide = x(spot.cost), y(spot.accuracy), len(spot.regime) * LETTER
        places = [(a + 8, b - 5), (a - 8 - wide, b - 5), (a + 8, b + 14), (a - 8 - wide, b + 14),
                  (a + 8, b - 5 - LINE), (a - 8 - wide, b - 5 - LINE)]  # fmt: skip
        inside = [(left, low) for left, low in places if left >= LEFT and left + wide <= WIDTH]
        free = (place for place in inside if not any(_meet((*place, wide, LINE), other) for other in taken))
        left, low = next(free, (inside or places)[0])
        taken.append((left, low, wide, LINE))
        yield text(left, low, spot.regime, style="value")


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    (a, b, wide, high), (c, d, wider, higher) = one, other
    return a < c + wider and c < a + wide and b - high < d and d - higher < b


def _table(title: str, unit: str, found: Sequence[Spot], best: Sequence[Spot]) -> Table:
    rows: Mapping[Spot, tuple[str, ...]] = {
        spot: (spot.regime, spot.side, show(spot.cost, unit), f"{spot.accuracy:.4f}",
               *(f"{end:.4f}" for end in spot.interval), "yes" if spot in best else "")
        for spot in found
    }  # fmt: skip
    return Table(caption=title, columns=HEAD, rows=tuple(rows.values()))
