"""What the card's forms share: figures worth a line, their words, and causes by number. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import shorten

from ..nouns import Kind, Outcome, Role, Verdict
from ..units import percent
from ..versions import ABSENT, GUARDED
from ..wording import causes, change, label
from .card import BLIND, Card, CaseCard, Section

MOVED = frozenset({Outcome.REGRESSED, Outcome.CHANGED, Outcome.INVALID, Outcome.IMPROVED, Outcome.KNOWN})
TIMES = frozenset({Kind.WALL, Kind.DEVICE})
BOUND = "worse by at most"
"""How a decision tells the harm that "ok" rules out, at 95 %; its interval is the whole call's, at 99 %."""
MOST_PACKAGES = 12
MOST_DETAIL = 180
"""Characters of a detail; `ab.json` has all."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A figure that is worth a line."""

    outcome: str
    metric: str
    title: str
    change: str
    interval: str
    causes: tuple[int, ...]
    """Numbers of its causes in the card's list, from 1."""
    detail: str


def numbered(card: Card) -> dict[str, int]:
    """Every cause of the card by its number: of what fails first, then of what moved beside it."""
    verdicts = [v for case in card.cases for section in case.sections for v in section.verdicts]
    ranked = sorted(verdicts, key=lambda v: not v.fails)
    told = dict.fromkeys(cause for v in ranked if v.outcome in MOVED for cause in causes(v))
    return {cause: number for number, cause in enumerate(told, 1)}


def rows(section: Section, numbers: Mapping[str, int]) -> tuple[Row, ...]:
    """What a section has to tell: every timed figure, and of the other gates those that are not ok."""
    told = [v for v in section.verdicts if v.kind in TIMES or (_news(v) and v.role is Role.GATE)]
    return tuple(_row(v, numbers) for v in sorted(told, key=lambda v: (v.role is not Role.GATE, not v.fails)))


def asides(section: Section, numbers: Mapping[str, int]) -> tuple[Row, ...]:
    """What else moved and only explains."""
    told = (v for v in section.verdicts if v.kind not in TIMES and _news(v) and v.role is Role.EXPLAIN)
    return tuple(_row(v, numbers) for v in told)


def _news(v: Verdict) -> bool:
    return v.outcome is not Outcome.OK


def _row(v: Verdict, numbers: Mapping[str, int]) -> Row:
    return Row(
        outcome=label(v) if v.role is Role.GATE else f"{v.outcome.value} (explains only)",
        metric=v.metric, title=v.title, change=change(v), interval=interval(v),
        causes=tuple(numbers[cause] for cause in causes(v) if cause in numbers),
        detail="" if v.interval is not None else _first(v.detail),
    )  # fmt: skip


def _first(detail: str) -> str:
    lines = detail.splitlines()
    return shorten(f"{lines[0]}{' ...' if lines[1:] else ''}", MOST_DETAIL, placeholder=" ...") if lines else ""


def interval(v: Verdict) -> str:
    """How well the effect is known: its interval, or what "ok" was measured by, and what could have been seen."""
    said = v.detail.rpartition("; ")[2].partition(", and")[0]
    if v.outcome is Outcome.OK and v.interval and said.startswith(BOUND):
        return said
    if v.outcome is Outcome.INCONCLUSIVE and (v.detectable is None or v.detectable > BLIND):
        return "too few pairs for so much noise" if v.detectable else ""
    parts = [f"{percent(v.interval[0])} to {percent(v.interval[1])}"] if v.interval else []
    if v.outcome is Outcome.INCONCLUSIVE and v.detectable is not None:
        parts.append(f"{percent(v.detectable)[1:]} would have been seen")
    return ", ".join(parts)


def in_all(section: Section) -> str:
    """A section in a few words: "ok (12 figures)"."""
    return (
        f"{section.outcome} ({section.gates} figure{'' if section.gates == 1 else 's'})"
        if section.gates
        else section.outcome
    )


def packages(card: Card) -> tuple[tuple[tuple[str, str, str], ...], str]:
    """The packages worth naming as (name, old, new), and how many more differ, in words."""
    pairs = tuple((name, old, new) for name, (old, new) in card.packages.items())
    named = tuple(pair for pair in pairs if pair[0] in GUARDED or ABSENT not in pair)[:MOST_PACKAGES]
    rest = [pair for pair in pairs if pair not in named]
    added, gone = (sum(pair[side] == ABSENT for pair in rest) for side in (1, 2))
    more = {"differ": len(rest) - added - gone, "only in B": added, "only in A": gone}
    return named, ", ".join(f"{count} {words}" for words, count in more.items() if count)


def counts(case: CaseCard) -> str:
    """How much was measured: "6 pairs, 1 dropped"."""
    dropped = f", {len(case.dropped)} dropped" if case.dropped else ""
    return f"{case.pairs} pair{'' if case.pairs == 1 else 's'}{dropped}"


def remarks(case: CaseCard) -> Sequence[str]:
    """Conditions and dropped pairs."""
    return (*case.conditions, *(f"dropped {line}" for line in case.dropped))
