"""What a training step runs: kernels and operators by name, how often and how long, with what differs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchsuite.nouns import CaseResult, Record, RunResult
from benchsuite.units import is_number, show, show_change, show_effect

from .blocks import Block, Column, Fold, Note, Section, Table, columns
from .sides import NEW, OLD, names, trials

KERNELS, TIMES, OPERATORS = "kernels.by_name", "kernels.times", "operators.by_name"
OPEN = 2
"""Cases whose tables stand open; where there are more, the full ones are there on demand."""
TOP = 12
"""Rows that are shown at once; all others are folded away."""
LONG, LONGEST = 110, 300
"""Letters of a kernel's name in the short table, and in the full one; names of 1,000 and more are common."""
HEAD = columns("Name:code, Baseline:number, This run:number, Change:number")
TIMED = columns(
    "Name:code, Count:number, Baseline:number, This run:number, Change:number, Share of the step:number"
)  # fmt: skip

Census = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One kernel or operator on both sides; seconds are 0 where nothing timed it."""

    name: str
    counts: tuple[float | None, float | None]
    seconds: tuple[float, float]

    @property
    def moved(self) -> bool:
        """Whether it runs more or less often than before."""
        return None not in self.counts and self.counts[0] != self.counts[1]


def section(run: RunResult) -> Section | None:
    """None where no trial counted anything by name."""
    called = names(run)
    short = len(run.results) > OPEN
    blocks = [block for result in run.results for block in _case(result, called[result.slug], folded=short)]
    lead = "Counts repeat exactly on one stack, so that any difference is news; times are sums over one step."
    return (
        Section(id="work", title="Kernels and operators of a step", lead=lead, blocks=tuple(blocks)) if blocks else None
    )


def _case(result: CaseResult, name: str, *, folded: bool) -> Iterator[Block]:
    for part, what in ((KERNELS, "kernels"), (OPERATORS, "operators")):
        if found := rows(result, part, TIMES if part == KERNELS else ""):
            yield from _blocks(found, f"{name}: {what}", whole=len(trials(result)) > 1, folded=folded)


def rows(result: CaseResult, part: str, times: str) -> tuple[Row, ...]:
    """Every name on either side: the longest first, then the most frequent."""
    sides = trials(result)
    counted = {side: census(records, part) for side, records in sides.items()}
    if not any(counted.values()):
        return ()
    timed = {side: census(records, times) for side, records in sides.items()}
    found = (_row(name, counted, timed) for name in dict.fromkeys(name for each in counted.values() for name in each))
    return tuple(sorted(found, key=lambda row: (-max(row.seconds), -max(c or 0 for c in row.counts), row.name)))


def _row(name: str, counted: Mapping[str, Census], timed: Mapping[str, Census]) -> Row:
    old, new = (counted[side].get(name, 0) if counted.get(side) else None for side in (OLD, NEW))
    a, b = (timed.get(side, {}).get(name, 0.0) for side in (OLD, NEW))
    return Row(name=name, counts=(old, new), seconds=(a, b))


def census(records: Sequence[Record], part: str) -> dict[str, float]:
    """The median over the trials that have `part` of each name's value; a name that a trial lacks is 0 there."""
    parts = [part_ for r in records if isinstance(part_ := r.fingerprint.get(part), Mapping)]
    held = [{name: value for name, value in found.items() if is_number(value)} for found in parts]
    return {name: median(found.get(name, 0) for found in held) for name in dict.fromkeys(n for f in held for n in f)}


def _blocks(found: Sequence[Row], title: str, *, whole: bool, folded: bool) -> Iterator[Block]:
    timed = any(any(row.seconds) for row in found)
    moved = [row for row in found if row.moved]
    yield Note(text=f"{title}. {_says(found, moved)}")
    shown = sorted(found, key=lambda row: -abs(row.seconds[1] - row.seconds[0])) if timed and whole else moved
    if shown and not folded:
        yield _table(f"{title}, what moved most" if whole else title, shown[:TOP], timed=timed, short=True)
    yield Fold(title=f"{title}: all {len(found)}", blocks=(_table(title, found, timed=timed, short=False),))


def _says(found: Sequence[Row], moved: Sequence[Row]) -> str:
    totals = [sum(row.counts[i] or 0 for row in found) for i in (0, 1)]
    seconds = [sum(row.seconds[i] for row in found) for i in (0, 1)]
    sides = [any(row.counts[i] is not None for row in found) for i in (0, 1)]
    if not all(sides):
        i = sides.index(True)
        took = f", {show(seconds[i], 's')}" if seconds[i] else ""
        return f"{totals[i]:,.10g} a step, of {len(found)} kinds{took}."
    time = f"; {show_change(seconds[0], seconds[1], 's')}" if all(seconds) else ""
    old, new = (f"{total:,.10g}" for total in totals)
    if not moved:
        return f"Each of {len(found)} runs as often as before, {new} a step together{time}."
    return f"{len(moved)} of {len(found)} run more or less often: {old} -> {new} a step{time}."


# ---------------------------------------------------------------- tables


def _table(title: str, found: Sequence[Row], *, timed: bool, short: bool) -> Table:
    total = sum(row.seconds[1] or row.seconds[0] for row in found)
    head: tuple[Column, ...] = TIMED if timed else HEAD
    lines = tuple(_timed(row, total, short=short) if timed else _counted(row) for row in found)
    return Table(caption=title, columns=head, rows=lines)


def _counted(row: Row) -> tuple[str, ...]:
    return row.name, *(_count(c) for c in row.counts), _change(row)


def _change(row: Row) -> str:
    old, new = row.counts
    if old is None or new is None:
        return ""
    return "unchanged" if old == new else "new" if not old else "gone" if not new else f"{new - old:+,.10g}"


def _timed(row: Row, total: float, *, short: bool) -> tuple[str, ...]:
    seconds = [show(value, "s") if value else "-" for value in row.seconds]
    share = f"{(row.seconds[1] or row.seconds[0]) / total * 100:.1f} %" if total else ""
    counts = " -> ".join(dict.fromkeys(_count(c) for c in row.counts if c is not None))
    name = shortened(row.name) if short else cut(row.name, LONGEST)
    return name, counts, *seconds, _by(row), share


def _by(row: Row) -> str:
    old, new = row.seconds
    if not (old and new):
        return _change(row)
    return show_effect(old, new, "s")


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.10g}"


ARGUMENTS = re.compile(r"\((?!anonymous)[^()]*\)\s*$")


def shortened(name: str) -> str:
    """A kernel's name without its return type and argument list, cut to what fits."""
    bare = ARGUMENTS.sub("", name.removeprefix("void ")).strip() or name
    return cut(bare, LONG)


def cut(name: str, most: int) -> str:
    """At most so many letters of a name."""
    return name if len(name) <= most else name[: most - 1] + "…"
