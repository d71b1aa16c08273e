"""The card as a page, for a pull request. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from . import _words
from .card import Card, CaseCard


def render(card: Card) -> str:
    """The whole card, ending in a newline."""
    numbers = _words.numbered(card)
    blocks = [f"**{_text(card.headline)}**", *_arms(card)]
    for case in card.cases:
        blocks += _case(case, numbers)
    if numbers:
        blocks += ["### Causes", "\n".join(f"{number}. {_text(cause)}" for cause, number in numbers.items())]
    blocks.append(f"`{card.run}` on `{card.machine}`, {card.seconds:.0f} s of measuring")
    return "\n\n".join(blocks) + "\n"


def _text(value: str) -> str:
    """Text on one line, without what Markdown would take for marks of its own."""
    line = " ".join(value.split()).replace("\\", "\\\\")
    for mark in "|<*_`[":
        line = line.replace(mark, f"\\{mark}")
    return line


def _grid(header: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (header, *body)]
    return "\n".join([lines[0], "|" + " --- |" * len(header), *lines[1:]])


def _arms(card: Card) -> Iterator[str]:
    named, more = _words.packages(card)
    head = [("", "A", "B"), ("asked for", *(_text(side.text) for side in card.arms.values()))]
    pythons = [side.python for side in card.arms.values()]
    body = [*head[1:], *([("Python", *pythons)] if len(set(pythons)) > 1 else []), *((n, a, b) for n, a, b in named)]
    yield _grid(head[0], body)
    if more:
        yield f"Other packages: {more}."


def _case(case: CaseCard, numbers: Mapping[str, int]) -> Iterator[str]:
    yield f"### `{case.case}`"
    yield f"{_words.counts(case)}. " + " · ".join(f"{s.name}: **{_words.in_all(s)}**" for s in case.sections)
    body = [
        (section.name, row.outcome, f"`{row.metric}`", _text(row.change or row.detail), row.interval,
         ", ".join(map(str, row.causes)))
        for section in case.sections
        for row in (*_words.rows(section, numbers), *_words.asides(section, numbers))
    ]  # fmt: skip
    if body:
        yield _grid(("", "Outcome", "Figure", "A -> B", "Interval", "Cause"), body)
    remarks = _words.remarks(case)
    if remarks:
        yield "\n".join(f"- {_text(remark)}" for remark in remarks)
