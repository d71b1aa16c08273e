"""The course of training: loss by step and at each epoch's end, old and new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

from benchsuite.nouns import CaseResult, Record, RunResult
from benchsuite.units import show

from .blocks import WIDTH, Figure, Figures, Section, Table, across, columns, dot, drawing, line, upward
from .scales import Axis, axis, finite
from .sides import NEW, OLD, compared, names, number, series, trials

LEFT, RIGHT, TOP, BOTTOM = 40.0, WIDTH - 10, 26.0, 190.0
STYLES = {OLD: "halo-old", NEW: "line-new"}
CLEAR = 1e-6
"""Relative distance from which two curves are told to differ: a log rounds no finer."""
HEAD = columns("Step:number, What, Baseline:number, This run:number")


@dataclass(frozen=True, kw_only=True)
class Course:
    """One trial's losses: (step, loss) in training and in validation."""

    training: tuple[tuple[float, float], ...]
    validation: tuple[tuple[float, float], ...]


def section(run: RunResult) -> Section | None:
    """None where no trial trained."""
    called = names(run)
    drawn = [figure(f"loss-{i}", called[result.slug], courses(result)) for i, result in enumerate(run.results)]
    figures = tuple(found for found in drawn if found)
    lead = "Training loss as the Trainer logged it, a line a trial, and validation loss at the end of each epoch."
    old = (("halo-old", "training, baseline"), ("ring-old", "validation, baseline")) if compared(run) else ()
    legend = (("stroke-new", "training, this run"), ("dot-new", "validation, this run"), *old)
    blocks = (Figures(legend=legend, figures=figures),)
    return Section(id="loss", title="Loss", lead=lead, blocks=blocks) if figures else None


def courses(result: CaseResult) -> Mapping[str, tuple[Course, ...]]:
    """What each trial's loss did, by side; trials that did the very same count once."""
    found = {side: tuple(dict.fromkeys(map(course, records))) for side, records in trials(result).items()}
    return {side: each for side, each in found.items() if any(one.training or one.validation for one in each)}


def course(record: Record) -> Course:
    """A trial's losses with the steps they were logged at; what is no number is left out."""
    profile = record.case.profile
    training, validation = series(record, "quality.loss"), series(record, "quality.validation_loss")
    last = number(record, "optimizer.updates") or len(training) * profile.logging_steps
    ends = [last * (i + 1) / len(validation) for i in range(len(validation))]
    return Course(
        training=_points([(i + 1) * profile.logging_steps for i in range(len(training))], training),
        validation=_points(ends, validation),
    )


def _points(steps: Sequence[float], values: Sequence[float]) -> tuple[tuple[float, float], ...]:
    return tuple((float(step), value) for step, value in zip(steps, values, strict=True) if finite([value]))


def figure(key: str, name: str, sides: Mapping[str, tuple[Course, ...]]) -> Figure | None:
    """Lines and marks; None where there is nothing to draw."""
    points = [p for each in sides.values() for one in each for p in (*one.training, *one.validation)]
    if not points:
        return None
    x = axis([step for step, _ in points], "1", LEFT, RIGHT, zero=True)
    y = axis([loss for _, loss in points], "1", BOTTOM, TOP, count=4)
    parts = [*upward(y, LEFT, RIGHT, "loss"), *across(x, TOP, BOTTOM, "optimizer step")]
    for side, each in sides.items():
        parts += [part for one in each for part in _course(one, side, x, y)]
    title, says = f"Loss, {name}", _says(sides)
    svg = drawing(key, title, says, BOTTOM + 34, parts)
    return Figure(title=name, says=says, svg=svg, table=_table(name, sides))


def _course(one: Course, side: str, x: Axis, y: Axis) -> Iterator[Markup]:
    if one.training:
        yield line([(x(step), y(loss)) for step, loss in one.training], STYLES[side])
    style = "ring-old" if side == OLD else "dot-new"
    for step, loss in one.validation:
        yield dot(x(step), y(loss), 5 if side == OLD else 3.5, style, f"{side}, validation: {loss:.4f}")


def _says(sides: Mapping[str, tuple[Course, ...]]) -> str:
    ends = {side: [one.training[-1][1] for one in each if one.training] for side, each in sides.items()}
    last = [f"{side} {show(min(values), '1')}" for side, values in ends.items() if values]
    said = f"Last training loss: {', '.join(last)}." if last else ""
    return f"{said} {_distance(sides[OLD], sides[NEW])}" if len(sides) == len(STYLES) else said


def _distance(old: Sequence[Course], new: Sequence[Course]) -> str:
    pairs = [pair for a in old for b in new for pair in ((a.training, b.training), (a.validation, b.validation))]
    if any([step for step, _ in a] != [step for step, _ in b] for a, b in pairs):
        return "The curves were logged at other steps."
    moves = [(abs(p - q), max(abs(p), abs(q))) for a, b in pairs for (_, p), (_, q) in zip(a, b, strict=True)]
    if all(move <= CLEAR * size for move, size in moves):
        return "The curves coincide."
    return f"The curves differ by {max(move for move, _ in moves):.2g} at most."


def _table(name: str, sides: Mapping[str, tuple[Course, ...]]) -> Table:
    found: dict[tuple[float, str], dict[str, list[float]]] = {}
    for side, each in sides.items():
        for one in each:
            for what, points in (("training", one.training), ("validation", one.validation)):
                for step, loss in points:
                    found.setdefault((step, what), {}).setdefault(side, []).append(loss)
    rows = [(f"{step:,.0f}", what, *(_cell(by.get(side, [])) for side in STYLES))
            for (step, what), by in sorted(found.items())]  # fmt: skip
    return Table(caption=f"Loss, {name}", columns=HEAD, rows=tuple(rows))


def _cell(values: Sequence[float]) -> str:
    ends = sorted({f"{value:.4f}" for value in values if isfinite(value)}, key=float)
    return " to ".join(dict.fromkeys([ends[0], ends[-1]])) if ends else ""
