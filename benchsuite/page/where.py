"""Where and with what was measured: environment, inputs and packages, old and new; and who approved the baseline."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.nouns import CaseResult, RunResult
from benchsuite.reporters._columns import good
from benchsuite.reporters._facts import facts

from .blocks import Block, Fold, Section, Table, columns
from .sides import names

FACTS = columns("Fact:code, Baseline, This run")
APPROVALS = columns("When, Runs:code, Why, Limited to:code, Suite")
Rows = tuple[tuple[str, ...], ...]


def section(run: RunResult) -> Section | None:
    """Tables of facts, one for all cases that share them."""
    called = names(run)
    shared: dict[Rows, list[str]] = {}
    for result in run.results:
        if rows := _facts(result):
            shared.setdefault(rows, []).append(called[result.slug])
    blocks: list[Block] = [block for rows, cases in shared.items() for block in _tables(", ".join(cases), rows)]
    blocks += [fold for result in run.results if (fold := _approvals(called[result.slug], result))]
    lead = (
        "The first good trial of this run against the baseline's first. What differs stands open, the rest is folded."
    )
    return Section(id="where", title="Environment and provenance", lead=lead, blocks=tuple(blocks)) if blocks else None


def _facts(result: CaseResult) -> Rows:
    record = next(iter(good(result.records) or result.records), None)
    old = result.baseline.trials[0] if result.baseline and result.baseline.trials else None
    return tuple(facts(old, record)) if record else ()


def _tables(name: str, rows: Rows) -> Iterator[Block]:
    apart = tuple(row for row in rows if row[1] and row[1] != row[2])
    if apart:
        yield Table(caption=f"{name}: what differs", columns=FACTS, rows=apart)
    whole = Table(caption=f"{name}: environment and provenance", columns=FACTS, rows=rows)
    yield Fold(title=f"{name}: all {len(rows)} facts", blocks=(whole,))


def _approvals(name: str, result: CaseResult) -> Fold | None:
    found = result.baseline.history if result.baseline else ()
    rows = tuple((a.when, ", ".join(a.runs), a.reason, a.only, a.suite) for a in found)
    table = Table(caption=f"Approvals of the baseline of {name}, the newest last", columns=APPROVALS, rows=rows)
    title = f"{name}: baseline approved {len(rows)} time{'s' * (len(rows) != 1)}"
    return Fold(title=title, blocks=(table,)) if rows else None
