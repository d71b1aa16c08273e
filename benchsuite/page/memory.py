"""Memory by phase as stacked bars: only what the records hold, and what follows from it by subtraction.

On CUDA a phase's peak holds the loaded weights, cuBLAS's workspaces from the first matrix product
on, and the rest, which the records do not take apart: gradients, optimizer state, activations. On
the CPU a record has the process's resident memory and what one step asks of torch's allocator.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from benchsuite.nouns import CaseResult, Phase, Record, RunResult
from benchsuite.units import show, show_change, show_effect

from .blocks import WIDTH, Figure, Figures, Section, Table, across, columns, drawing, text
from .markup import tag
from .scales import Axis, axis
from .sides import NEW, OLD, compared, middle, names, trials

WEIGHTS, WORKSPACE, REST, SAVED = "weights", "workspace", "rest", "saved"
LEGEND = {
    WEIGHTS: "the loaded model",
    WORKSPACE: "cuBLAS workspaces",
    SAVED: "saved for the backward pass",
    REST: "the rest of the peak: gradients, optimizer state, activations, temporaries",
}
LOADED = {Phase.RELOAD: "vram.after_reload", Phase.EVALUATE: "vram.after_reload"}
"""Which model a phase holds; the others hold the one that was loaded first."""
MULTIPLIED = (Phase.TRAIN, Phase.SAVE, Phase.RELOAD, Phase.EVALUATE)
"""Phases that begin with, or come after, the first matrix product."""
PHASES = (Phase.LOAD, Phase.PREPARE, *MULTIPLIED)
STEP = "One step is what a single training step adds to what stood before it, as torch's allocator sees it."
PHASED = (
    "The most that was allocated in each phase. The rest is the peak less the parts that are measured by themselves. "
    f"{STEP}"
)
LEFT, RIGHT, THICK, GAP = 78.0, WIDTH - 84, 9.0, 8.0


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One peak, in bytes, and the parts it is made of."""

    name: str
    total: float
    parts: tuple[tuple[str, float], ...]


def section(run: RunResult) -> Section | None:
    """None where no trial measured memory."""
    called = names(run)
    found = {result.slug: bars(result) for result in run.results}
    held = {slug: sides for slug, sides in found.items() if any(sides.values())}
    if not held:
        return None
    most = max(bar.total for sides in held.values() for each in sides.values() for bar in each)
    figures = tuple(figure(f"memory-{i}", called[slug], held[slug], most) for i, slug in enumerate(held))
    used = {kind for sides in held.values() for each in sides.values() for bar in each for kind, _ in bar.parts}
    legend = tuple((f"part-{kind}", words) for kind, words in LEGEND.items() if kind in used)
    pale = " The pale bar above each is the baseline's." if compared(run) else ""
    what = PHASED if WEIGHTS in used else STEP
    lead = f"{what} Medians over trials, all cases on one scale.{pale}"
    return Section(id="memory", title="Memory", lead=lead, blocks=(Figures(legend=legend, figures=figures),))


def bars(result: CaseResult) -> Mapping[str, tuple[Bar, ...]]:
    """The peaks of both sides, in the order of the phases."""
    return {side: tuple(_bars(records)) for side, records in trials(result).items()}


def _bars(records: Sequence[Record]) -> Iterator[Bar]:
    for phase in PHASES:
        if (peak := middle(records, f"vram.peak.{phase}")) is not None:
            held = middle(records, LOADED.get(phase, "vram.after_load")) or 0.0
            work = (middle(records, "vram.cublas_workspace") or 0.0) if phase in MULTIPLIED else 0.0
            yield stacked(phase.value, peak, {WEIGHTS: held, WORKSPACE: work})
    if (peak := middle(records, "memory.peak.step")) is not None:
        saved = middle(records, "memory.saved_for_backward") or 0.0
        yield stacked("one step", peak, {SAVED: saved})


def stacked(name: str, total: float, known: Mapping[str, float]) -> Bar:
    """A bar whose parts add up to its total: known ones as far as they fit, then the rest."""
    parts, left = [], total
    for kind, size in known.items():
        parts.append((kind, max(0.0, min(size, left))))
        left -= parts[-1][1]
    return Bar(name=name, total=total, parts=tuple((kind, size) for kind, size in (*parts, (REST, left)) if size > 0))


# ---------------------------------------------------------------- drawing


def figure(key: str, name: str, sides: Mapping[str, tuple[Bar, ...]], most: float) -> Figure:
    """One row a phase, the baseline's bar above this run's; `most` bytes is where the shared scale ends."""
    rows = list(dict.fromkeys(bar.name for each in sides.values() for bar in each))
    found = {side: {bar.name: bar for bar in each} for side, each in sides.items()}
    scale = axis([most], "B", LEFT, RIGHT, zero=True)
    pitch = 2 * THICK + GAP
    bottom = 6 + len(rows) * pitch
    parts = across(scale, 0, bottom, "allocated")
    for i, row in enumerate(rows):
        parts += _row(row, found, scale, 6 + i * pitch)
    title, says = f"Memory by phase, {name}", _says(found)
    svg = drawing(key, title, says, bottom + 34, parts)
    return Figure(title=name, says=says, svg=svg, table=_table(name, rows, found))


def _row(name: str, found: Mapping[str, Mapping[str, Bar]], scale: Axis, y: float) -> Iterator[Markup]:
    old, new = (found.get(side, {}).get(name) for side in (OLD, NEW))
    yield text(LEFT - 8, y + THICK + 4, name, anchor="end")
    if old:
        yield tag("g", *_bar(old, scale, y, THICK - 3), class_="pale")
    if new:
        yield tag("g", *_bar(new, scale, y + THICK - 2, THICK))
    if shown := new or old:
        x = max(scale(bar.total) for bar in (old, new) if bar) + 6
        yield text(x, y + THICK + 5, show(shown.total, "B"), style="value")


def _bar(bar: Bar, scale: Axis, y: float, thick: float) -> Iterator[Markup]:
    begin = 0.0
    for kind, size in bar.parts:
        a, b = scale(begin), scale(begin + size)
        yield tag(
            "rect", tag("title", f"{bar.name}, {LEGEND[kind].partition(':')[0]}: {show(size, 'B')}"),
            x=a, y=y, width=max(b - a, 0.5), height=thick, class_=f"part-{kind}",
        )  # fmt: skip
        begin += size


def _says(found: Mapping[str, Mapping[str, Bar]]) -> str:
    old, new = ({name: bar.total for name, bar in found.get(side, {}).items()} for side in (OLD, NEW))
    top = max(new or old, key=lambda name: (new or old)[name])
    if top in old and top in new:
        return f"Highest in {top}: {show_change(old[top], new[top], 'B')}."
    return f"Highest in {top}: {show((new or old)[top], 'B')}."


HEAD = columns("Phase, Part, Baseline:number, This run:number, Change:number")


def _table(name: str, rows: Sequence[str], found: Mapping[str, Mapping[str, Bar]]) -> Table:
    cells = [line for row in rows for line in _lines(row, *(found.get(side, {}).get(row) for side in (OLD, NEW)))]
    return Table(caption=f"Memory by phase, {name}", columns=HEAD, rows=tuple(cells))


def _lines(name: str, old: Bar | None, new: Bar | None) -> Iterator[tuple[str, ...]]:
    sides = [{"all": bar.total, **dict(bar.parts)} if bar else {} for bar in (old, new)]
    for kind in dict.fromkeys([*sides[0], *sides[1]]):
        a, b = (side.get(kind) for side in sides)
        yield (
            name,
            LEGEND.get(kind, "the whole peak").partition(":")[0],
            show(a, "B"),
            show(b, "B"),
            show_effect(a, b, "B"),
        )
