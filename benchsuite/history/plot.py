"""A small plot in characters: a column a run, its trials' range, what is approved, what happened between. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchsuite.units import show_many

from .series import Event, Series

HEIGHT = 7
"""Lines of the plot."""
STEP = 2
"""Columns a run."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ+"
"""Of a structure's values the first, the second, ...; the last stands for all that follow."""


@dataclass(frozen=True, kw_only=True)
class Glyphs:
    """Characters that a plot is drawn with."""

    point: str
    span: str
    level: str
    axis: str


UNICODE = Glyphs(point="●", span="│", level="╌", axis="┤")
ASCII = Glyphs(point="o", span=":", level="-", axis="|")
EVENTS: Mapping[Event, str] = {Event.PROMOTED: "P", Event.VERSIONS: "v", Event.HARDWARE: "h", Event.CASE: "c"}
MEANING: Mapping[str, str] = {
    "P": "promoted before it",
    "v": "versions moved",
    "h": "hardware differs",
    "c": "another case or inputs",
    "*": "several of these",
}
SEVERAL = "*"


def plot(series: Series, *, width: int, glyphs: Glyphs = UNICODE) -> list[str]:
    """Lines of at most `width` characters; the newest runs where not all fit. Nothing for fewer than two."""
    if len(series.points) < STEP:
        return []
    return _numbers(series, width, glyphs) if series.numeric else _letters(series, width)


def _numbers(series: Series, width: int, glyphs: Glyphs) -> list[str]:
    low, high = _range(series)
    top, bottom, approved = show_many((high, low, series.baseline), series.unit)
    ends = {HEIGHT - 1: top, 0: bottom} if high > low else {HEIGHT // 2: top}
    margin = max(len(top), len(bottom))
    first = max(0, len(series.points) - (width - margin - STEP) // STEP)
    columns = [_column(_rows(point.values, low, high), glyphs) for point in series.points[first:]]
    level = _rows((series.baseline,), low, high)[0] if series.baseline is not None else None
    lines = []
    for row in reversed(range(HEIGHT)):
        empty = glyphs.level if row == level else " "
        cells = "".join(empty + (column.get(row) or empty) for column in columns)
        lines.append(f"{ends.get(row, ''):>{margin}} {glyphs.axis}{cells}".rstrip())
    return lines + _legend(series, first, margin + 2, f"{glyphs.level * 3} approved: {approved}")


def _range(series: Series) -> tuple[float, float]:
    values = [float(v) for point in series.points for v in point.values]
    if series.baseline is not None:
        values.append(float(series.baseline))
    low, high = min(values), max(values)
    # NaN and infinities have no place on an axis.
    return (low, high) if low < high < float("inf") and low > float("-inf") else (low, low)


def _rows(values: Sequence[float | int | str | None], low: float, high: float) -> list[int]:
    """The lowest, middle and highest line of some values; all of them in the middle where nothing differs."""
    ordered = sorted(float(v) for v in values if v is not None)
    chosen = (ordered[0], ordered[len(ordered) // 2], ordered[-1])
    if not high > low:
        return [HEIGHT // 2] * 3
    parts = ((value - low) / (high - low) for value in chosen)
    return [min(HEIGHT - 1, max(0, round(part * (HEIGHT - 1)))) if part == part else 0 for part in parts]  # noqa: PLR0124


def _column(rows: Sequence[int], glyphs: Glyphs) -> dict[int, str]:
    lowest, middle, highest = rows
    return dict.fromkeys(range(lowest, highest + 1), glyphs.span) | {middle: glyphs.point}


def _legend(series: Series, first: int, margin: int, approved: str) -> list[str]:
    signs = _signs(series, first)
    lines = [(" " * margin + "".join(f" {sign}" for sign in signs)).rstrip()] if any(s.strip() for s in signs) else []
    said = _meanings(signs) + ([approved] if series.baseline is not None else [])
    return lines + ([" " * (margin + 1) + "; ".join(said)] if said else [])


def _meanings(signs: Sequence[str]) -> list[str]:
    return [f"{sign} {meaning}" for sign, meaning in MEANING.items() if sign in signs]


def _signs(series: Series, first: int) -> list[str]:
    """One character a column: what happened before that run, or after the last one."""
    held: dict[int, set[str]] = {}
    for found in series.marks:
        held.setdefault(found.at, set()).add(EVENTS[found.event])
    ends = range(first, len(series.points) + 1)
    return [(SEVERAL if len(held[i]) > 1 else min(held[i])) if i in held else " " for i in ends]


def _letters(series: Series, width: int) -> list[str]:
    """A letter a value, in the order of their first appearance."""
    known = list(dict.fromkeys(str(point.value) for point in series.points))
    letters = [LETTERS[min(known.index(str(point.value)), len(LETTERS) - 1)] for point in series.points]
    shown = letters[-(width // STEP) :]
    signs = _signs(series, len(letters) - len(shown))
    lines = ["".join(f"{letter} " for letter in shown).rstrip()]
    said = _meanings(signs)
    return [*lines, "".join(f"{sign} " for sign in signs).rstrip(), "; ".join(said)] if said else lines
