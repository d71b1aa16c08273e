"""The parts of a difference in words: tables for the terminal and for a page. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import fill

from .effects import Decomposition, Effect, Part
from .nouns import Metric
from .side_by_side import MEASURES, Matrix
from .units import percent, show

WHOLE = "all together"
WIDTH = 118
POINTS = 100
FEW = 5
"""Trials below which parts of times are said to be noisy."""


def text(found: Sequence[Decomposition], metrics: Sequence[Metric]) -> str:
    """For the terminal: a metric each, its parts below it."""
    units = {metric.name: metric.unit for metric in metrics}
    blocks = []
    for each in found:
        lines = [line for effect in each.effects for line in ("", *_block(effect, units.get(effect.metric, "")))]
        told = [fill(note, WIDTH) for note in notes(each)]
        blocks.append("\n".join([title(each), *lines, "", *told]))
    return "\n\n".join(blocks)


def regimes(matrix: Matrix, metrics: Sequence[Metric]) -> list[tuple[str, ...]]:
    """A header and a row a regime; a column a metric, empty where it was not measured."""
    units = {metric.name: metric.unit for metric in metrics}
    shown = [metric for metric in MEASURES if any(metric in figures for figures in matrix.figures.values())]
    rows = [
        (name, *(show(figures[metric], units.get(metric, "")) if metric in figures else "" for metric in shown))
        for name, figures in matrix.figures.items()
    ]
    return [("Regime", *shown), *rows]


def side_by_side(matrix: Matrix, metrics: Sequence[Metric]) -> str:
    """The same for the terminal, columns in line."""
    rows = regimes(matrix, metrics)
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join([row[0].ljust(wide[0]), *map(str.rjust, row[1:], wide[1:])]) for row in rows]
    return "\n".join([matrix.case, "", *(f"  {line}".rstrip() for line in lines)])


def _block(effect: Effect, unit: str) -> Iterator[str]:
    whole = _size(effect.whole, effect.scale, unit)
    yield f"  {effect.metric}  {show(effect.old, unit)} -> {show(effect.new, unit)}, {whole}"
    rows = [(*_cells_of(part, effect.scale, unit), " + ".join(part.factors)) for part in effect.parts]
    wide = [max(len(row[i]) for row in rows) for i in range(3)]
    for size, share, spread, names in rows:
        yield f"    {size:>{wide[0]}}  {share:>{wide[1]}}  {spread:{wide[2]}}  {names}"


def title(found: Decomposition) -> str:
    """From where to where, and of what."""
    return f"{found.start} -> {found.end}: {found.case}"


def table(found: Decomposition, metrics: Sequence[Metric]) -> list[tuple[str, ...]]:
    """A header, a row a change, and the whole last; a column a metric."""
    units = {metric.name: metric.unit for metric in metrics}
    names = [" + ".join(part.factors) for part in found.effects[0].parts] if found.effects else []
    columns = [("Change", *names, WHOLE), *((e.metric, *_column(e, units.get(e.metric, ""))) for e in found.effects)]
    return list(zip(*columns, strict=True))


def _column(effect: Effect, unit: str) -> Iterator[str]:
    for part in effect.parts:
        size, share, spread = _cells_of(part, effect.scale, unit)
        yield f"{size}{spread and f' ({spread})'}{share and f', {share}'}"
    yield _size(effect.whole, effect.scale, unit)


def _cells_of(part: Part, scale: str, unit: str) -> tuple[str, str, str]:
    """Size, share of the whole, and what it lies between where the order of changes counts."""
    size, low, high = (_size(value, scale, unit) for value in (part.effect, part.low, part.high))
    share = "" if part.share is None else percent(part.share + 0.0).removeprefix("+")
    return size, share, f"{low} to {high}" if low != high else ""


def _size(value: float, scale: str, unit: str) -> str:
    if scale == "ratio":
        return f"x{value:.3g}"
    if unit == "1":
        return f"{value * POINTS:+.2f} points"
    return f"{'-' if value < 0 else '+'}{show(abs(value), unit)}"


def notes(found: Decomposition) -> list[str]:
    """How it was come by, and what could not be told."""
    orders = f"mean over {found.paths} orders of the changes" if found.paths > 1 else "one order of the changes"
    notes = [f"from {', '.join(found.regimes)}; {orders}; shares add up to 100 %"]
    if found.trials < FEW and any(effect.scale == "ratio" for effect in found.effects):
        trials = "1 trial" if found.trials == 1 else f"{found.trials} trials"
        notes.append(f"{trials} a regime: times move by 1 to 40 % from process to process, and so do their parts")
    return [*notes, *(f"not told: {each}" for each in found.missing)]
