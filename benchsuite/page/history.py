"""Draws how figures moved from run to run, with promotions and changes of version marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from markupsafe import Markup

from benchsuite.nouns import RunResult
from benchsuite.units import show, show_change, show_effect

from .blocks import WIDTH, Block, Figure, Figures, Fold, Section, Table, columns, dot, drawing, line, text, upward
from .glance import KEY, titles, units
from .markup import tag
from .points import History, Point, upgraded
from .scales import Axis, axis
from .sides import names

LEFT, RIGHT, TOP, BOTTOM = 56.0, WIDTH - 14, 26.0, 120.0
OPEN = 2
"""Cases whose drawings stand open; where there are more, each case's are folded."""
SHOWN, FEWEST = 60, 12
"""Points of a drawing where few cases share the page, and where many do; the table of every metric is over all."""
HEAD = columns("Run:code, When, Value:number, Against the run before:number, Approved, Versions that changed")
OTHERS = columns("Metric:code, Runs:number, First:number, Lowest:number, Highest:number, Last:number, Change:number")


def section(run: RunResult, held: History) -> Section | None:
    """None where no metric was measured twice."""
    long = {key: found for key, found in held.items() if len(found) > 1}
    if not long:
        return None
    blocks: list[Block] = []
    for place, result in enumerate(run.results):
        found = tuple(_case(run, place, result.slug, long))
        shown = found if len(run.results) <= OPEN else (Fold(title=names(run)[result.slug], blocks=found),)
        blocks += shown if found else ()
    lead = f"From the oldest run on the left to the newest, at equal distances; of more than {limit(run)} the newest."
    return Section(id="history", title="History", lead=lead, blocks=tuple(blocks))


def limit(run: RunResult) -> int:
    """How many points each drawing has room for, so that many cases do not make a page too large to send."""
    return max(FEWEST, SHOWN * OPEN // max(OPEN, len(run.results)))


def _case(run: RunResult, place: int, slug: str, held: History) -> Iterator[Block]:
    name, unit, title = names(run)[slug], units(run, slug), titles(run, slug)
    mine = {metric: found for (case, metric), found in held.items() if case == slug}
    drawn = tuple(
        _figure(f"history-{place}-{i}", f"{name}: {words}", unit.get(metric, ""), mine[metric][-limit(run) :])
        for i, (metric, words) in enumerate(KEY.items())
        if metric in mine
    )
    legend = (("dot-new", "a run"), ("diamond", "approved"), ("stroke-version", "versions changed"))
    if drawn:
        yield Figures(legend=legend, figures=drawn)
    rows = tuple(_row(metric, unit.get(metric, ""), mine[metric]) for metric in mine if metric in title)
    if rows:
        table = Table(caption=f"Every metric over runs, {name}", columns=OTHERS, rows=rows)
        yield Fold(title=f"{name}: every metric over {max(map(len, mine.values()))} runs", blocks=(table,))


def _row(metric: str, unit: str, found: Sequence[Point]) -> tuple[str, ...]:
    values = [point.value for point in found]
    shown = (values[0], min(values), max(values), values[-1])
    change = show_effect(values[0], values[-1], unit)
    return metric, str(len(values)), *(show(value, unit) for value in shown), change


# ---------------------------------------------------------------- drawing


def _figure(key: str, title: str, unit: str, found: Sequence[Point]) -> Figure:
    y = axis([point.value for point in found], unit, BOTTOM, TOP, count=3)
    reach = (RIGHT - LEFT - 20) / max(1, len(found) - 1)
    places = [LEFT + 10 + i * reach for i in range(len(found))]
    parts = [*upward(y, LEFT, RIGHT), text(0, TOP - 12, y.unit), *_upgrades(found, places)]
    parts.append(line([(x, y(point.value)) for x, point in zip(places, found, strict=True)], "line-new"))
    parts += [_mark(x, point, y, unit, last=point is found[-1]) for x, point in zip(places, found, strict=True)]
    parts += [text(places[0] - 4, BOTTOM + 16, _day(found[0]), style="tick"),
              text(RIGHT, BOTTOM + 16, _day(found[-1]), anchor="end", style="tick")]  # fmt: skip
    says = _says(found, unit)
    svg = drawing(key, title, says, BOTTOM + 22, parts)
    return Figure(title=title, says=says, svg=svg, table=_table(title, unit, found))


def _upgrades(shown: Sequence[Point], places: Sequence[float]) -> Iterator[Markup]:
    for (before, after), (a, b) in zip(pairwise(shown), pairwise(places), strict=True):
        if moved := upgraded(before, after):
            middle = (a + b) / 2
            told = tag("title", ", ".join(moved))
            yield tag("g", told, line([(middle, TOP - 6), (middle, BOTTOM)], "line-version"))


def _mark(x: float, point: Point, y: Axis, unit: str, *, last: bool) -> Markup:
    told = f"{point.run}: {show(point.value, unit)}{', approved' if point.promoted else ''}"
    if not point.promoted:
        return dot(x, y(point.value), 4.5 if last else 3, "dot-new", told)
    a, b = x, y(point.value)
    corners = ((a, b - 6), (a + 6, b), (a, b + 6), (a - 6, b))
    return tag("polygon", tag("title", told), points=" ".join(f"{p:.1f},{q:.1f}" for p, q in corners), class_="diamond")


def _day(point: Point) -> str:
    return point.when[:16].replace("T", " ")


def _says(found: Sequence[Point], unit: str) -> str:
    changes = sum(bool(upgraded(a, b)) for a, b in pairwise(found))
    said = f"{show_change(found[0].value, found[-1].value, unit)} over {len(found)} runs"
    versions = f"; versions changed {changes} time{'s' * (changes != 1)}" if changes else ""
    return f"{said}{versions}."


def _table(title: str, unit: str, found: Sequence[Point]) -> Table:
    before: Mapping[int, Point] = dict(enumerate(found, 1))
    rows = []
    for i, point in enumerate(found):
        old = before.get(i)
        moved = upgraded(old, point) if old else ()
        effect = show_effect(old.value, point.value, unit) if old else ""
        approved = "yes" if point.promoted else ""
        rows.append((point.run, _day(point), show(point.value, unit), effect, approved, ", ".join(moved)))
    return Table(caption=title, columns=HEAD, rows=tuple(rows))
