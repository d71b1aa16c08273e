"""Rows of measured error rates as text, Markdown, JSON and a plot. Display only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from benchsuite.nouns import JSON

from .power import Row

HEADER = ("scene", "rule", "effect", "calls", "found", "95 % interval", "other alarms", "pairs", "seconds")
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 760, 400, 56, 48, 16, 250
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")
"""Okabe and Ito's, told apart by colour-blind people too."""
LEAST, ONE = 0.01, 1.0
"""Percent below which a rate is not spelled out, and below which it gets a second decimal."""
TICKS = (0.0025, 0.005, 0.01, 0.02, 0.05, 0.1)


def cells(rows: Iterable[Row]) -> list[tuple[str, ...]]:
    """Each row's cells, in the order of `HEADER`. Of effect 0, "found" is the rate of false alarms."""
    return [_cells(row) for row in rows]


def _cells(row: Row) -> tuple[str, ...]:
    low, high = row.interval
    return (
        row.scene,
        row.rule,
        f"{row.effect * 100:g} %" if row.effect else "none",
        f"{row.calls:,}",
        share(row.rate),
        f"{share(low)} to {share(high)}",
        share(row.alarms / row.calls) if row.effect else "",
        f"{row.pairs:.1f}",
        f"{row.seconds:.0f}",
    )


def share(rate: float) -> str:
    """A rate as "0.42 %", "97.4 %", "0 %" or "100 %"; what is neither of these two never looks like one."""
    value = rate * 100
    if value in {0.0, 100.0}:
        return f"{value:.0f} %"
    if min(value, 100 - value) < LEAST:
        return f"<{LEAST} %" if value < LEAST else f">{100 - LEAST} %"
    return f"{value:.2f} %" if min(value, 100 - value) < ONE else f"{value:.1f} %"


def text(rows: Iterable[Row]) -> str:
    """A table in columns, for a terminal."""
    lines = [HEADER, *cells(rows)]
    wide = [max(len(line[i]) for line in lines) for i in range(len(HEADER))]
    # Names to the left, figures to the right.
    return "\n".join(
        "  ".join(c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(line, wide, strict=True))).rstrip()  # noqa: PLR2004
        for line in lines
    )


def markdown(rows: Iterable[Row]) -> str:
    """A table in Markdown."""
    lines = [HEADER, ("---", "---", *(["---:"] * (len(HEADER) - 2))), *cells(rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def data(rows: Iterable[Row]) -> list[JSON]:
    """Rows for a program: the fields of `Row`, with rates and their intervals."""
    return [
        {**asdict(row), "rate": row.rate, "interval": list(row.interval), "alarm_interval": list(row.alarm_interval)}
        for row in rows
    ]


# ---------------------------------------------------------------- plot


def svg(rows: Sequence[Row]) -> str:
    """Share of calls that find the effect against the effect (logarithmic), one line a rule and scene, as SVG."""
    planted = [row for row in rows if row.effect > 0]
    names = list(dict.fromkeys((row.scene, row.rule) for row in planted))
    lines = [_line(planted, name, i) for i, name in enumerate(names)]
    body = "\n".join([*_axes(planted), *lines])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12">\n<title>Share of calls that find a slowdown</title>\n{body}\n</svg>\n'
    )


def _x(effect: float, rows: Sequence[Row]) -> float:
    low, high = (math.log(f(row.effect for row in rows)) for f in (min, max))
    part = (math.log(effect) - low) / (high - low) if high > low else 0.5
    return LEFT + part * (WIDTH - LEFT - RIGHT)


def _y(rate: float) -> float:
    return HEIGHT - BOTTOM - rate * (HEIGHT - BOTTOM - TOP)


def _axes(rows: Sequence[Row]) -> list[str]:
    right, found = WIDTH - RIGHT, list[str]()
    low, high = (f((row.effect for row in rows), default=0.0) for f in (min, max))
    for rate in (0, 0.25, 0.5, 0.75, 0.9, 1):
        found.append(f'<path d="M{LEFT} {_y(rate):.1f}H{right}" stroke="#ddd"/>')
        found.append(f'<text x="{LEFT - 6}" y="{_y(rate) + 4:.1f}" text-anchor="end">{rate * 100:.0f} %</text>')
    for effect in (tick for tick in TICKS if low <= tick <= high):
        x = _x(effect, rows)
        found.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#eee"/>')
        found.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{effect * 100:g} %</text>')
    found.append(f'<text x="{(LEFT + right) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">planted slowdown</text>')
    return found


def _line(rows: Sequence[Row], name: tuple[str, str], place: int) -> str:
    own = sorted((row for row in rows if (row.scene, row.rule) == name), key=lambda row: row.effect)
    points = " ".join(f"{_x(row.effect, rows):.1f},{_y(row.rate):.1f}" for row in own)
    colour, dash = COLOURS[place % len(COLOURS)], ' stroke-dasharray="5 3"' if place >= len(COLOURS) else ""
    label = _escaped(": ".join(name))
    y = TOP + 14 + 16 * place
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>\n'
        f'<text x="{WIDTH - RIGHT + 12}" y="{y}" fill="{colour}">{label}</text>'
    )


def _escaped(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
