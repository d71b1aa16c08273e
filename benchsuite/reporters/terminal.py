"""The report for a terminal and for pytest's summary: plain text of at most 100 columns, no colours.

What fails stands first, by cause, with its detail and what to do; then which packages differ; then
what else is news, in short; then one table a case; the tally is the last line.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchsuite.explain import Group, beside, headline, together
from benchsuite.nouns import FAILING, CaseResult, Outcome, Role, RunResult, Verdict
from benchsuite.reporters._columns import good, packages
from benchsuite.units import is_number, show, show_effect
from benchsuite.versions import listed
from benchsuite.wording import advise, below_cause, causes, in_short, one_line, reason, some, tally

WIDTH = 100
CUT = 18
"""Characters of a cell in a table."""
PACKAGES = 8
"""Packages that are not guarded and still named."""


@dataclass(frozen=True)
class Terminal:
    """Verdicts that fail first, tally last."""

    name: str = "terminal"
    filename: str = ""

    def render(self, run: RunResult) -> str:
        """The whole report, ending in a newline."""
        verdicts = [v for result in run.results for v in result.verdicts]
        news = [*_failing(verdicts), _packages(run), *_news(verdicts), _remarks(run)]
        sections = [_headline(run), *news, *map(_table, run.results), [tally(verdicts)]]
        return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _wrap(line: str, indent: int) -> list[str]:
    pad, hang = " " * indent, " " * (indent + 2)
    # A command longer than a line is broken at spaces only, and within a word only if it must be.
    return textwrap.wrap(line, WIDTH, initial_indent=pad, subsequent_indent=hang, break_on_hyphens=False) or [""]


def _headline(run: RunResult) -> list[str]:
    count = f"{len(run.results)} case{'' if len(run.results) == 1 else 's'}"
    return _wrap(f"benchsuite: {run.run} on {run.machine}, {count}", 0)


# ---------------------------------------------------------------- what fails, by cause


def _failing(verdicts: Sequence[Verdict]) -> list[list[str]]:
    failing = [v for v in verdicts if v.fails]
    if not failing:
        return []
    groups, seen = together(failing), set[int]()
    sections = [[f"FAILED: {headline(failing, groups)}"]]
    for place, group in enumerate(groups, 1):
        lines = _wrap(f"{place}. {group.cause or 'not explained'}", 0)
        sections.append(lines + _effects(group, seen) + _aside(group, verdicts))
        seen |= {id(v) for v in group.verdicts}
    return sections


def _effects(group: Group, seen: set[int]) -> list[str]:
    told: dict[tuple[str, ...], list[str]] = {}
    for case in dict.fromkeys(v.case for v in group.verdicts):
        lines = [line for v in group.verdicts if v.case == case for line in _effect(v, again=id(v) in seen)]
        told.setdefault(tuple(lines), []).append(case)
    # What does not hang on the case is the same in several: told once, under all of them.
    return [line for lines, cases in told.items() for line in (*_wrap(", ".join(cases), 2), *lines)]


def _effect(verdict: Verdict, *, again: bool) -> list[str]:
    head = _wrap(f"{one_line(verdict)}{' (also above)' if again else ''}", 4)
    return head if again else head + [part for line in below_cause(verdict) for part in _wrap(line, 8)]


def _aside(group: Group, verdicts: Sequence[Verdict]) -> list[str]:
    others = list(dict.fromkeys(in_short(v) for v in beside(group, verdicts)))
    lines = _wrap(f"with it: {some(others)}", 2) if others and group.cause else []
    return lines + [part for text in advise(group.verdicts) for part in _wrap(f"next: {text}", 2)]


def _packages(run: RunResult) -> list[str]:
    differing = {result.slug: listed(moved, PACKAGES) for result in run.results if (moved := packages(result))}
    lines = ["PACKAGES that differ from the baseline's"] if differing else []
    for told in dict.fromkeys(differing.values()):
        slugs = [slug for slug, packages_of in differing.items() if packages_of == told]
        lines += _wrap(f"{', '.join(slugs)}: {told}", 2)
    return lines


# ---------------------------------------------------------------- what else is news


def _news(verdicts: Sequence[Verdict]) -> Iterator[list[str]]:
    yield _listed("IMPROVED", [v for v in verdicts if v.outcome is Outcome.IMPROVED and v.role is Role.GATE])
    yield _listed("KNOWN, within its bound", [v for v in verdicts if v.outcome is Outcome.KNOWN])
    yield _listed("MOVED, explains only", [v for v in verdicts if _explains(v)])
    for outcome in (Outcome.INCONCLUSIVE, Outcome.NO_BASELINE, Outcome.INCOMPARABLE):
        yield _grouped(f"NOT JUDGED, {outcome.value}", [v for v in verdicts if v.outcome is outcome])


def _remarks(run: RunResult) -> list[str]:
    lines = [f"TO MEND: {len(run.remarks)}"] if run.remarks else []
    return lines + [part for text in run.remarks for part in _wrap(text, 2)]


def _explains(verdict: Verdict) -> bool:
    moved = FAILING | {Outcome.IMPROVED}
    return verdict.role is Role.EXPLAIN and verdict.outcome in moved


def _listed(title: str, verdicts: Sequence[Verdict]) -> list[str]:
    lines = [f"{title}: {len(verdicts)}"] if verdicts else []
    for cause in dict.fromkeys(_cause(v) for v in verdicts):
        told: dict[str, list[str]] = {}
        for verdict in (v for v in verdicts if _cause(v) == cause):
            told.setdefault(f"{one_line(verdict)}{_first(verdict)}", []).append(verdict.case)
        lines += [part for text, cases in told.items() for part in _wrap(f"{', '.join(cases)}: {text}", 2)]
        lines += _wrap(f"cause: {cause}", 4) if cause else []
    advised = next((v.advice for v in verdicts if v.advice and v.role is Role.GATE), "")
    return lines + (_wrap(f"next: {advised}", 2) if advised else [])


def _cause(verdict: Verdict) -> str:
    return next(iter(causes(verdict)), "")


def _first(verdict: Verdict) -> str:
    """The first line of a structure's diff, whose size alone says nothing; of what is known the reason."""
    told = verdict.outcome is Outcome.KNOWN or not is_number(verdict.new)
    lines = verdict.detail.splitlines() if told else []
    return f": {lines[0]}{' ...' if lines[1:] else ''}" if lines else ""


def _grouped(title: str, verdicts: Sequence[Verdict]) -> list[str]:
    lines = [f"{title}: {len(verdicts)}"] if verdicts else []
    for case, why in dict.fromkeys((v.case, reason(v)) for v in verdicts):
        names = [in_short(v) for v in verdicts if (v.case, reason(v)) == (case, why)]
        lines += _wrap(f"{case}: {some(names)}: {why}", 2)
    for advised in dict.fromkeys(v.advice for v in verdicts if v.advice):
        lines += _wrap(f"next: {advised}", 2)
    return lines


# ---------------------------------------------------------------- one table a case


def _table(result: CaseResult) -> list[str]:
    verdicts = [v for v in result.verdicts if is_number(v.old) or is_number(v.new)]
    head = _wrap(f"{result.slug} ({_trials(result)})", 0)
    if not verdicts:
        return head + _plain(result)
    cells = [("metric", "old", "new", "change", ""), *map(_cells, verdicts)]
    widths = [max(len(row[i]) for row in cells) for i in range(5)]
    widths[0] = min(widths[0], WIDTH - 2 - sum(widths[1:]) - 8)
    aligned: list[Callable[[str, int], str]] = [str.ljust, str.rjust, str.rjust, str.rjust, str.ljust]
    lines = [
        "  "
        + "  ".join(align(_cut(text, width), width) for align, text, width in zip(aligned, row, widths, strict=True))
        for row in cells
    ]
    return head + [line.rstrip() for line in lines] + _plain(result)


def _trials(result: CaseResult) -> str:
    ours, theirs = len(good(result.records)), len(result.baseline.trials) if result.baseline else 0
    baseline = f"baseline of {theirs}" if theirs else "no baseline"
    return f"{ours} trial{'' if ours == 1 else 's'}, {baseline}"


def _cells(v: Verdict) -> tuple[str, str, str, str, str]:
    outcome = "" if v.outcome is Outcome.OK else v.outcome.value
    old, new = (_cut(show(value, v.unit), CUT) for value in (v.old, v.new))
    return v.metric, old, new, show_effect(v.old, v.new, v.unit), outcome


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 3)] + "..."


def _plain(result: CaseResult) -> list[str]:
    same = [v.metric for v in result.verdicts if v.outcome is Outcome.OK and not is_number(v.new)]
    return _wrap(f"also ok: {', '.join(same)}", 2) if same else []


REPORTER = Terminal()
