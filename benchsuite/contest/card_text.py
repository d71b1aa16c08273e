"""The card as plain text of at most 100 columns, for terminals and logs. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from . import _words
from ._words import Row
from .card import Card, CaseCard

WIDTH = 100


def render(card: Card) -> str:
    """The whole card, ending in a newline."""
    numbers = _words.numbered(card)
    # Causes of what only explains are told in the page.
    shown = {number for c in card.cases for s in c.sections for row in _words.rows(s, numbers) for number in row.causes}
    told_causes = {cause: number for cause, number in numbers.items() if number in shown}
    cases = ([*_case(case, numbers)] for case in card.cases)
    blocks = [_wrap(card.headline, 0), [*_arms(card)], *cases, [*_causes(told_causes)]]
    told = [*(lines for lines in blocks if lines), [f"{card.run} on {card.machine}, {card.seconds:.0f} s of measuring"]]
    return "\n\n".join("\n".join(lines) for lines in told) + "\n"


def _wrap(line: str, indent: int, hang: int = 2) -> list[str]:
    pad, rest = " " * indent, " " * (indent + hang)
    return textwrap.wrap(line, WIDTH, initial_indent=pad, subsequent_indent=rest, break_on_hyphens=False)


def _arms(card: Card) -> Iterator[str]:
    for name, side in card.arms.items():
        yield from _wrap(f"{name}  {side.text}" + (f" (Python {side.python})" if side.python else ""), 2, 3)
    named, more = _words.packages(card)
    width = max((len(name) for name, _, _ in named), default=0)
    yield from (f"     {name.ljust(width)}  {old} -> {new}" for name, old, new in named)
    if more:
        yield from _wrap(f"other packages: {more}", 5)
    if not card.packages:
        yield "     no package differs"


def _case(case: CaseCard, numbers: Mapping[str, int]) -> Iterator[str]:
    yield from _wrap(f"{case.case}: {_words.counts(case)}", 0)
    for section in case.sections:
        yield f"  {section.name.ljust(10)} {_words.in_all(section)}"
        for row in _words.rows(section, numbers):
            yield from _wrap(_line(row), 4)
            yield from _wrap(row.detail, 8)
        beside = ", ".join(row.metric for row in _words.asides(section, numbers))
        yield from _wrap(f"also moved, explains only: {beside}" if beside else "", 4)
    for remark in _words.remarks(case):
        yield from _wrap(remark, 2)


def _line(row: Row) -> str:
    within = f" [{row.interval}]" if row.interval else ""
    why = f"; cause {', '.join(map(str, row.causes))}" if row.causes else ""
    said = f": {row.change}" if row.change else ""
    return f"{row.outcome} {row.metric}{said}{within}{why}"


def _causes(numbers: Mapping[str, int]) -> Iterator[str]:
    if numbers:
        yield "Causes"
    for cause, number in numbers.items():
        yield from _wrap(f"{number}. {cause}", 2, 3)
