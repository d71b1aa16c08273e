"""`report.md`: verdicts first, by cause, then the published columns with what confounds them, then everything else.

For people who read it in a browser or on a pull request; programs read `verdicts.json` instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchsuite import registry
from benchsuite.effects import ENDS, decompose
from benchsuite.effects_words import notes, regimes, table, title
from benchsuite.explain import Group, beside, headline, together
from benchsuite.nouns import JSON, CaseResult, Outcome, Record, RunResult, Verdict
from benchsuite.reporters._columns import HEADERS, good, packages, rows
from benchsuite.reporters._facts import facts
from benchsuite.side_by_side import matrices
from benchsuite.units import show, show_effect
from benchsuite.wording import advise, below_cause, causes, in_short, label, one_line, some, tally


@dataclass(frozen=True)
class Markdown:
    """Sections in the order in which a reader needs them."""

    name: str = "markdown"
    filename: str = "report.md"

    def render(self, run: RunResult) -> str:
        """The file's text."""
        blocks = [*_verdicts(run), *_published(run), *_effects(run)]
        for result in run.results:
            blocks += _metrics(result)
        for result in run.results:
            blocks += _where(result)
        return "\n\n".join(blocks) + "\n"


def _cell(value: str) -> str:
    return " ".join(value.split()).replace("|", "\\|").replace("<", "&lt;")


def _grid(header: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(map(_cell, row)) + " |" for row in (header, *body)]
    return "\n".join([lines[0], "|" + " --- |" * len(header), *lines[1:]])


# ---------------------------------------------------------------- verdicts


def _verdicts(run: RunResult) -> Iterator[str]:
    verdicts = [v for result in run.results for v in result.verdicts]
    failing = [v for v in verdicts if v.fails]
    yield f"# Benchmark run {run.run}"
    yield f"{'**FAILED**' if failing else '**Nothing failed**'} on `{run.machine}`: {tally(verdicts)}."
    yield from _failing(failing, verdicts)
    yield from _packages(run)
    if run.remarks:
        yield f"## To mend: {len(run.remarks)}"
        yield "\n".join(f"- {_cell(remark)}" for remark in run.remarks)
    news = [v for v in verdicts if not v.fails and v.outcome is not Outcome.OK]
    if news:
        yield f"## Also to know: {len(news)}"
        yield _grid(("Outcome", "Metric", "Cases", "Why", "Next"), _news(news))


def _failing(failing: Sequence[Verdict], verdicts: Sequence[Verdict]) -> Iterator[str]:
    groups, seen = together(failing), set[int]()
    if failing:
        yield f"## Failing: {headline(failing, groups)}"
    for place, group in enumerate(groups, 1):
        yield f"### {place}. {_cell(group.cause) or 'Not explained'}"
        yield from (_failure(v, again=id(v) in seen) for v in group.verdicts)
        seen |= {id(v) for v in group.verdicts}
        yield from _aside(group, verdicts)


def _failure(verdict: Verdict, *, again: bool) -> str:
    # An indented block: a detail may hold any character, and keeps its lines.
    lines = "" if again else "\n".join(f"    {line}" for line in below_cause(verdict))
    said = f"**{_cell(one_line(verdict))}**{' (also above)' if again else ''}  \nin `{verdict.case}`"
    return f"{said}\n\n{lines}" if lines else said


def _aside(group: Group, verdicts: Sequence[Verdict]) -> Iterator[str]:
    others = [in_short(v) for v in beside(group, verdicts)]
    if others and group.cause:
        yield f"With it moved: {_cell(', '.join(others))}."
    advice = advise(group.verdicts)
    if advice:
        yield "\n".join(f"    next: {text}" for text in advice)


def _packages(run: RunResult) -> Iterator[str]:
    differing = [(result.slug, packages(result)) for result in run.results]
    lines = [(f"`{slug}`", ", ".join(moved.values())) for slug, moved in differing if moved]
    if lines:
        yield "## Packages that differ from the baseline's"
        yield _grid(("Case", "Packages"), lines)


def _news(verdicts: Sequence[Verdict]) -> Iterator[tuple[str, ...]]:
    groups: dict[tuple[str, str, str], list[Verdict]] = {}
    for v in verdicts:
        why = "; ".join(part for part in (v.detail, *(f"cause: {cause}" for cause in causes(v))) if part)
        groups.setdefault((label(v), v.case, why), []).append(v)
    for (outcome, case, detail), members in groups.items():
        yield outcome, some([v.metric for v in members]), case, detail, members[0].advice


# ---------------------------------------------------------------- the published columns


def _published(run: RunResult) -> Iterator[str]:
    yield "## The published columns"
    yield _grid(HEADERS, rows(run))
    if run.published:
        yield _text(run.published.get("source", ""))
        yield "### Read the published figures with care"
        yield "\n".join(f"- {_text(note)}" for note in _notes(run.published))


def _notes(published: Mapping[str, JSON]) -> Iterator[str]:
    for note in published.get("confounds", ()):
        yield f"**{note['title']}** ({'; '.join(note['columns'])}). {note['text']}"
    yield from published.get("notes", ())


def _text(value: str) -> str:
    return " ".join(value.split())


# ---------------------------------------------------------------- what makes the difference


def _effects(run: RunResult) -> Iterator[str]:
    records = [record for result in run.results for record in result.records]
    told = [d for d in decompose(records, ENDS, registry.regimes()) if any(len(e.parts) > 1 for e in d.effects)]
    if told:
        yield from _regimes(records)
        yield "## What makes the difference"
    for found in told:
        yield f"### {title(found)}"
        head, *body = table(found, tuple(registry.metrics().values()))
        yield _grid(head, body)
        yield "\n".join(f"- {note}" for note in notes(found))


def _regimes(records: Sequence[Record]) -> Iterator[str]:
    yield "## Regimes side by side"
    for matrix in matrices(records):
        yield f"{matrix.case}; medians over trials."
        head, *body = regimes(matrix, tuple(registry.metrics().values()))
        yield _grid(head, body)


# ---------------------------------------------------------------- all metrics


def _metrics(result: CaseResult) -> Iterator[str]:
    yield f"## `{result.slug}`"
    theirs = len(result.baseline.trials) if result.baseline else 0
    yield f"{len(good(result.records))} good trials of {len(result.records)}; baseline: {theirs or 'none'}."
    if result.verdicts:
        yield _grid(("Metric", "What", "Old", "New", "Change", "Outcome"), map(_line, result.verdicts))


def _line(v: Verdict) -> tuple[str, ...]:
    change = show_effect(v.old, v.new, v.unit)
    return (
        f"`{v.metric}`",
        v.title,
        show(v.old, v.unit),
        show(v.new, v.unit),
        change,
        f"{v.outcome.value} ({v.role.value})",
    )


# ---------------------------------------------------------------- environment and provenance


def _where(result: CaseResult) -> Iterator[str]:
    record = next(iter(good(result.records) or result.records), None)
    if record is None:
        return
    old = result.baseline.trials[0] if result.baseline and result.baseline.trials else None
    yield f"## Where and with what: `{result.slug}`"
    yield _grid(("Fact", "Baseline", "This run"), facts(old, record))


REPORTER = Markdown()
