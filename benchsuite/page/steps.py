"""How long single training steps took: one drawing a case, the baseline's steps and this run's on one axis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median

from markupsafe import Markup

from benchsuite.nouns import CaseResult, Record, RunResult
from benchsuite.units import show, show_change

from .blocks import WIDTH, Figure, Figures, Section, Table, across, columns, dot, drawing, line, text
from .markup import tag
from .scales import Axis, axis, quantile
from .sides import NEW, OLD, compared, names, samples, trials

METRIC = "time.step"
BINS = 36
TAIL = 0.01
"""Share of the steps at either end that may lie beyond the axis, so that one late step does not flatten the rest."""
LEFT, RIGHT, TOP, BASE, STRIPS = 62.0, WIDTH - 14, 10.0, 108.0, 30.0
STYLES = {OLD: "old", NEW: "new"}
HEAD = columns(
    "Side, Trial:number, Steps:number, Fastest 5 %:number, Median:number, Slowest 5 %:number, Longest:number"
)
Timed = Mapping[str, tuple[tuple[float, ...], ...]]
"""Seconds of each step of each trial, by side."""


def section(run: RunResult) -> Section | None:
    """None where no trial timed its steps."""
    called = names(run)
    drawn = [figure(f"steps-{i}", called[result.slug], timed(result)) for i, result in enumerate(run.results)]
    figures = tuple(found for found in drawn if found)
    lead = (
        "Each hill is the share of training steps that took so long; below it each trial's median. A trial is one "
        "fresh process: only differences between trials say anything about a change."
    )
    old = (("fill-old", "the baseline's steps"),) if compared(run) else ()
    legend = (*old, ("fill-new", "this run's steps"), ("dot-new", "a trial's median"))
    blocks = (Figures(legend=legend, figures=figures),)
    return Section(id="steps", title="Training steps", lead=lead, blocks=blocks) if figures else None


def timed(result: CaseResult) -> Timed:
    """The step times of a case."""
    found = {side: tuple(filter(None, map(_samples, records))) for side, records in trials(result).items()}
    return {side: each for side, each in found.items() if each}


def _samples(record: Record) -> tuple[float, ...]:
    return samples(record, METRIC)


def figure(key: str, name: str, sides: Timed) -> Figure | None:
    """Hills over strips; None where there is nothing to draw."""
    pooled = {side: [value for trial in each for value in trial] for side, each in sides.items()}
    if not pooled:
        return None
    ends = [quantile(values, share) for values in pooled.values() for share in (TAIL, 1 - TAIL)]
    scale = axis(ends, "s", LEFT, RIGHT)
    title, says = f"Training steps, {name}", _says(sides, pooled, scale)
    bottom = BASE + STRIPS + 12
    parts = [*across(scale, TOP, bottom, "one step")]
    parts += _hills(pooled, scale)
    for row, (side, each) in enumerate(sides.items()):
        parts += _strip(side, [median(trial) for trial in each], scale, BASE + 14 + row * STRIPS / 2)
    svg = drawing(key, title, says, bottom + 34, parts)
    return Figure(title=name, says=says, svg=svg, table=_table(name, sides))


def _says(sides: Timed, pooled: Mapping[str, Sequence[float]], scale: Axis) -> str:
    middles = {side: median(values) for side, values in pooled.items()}
    if len(middles) == len(STYLES):
        said = f"Median step {show_change(middles[OLD], middles[NEW], 's')}"
    else:
        said = ", ".join(f"median step of {side} {show(value, 's')}" for side, value in middles.items()).capitalize()
    counts = ", ".join(f"{len(each)} trial{'s' * (len(each) != 1)} of {side}" for side, each in sides.items())
    beyond = sum(not scale.low <= value <= scale.high for values in pooled.values() for value in values)
    late = f" {beyond} step{'s' * (beyond != 1)} beyond the axis." if beyond else ""
    return f"{said}; {counts}.{late}"


# ---------------------------------------------------------------- drawing


def _hills(pooled: Mapping[str, Sequence[float]], scale: Axis) -> Iterator[Markup]:
    shares = {side: histogram(values, scale.low, scale.high) for side, values in pooled.items()}
    highest = max((share for hill in shares.values() for share in hill), default=0.0) or 1.0
    width = (scale.end - scale.start) / BINS
    for side, hill in shares.items():
        tops = [BASE - share / highest * (BASE - TOP - 6) for share in hill]
        edge = [(scale.start + (i + k) * width, top) for i, top in enumerate(tops) for k in (0, 1)]
        outline = [(scale.start, BASE), *edge, (scale.end, BASE)]
        yield tag("polygon", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in outline), class_=f"hill-{STYLES[side]}")
        yield line(outline, f"line-{STYLES[side]}")
    yield line([(scale.start, BASE), (scale.end, BASE)], "axis")


def histogram(values: Sequence[float], low: float, high: float) -> tuple[float, ...]:
    """The share of all values in each of `BINS` equal bins; what lies beyond is in none."""
    edges = [low + (high - low) * i / BINS for i in range(BINS + 1)]
    edges[-1] = high
    counts = [sum(a <= value < b or value == high == b for value in values) for a, b in pairwise(edges)]
    return tuple(count / len(values) for count in counts)


def _strip(side: str, medians: Sequence[float], scale: Axis, y: float) -> Iterator[Markup]:
    yield text(LEFT - 8, y + 4, side, anchor="end")
    for value in medians:
        yield dot(scale(value), y, 4, f"dot-{STYLES[side]}", f"{side}: {show(value, 's')}")


def _table(name: str, sides: Timed) -> Table:
    rows = tuple(_rows(sides))
    return Table(caption=f"Training steps by trial, {name}", columns=HEAD, rows=rows)


def _rows(sides: Timed) -> Iterable[tuple[str, ...]]:
    for side, each in sides.items():
        for i, trial in enumerate(each):
            points = (quantile(trial, 0.05), median(trial), quantile(trial, 0.95), max(trial))
            yield side, str(i), str(len(trial)), *(show(value, "s") for value in points)
