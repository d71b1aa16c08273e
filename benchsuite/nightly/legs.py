"""What each leg of a night found: the pinned run's verdicts, a card of `benchsuite ab`, or nothing at all. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import NamedTuple

from ..contest.card import Card
from ..nouns import FAILING, JUDGED, Outcome, Role, Verdict
from ..wording import causes, change, tally

PINNED = "pinned"
"""The leg that is judged against baselines; the others are decided against it."""
MISSING = "missing"
NOTHING = "it left nothing to read: its job failed, ran out of time or was skipped"
MOST_CAUSE, MOST_SAID = 240, 160
"""Characters of a cause and of a change; reports and cards have all."""


class Key(NamedTuple):
    """A figure of one leg; of a leg that left nothing, case and metric are empty."""

    leg: str
    case: str
    metric: str


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A figure that is wrong tonight."""

    key: Key
    outcome: str
    """An outcome's value, or "missing" of a whole leg."""
    said: str
    """Old and new value, in words."""
    cause: str


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One leg's night."""

    name: str
    headline: str
    delivered: bool
    """Whether there was anything to read."""
    troubles: tuple[Trouble, ...]
    answered: frozenset[Key]
    """Figures that were judged."""
    told: frozenset[Key]
    """Figures of which anything was said, judged or not."""

    def settles(self, key: Key) -> bool:
        """Whether tonight says that a trouble of an earlier night, which is none now, is over.

        Undecided, incomparable and not measured are no answer. A figure of which nothing is said where its case
        was judged is over: it is a trial that failed and fails no more, or a figure that exists no more.
        """
        if not self.delivered:
            return False
        judged = {other.case for other in self.answered}
        return not key.case or key in self.answered or (key.case in judged and key not in self.told)


def pinned(verdicts: Sequence[Verdict]) -> Leg:
    """The run against baselines, in which a figure without one is trouble too."""
    gates = [v for v in verdicts if v.role is Role.GATE]
    judged = {v.case for v in gates if v.outcome in JUDGED}
    wrong = [
        v for v in gates
        if v.outcome in {*FAILING, Outcome.NO_BASELINE} or (v.outcome is Outcome.INCOMPARABLE and v.case not in judged)
    ]  # fmt: skip
    says = f"{len(wrong)} failing" if wrong else "nothing failed"
    return _leg(PINNED, f"{says}: {tally(gates)}", gates, wrong)


def decided(name: str, card: Card) -> Leg:
    """A leg that `benchsuite ab` decided."""
    sections = (section for case in card.cases for section in case.sections)
    gates = [v for section in sections for v in section.verdicts if v.role is Role.GATE]
    return _leg(name, card.headline, gates, [v for v in gates if v.fails])


def missing(name: str) -> Leg:
    """A leg that left nothing: trouble by itself, and an answer to nothing."""
    trouble = Trouble(key=Key(name, "", ""), outcome=MISSING, said="", cause=NOTHING)
    return Leg(
        name=name, headline=NOTHING, delivered=False, troubles=(trouble,), answered=frozenset(), told=frozenset()
    )  # fmt: skip


def _leg(name: str, headline: str, gates: Iterable[Verdict], wrong: Iterable[Verdict]) -> Leg:
    told = {Key(name, v.case, v.metric): v.outcome for v in gates}
    return Leg(
        name=name,
        headline=headline,
        delivered=True,
        troubles=tuple(_troubles(name, wrong)),
        answered=frozenset(key for key, outcome in told.items() if outcome in JUDGED),
        told=frozenset(told),
    )


def _troubles(name: str, wrong: Iterable[Verdict]) -> Iterator[Trouble]:
    # Several trials of a case may fail, all of them as "trial".
    first = {Key(name, v.case, v.metric): v for v in reversed(list(wrong))}
    for key in sorted(first):
        verdict = first[key]
        yield Trouble(key=key, outcome=verdict.outcome.value, said=_cut(_said(verdict), MOST_SAID), cause=_why(verdict))


def _said(verdict: Verdict) -> str:
    return change(verdict) or next(iter(verdict.detail.splitlines()), "")


def _why(verdict: Verdict) -> str:
    if verdict.outcome is Outcome.NO_BASELINE:
        return "nothing is approved to compare with"
    return _cut("; ".join(causes(verdict)), MOST_CAUSE)


def _cut(text: str, most: int) -> str:
    return shorten(text, most, placeholder=" ...")
