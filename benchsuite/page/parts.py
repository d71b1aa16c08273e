"""Which part of a difference between regimes is due to which change, and the regimes side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchsuite import registry
from benchsuite.effects import ENDS, Decomposition, decompose
from benchsuite.effects_words import notes, regimes, table, title
from benchsuite.nouns import Metric, Record, RunResult
from benchsuite.side_by_side import matrices

from .blocks import Block, Column, Note, Section, Table

LEAD = (
    "The way from one regime to another is a few single changes. What each makes of a figure is the mean over the "
    "orders in which they can be made, of the regimes that this run has; parts of a figure add up to the whole."
)


def section(run: RunResult) -> Section | None:
    """None where the run has no two regimes that more than one change lies between."""
    records = [record for result in run.results for record in result.records]
    told = [d for d in decompose(records, ENDS, registry.regimes()) if any(len(e.parts) > 1 for e in d.effects)]
    known = tuple(registry.metrics().values())
    blocks = (*_side_by_side(records, known), *_parts(told, known))
    return Section(id="parts", title="What makes the difference", lead=LEAD, blocks=blocks) if told else None


def _parts(told: Sequence[Decomposition], known: Sequence[Metric]) -> Iterator[Block]:
    for found in told:
        yield _table(title(found), table(found, known))
        yield from (Note(text=note) for note in notes(found))


def _side_by_side(records: Sequence[Record], known: Sequence[Metric]) -> Iterator[Block]:
    for matrix in matrices(records):
        yield _table(f"{matrix.case}: regimes side by side, medians over trials", regimes(matrix, known))


def _table(caption: str, rows: Sequence[tuple[str, ...]]) -> Table:
    head, *body = rows
    columns = (Column(name=head[0]), *(Column(name=name, kind="number") for name in head[1:]))
    return Table(caption=caption, columns=columns, rows=tuple(body))
