"""History as one SVG file: a panel a series. Pure. Colour never stands alone: what failed has another shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from benchsuite.nouns import FAILING
from benchsuite.units import show, show_many

from .entries import Point
from .series import Event, Mark, Series

WIDTH, PANEL, LEFT, RIGHT, TOP, BOTTOM = 860, 230, 90, 20, 46, 40
INK, GRID, LINE, BAD, APPROVED, MOVED = "#222", "#ddd", "#0b5394", "#a61b1b", "#2d6a2d", "#6a3d9a"
HALF, RADIUS, DIAMOND = 0.5, 3.5, 5.5
TICKS = 4
STROKES = {
    Event.PROMOTED: (APPROVED, "6 3"),
    Event.VERSIONS: (MOVED, "2 3"),
    Event.HARDWARE: (MOVED, "8 2 2 2"),
    Event.CASE: (BAD, "4 4"),
}
WORDS = {Event.PROMOTED: "promoted", Event.VERSIONS: "versions", Event.HARDWARE: "hardware", Event.CASE: "case"}


def svg(found: Sequence[Series]) -> str:
    """A file's text: of each series the runs in their order, trials' range, the approved value, and what happened.

    Structures have a level a value, in the order of their first appearance.
    """
    height = max(1, len(found)) * PANEL
    names = ", ".join(dict.fromkeys(series.metric for series in found)) or "nothing"
    panels = [f'<g transform="translate(0 {i * PANEL})">\n{_panel(each)}\n</g>' for i, each in enumerate(found)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-family="sans-serif" '
        f'font-size="12" fill="{INK}">\n<title>History of {escape(names)}</title>\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n' + "\n".join(panels) + "\n</svg>\n"
    )


def _panel(series: Series) -> str:
    levels = list(dict.fromkeys(str(point.value) for point in series.points))
    heights = [_heights(point, series, levels) for point in series.points]
    low, high = _range(series, heights)
    said = f"{series.metric} of {series.case} on {series.machine}, {len(series.points)} runs"
    parts = [
        f"<title>{escape(said)}</title>",
        f'<text x="{LEFT}" y="18" font-weight="bold">{escape(series.metric)}</text>',
        f'<text x="{LEFT}" y="34">{escape(f"{series.case} on {series.machine}")}</text>',
        *_axis(series, low, high, levels),
        *(_mark(m, len(heights)) for m in series.marks),
        *_approved(series, low, high),
        _course(heights, low, high),
        *(_point(p, _x(i, len(heights)), [_y(v, low, high) for v in heights[i]], series.unit)
          for i, p in enumerate(series.points)),
        *_dates(series),
        _legend(series.points),
    ]  # fmt: skip
    return "\n".join(filter(None, parts))


def _heights(point: Point, series: Series, levels: Sequence[str]) -> tuple[float, float, float]:
    """Lowest, typical and highest value of a run's trials."""
    if not series.numeric:
        return (float(levels.index(str(point.value))),) * 3
    values = [float(v) for v in point.values]
    return min(values), float(point.value), max(values)


def _range(series: Series, heights: Iterable[tuple[float, float, float]]) -> tuple[float, float]:
    values = [v for each in heights for v in each]
    if series.numeric and series.baseline is not None:
        values.append(float(series.baseline))
    finite = [v for v in values if abs(v) < float("inf")] or [0.0]
    low, high = min(finite), max(finite)
    room = (high - low) * 0.08 or abs(high) * 0.01 or HALF
    return low - room, high + room


def _x(i: float, count: int) -> float:
    return LEFT + (i + HALF) / count * (WIDTH - LEFT - RIGHT)


def _y(value: float, low: float, high: float) -> float:
    part = (value - low) / (high - low)
    return PANEL - BOTTOM - min(1.0, max(0.0, part if part == part else 0.0)) * (PANEL - TOP - BOTTOM)  # noqa: PLR0124


def _axis(series: Series, low: float, high: float, levels: Sequence[str]) -> Iterable[str]:
    if series.numeric:
        values = [low + (high - low) * i / TICKS for i in range(TICKS + 1)]
        ticks = list(zip(values, show_many(values, series.unit), strict=True))
    else:
        ticks = [(float(i), name) for i, name in enumerate(levels)]
    for value, said in ticks:
        y = _y(value, low, high)
        yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" font-size="10">{escape(said)}</text>'


def _mark(mark: Mark, count: int) -> str:
    x = LEFT + mark.at / count * (WIDTH - LEFT - RIGHT)
    colour, dashes = STROKES[mark.event]
    said = f"{WORDS[mark.event]} {mark.text}"
    # The sign stands on the side where there is room.
    anchor, away = ("end", -3) if mark.at == count else ("start", 3)
    y = TOP + (10 if mark.event is Event.PROMOTED else 22)
    return (
        f'<g><title>{escape(said)}</title><path d="M{x:.1f} {TOP}V{PANEL - BOTTOM}" stroke="{colour}" '
        f'stroke-dasharray="{dashes}"/><text x="{x + away:.1f}" y="{y}" font-size="10" fill="{colour}" '
        f'text-anchor="{anchor}">{WORDS[mark.event]}</text></g>'
    )


def _approved(series: Series, low: float, high: float) -> Iterable[str]:
    if series.numeric and series.baseline is not None:
        y, said = _y(float(series.baseline), low, high), f"approved: {show(series.baseline, series.unit)}"
        yield (
            f'<g><title>{escape(said)}</title><path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{APPROVED}"/>'
            f'<text x="{WIDTH - RIGHT}" y="{y - 4:.1f}" text-anchor="end" font-size="10" fill="{APPROVED}">'
            f"{escape(said)}</text></g>"
        )


def _course(heights: Sequence[tuple[float, float, float]], low: float, high: float) -> str:
    places = " ".join(f"{_x(i, len(heights)):.1f},{_y(h[1], low, high):.1f}" for i, h in enumerate(heights))
    return f'<polyline points="{places}" fill="none" stroke="{LINE}" stroke-opacity="0.5"/>' if heights[1:] else ""


def _point(point: Point, x: float, ys: Sequence[float], unit: str) -> str:
    least, typical, most = ys
    said = f"{point.run}, {point.started[:16]}: {show(point.value, unit)}, {_said(point)}"
    span = f'<path d="M{x:.1f} {least:.1f}V{most:.1f}" stroke="{LINE}"/>' if most < least else ""
    circle = f'<circle cx="{x:.1f}" cy="{typical:.1f}" r="{RADIUS}" fill="{LINE}"/>'
    shape = _diamond(x, typical) if _bad(point) else circle
    return f"<g><title>{escape(said)}</title>{span}{shape}</g>"


def _bad(point: Point) -> bool:
    return point.outcome in FAILING or bool(point.injected)


def _diamond(x: float, y: float) -> str:
    path = f"M{x:.1f} {y - DIAMOND:.1f}l{DIAMOND} {DIAMOND}l-{DIAMOND} {DIAMOND}l-{DIAMOND} -{DIAMOND}z"
    return f'<path d="{path}" fill="{BAD}"/>'


def _legend(points: Iterable[Point]) -> str:
    words = sorted({"injected" if point.injected else point.outcome for point in points if _bad(point)})
    if not words:
        return ""
    x, y = WIDTH / 2, PANEL - BOTTOM + 16
    return f'{_diamond(x, y - 4)}<text x="{x + 10:.0f}" y="{y}" font-size="10">{escape(", ".join(words))}</text>'


def _said(point: Point) -> str:
    return f"injected: {point.injected}" if point.injected else point.outcome or "not judged"


def _dates(series: Series) -> Iterable[str]:
    y, count = PANEL - BOTTOM + 16, len(series.points)
    ends = {0: "start", count - 1: "end"} if count > 1 else {0: "middle"}
    for i, anchor in ends.items():
        when = series.points[i].started[:16].replace("T", " ")
        yield f'<text x="{_x(i, count):.1f}" y="{y}" text-anchor="{anchor}" font-size="10">{escape(when)}</text>'
