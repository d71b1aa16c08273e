"""How a call's error rate is shared out: over its questions by weight, over each one's looks by their size.

Sums of shares never exceed the whole, so by Bonferroni's inequality the rate of the whole call
holds whatever the questions and the looks have to do with each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.nouns import Better, UsageError

ALPHA = 0.01
"""Rate at which a call of unchanged arms may say of anything that it moved, either way."""
BETA = 0.05
"""Rate, for one question, at which "ok" may be said of a change as large as its smallest effect."""
MOST_TIMED = 6
"""Timed metrics of one case; each further one costs all of them power."""
DEVICE_WEIGHT, LEAD_WEIGHT, OTHER_WEIGHT = 8.0, 4.0, 1.0
"""Of a case's device time, of the wall time of its step, and of every other wall metric.

Device time gets most: it repeats best, and finds 0.5 % where wall time finds 2 %.
"""
SPENT = 0.8
"""Share of the promised rate that is spent; the rest is for noise that is not as normal as the reference."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One timed metric of one case: what would count, and its claim on the error rate."""

    case: str
    metric: str
    better: Better
    smallest: float
    """Smallest relative effect that counts."""
    weight: float


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A question with its share: everything that decides it, fixed before the first look."""

    question: Question
    alpha: float
    """Rate at which a move may be called either way where there is none; all looks together."""
    beta: float
    """Rate at which "ok" may be said of the smallest effect; all looks together."""
    looks: tuple[int, ...]
    """Pairs after which the data are looked at, rising."""


def rules(questions: Sequence[Question], looks: Sequence[int], *, alpha: float = ALPHA) -> tuple[Rule, ...]:
    """Share `alpha` out over all questions of a call, whatever their cases.

    Args:
        questions: At most `MOST_TIMED` a case.
        looks: Pairs after which to look, the same for every question.
        alpha: Rate promised for the whole call.

    Raises:
        UsageError: a case with too many timed metrics.
    """
    cases = [question.case for question in questions]
    for case in dict.fromkeys(cases):
        if cases.count(case) > MOST_TIMED:
            raise UsageError(
                f"{cases.count(case)} timed metrics are asked for in {case}; at most {MOST_TIMED} can share the "
                "rate of false alarms and still find anything: leave some out"
            )
    part = SPENT * alpha / sum(question.weight for question in questions)
    return tuple(Rule(question=q, alpha=part * q.weight, beta=BETA, looks=tuple(looks)) for q in questions)


def increments(looks: Sequence[int]) -> tuple[float, ...]:
    """The share of each look, in proportion to the square of its pairs: late looks see more, so they get more."""
    total = sum(look**2 for look in looks)
    return tuple(look**2 / total for look in looks)
