"""History as text of at most 100 columns: what there is, and the runs of a metric. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence

from benchsuite.nouns import Metric
from benchsuite.units import is_number, show_effect, show_many

from .entries import Entry, Point
from .plot import UNICODE, Glyphs, plot
from .series import Event, Mark, Series

WIDTH = 100
WORDS: Mapping[Event, str] = {
    Event.PROMOTED: "promoted",
    Event.VERSIONS: "versions:",
    Event.HARDWARE: "hardware:",
    Event.CASE: "case:",
}


def render(found: Sequence[Series], left_out: Sequence[str], *, last: int = 0, glyphs: Glyphs = UNICODE) -> str:
    """Each series with its plot and its runs, then which runs are not shown; ends in a newline.

    Args:
        found: What to show.
        left_out: A line for each run that is not shown.
        last: How many of the newest runs to list; 0 for all. The plot has what fits.
        glyphs: Characters to draw with.
    """
    blocks = ["\n".join(_series(each, last, glyphs)) for each in found]
    if left_out:
        blocks.append("\n".join([f"left out: {len(left_out)}", *(part for x in left_out for part in _wrap(x, 2))]))
    return "\n\n".join(blocks) + "\n"


def _wrap(line: str, indent: int) -> list[str]:
    pad = " " * indent
    return textwrap.wrap(line, WIDTH, initial_indent=pad, subsequent_indent=pad + "  ", break_on_hyphens=False) or [""]


def _series(series: Series, last: int, glyphs: Glyphs) -> list[str]:
    title = "" if series.title == series.metric else f", {series.title}"
    better = "" if series.better.value == "neither" else f", {series.better.value} is better"
    head = [f"{series.metric}{title}{better}", *_wrap(f"{series.case} on {series.machine}: {_count(series)}", 0)]
    drawn = [f"  {line}" for line in plot(series, width=WIDTH - 2, glyphs=glyphs)]
    return [*head, *(["", *drawn] if drawn else []), "", *_runs(series, last)]


def _count(series: Series) -> str:
    runs = f"{len(series.points)} run{'' if len(series.points) == 1 else 's'}"
    if series.numeric:
        return runs
    values = len({str(point.value) for point in series.points})
    return f"{runs}, {values} different value{'' if values == 1 else 's'}"


def _runs(series: Series, last: int) -> list[str]:
    first = max(0, len(series.points) - last) if last else 0
    values = show_many([point.value for point in series.points], series.unit)
    rows = [_row(series, i, values[i]) for i in range(first, len(series.points))]
    head = ("run", "started (UTC)", "value", "change", "trials", "outcome")
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = [f"  {_aligned(head, widths)}"] + ([f"  {first} earlier runs: --last 0 lists them"] if first else [])
    for i, row in enumerate(rows, first):
        lines += [*_marks(series.marks, i), f"  {_aligned(row, widths)}"]
    return lines + _marks(series.marks, len(series.points))


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    sides = (str.ljust, str.ljust, str.rjust, str.rjust, str.rjust, str.ljust)
    return "  ".join(side(text, width) for side, text, width in zip(sides, row, widths, strict=True)).rstrip()


def _row(series: Series, i: int, value: str) -> tuple[str, ...]:
    point = series.points[i]
    before = series.points[i - 1].value if i else None
    return (
        point.run, point.started[:16].replace("T", " "), value,
        _change(before, point, series.unit), str(len(point.values)), _outcome(point),
    )  # fmt: skip


def _change(before: object, point: Point, unit: str) -> str:
    if is_number(before) and is_number(point.value):
        return show_effect(before, point.value, unit)
    return "" if before is None else "unchanged" if before == point.value else "another"


def _outcome(point: Point) -> str:
    return f"injected: {point.injected}" if point.injected else point.outcome or "not judged"


def _marks(marks: Iterable[Mark], at: int) -> list[str]:
    return [line for m in marks if m.at == at for line in _wrap(f"{WORDS[m.event]} {m.text}", 4)]


# ---------------------------------------------------------------- what there is


def overview(entries: Sequence[Entry], metrics: Sequence[str], declared: Mapping[str, Metric]) -> str:
    """Cases with their runs, then metrics with their titles; ends in a newline."""
    if not entries:
        return "no run is in the history yet: measure, or benchsuite history --add RUN, or --rebuild\n"
    held: dict[tuple[str, str], list[Entry]] = {}
    for each in entries:
        held.setdefault((each.machine, each.case), []).append(each)
    cases = [line for key in sorted(held) for line in _case(*key, held[key])]
    width = max(map(len, metrics), default=0)
    titles = {name: declared[name].title if name in declared else "no longer measured" for name in metrics}
    lines = [f"  {name.ljust(width)}  {title}".rstrip()[:WIDTH] for name, title in titles.items()]
    count = len({each.run for each in entries})
    head = f"{count} run{'' if count == 1 else 's'}, {len(metrics)} metrics; benchsuite history METRIC shows one"
    return "\n".join([head, "", *cases, "", *lines]) + "\n"


def _case(machine: str, case: str, entries: Sequence[Entry]) -> list[str]:
    odd = [f"{sum(1 for e in entries if e.injected)} injected", f"{sum(1 for e in entries if e.problem)} failed"]
    told = "".join(f", {words}" for words in odd if not words.startswith("0 "))
    span = " to ".join(dict.fromkeys((entries[0].started[:10], entries[-1].started[:10])))
    return _wrap(f"{case} on {machine}: {len(entries)} runs, {span}{told}", 2)
