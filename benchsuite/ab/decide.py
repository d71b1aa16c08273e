"""What may be said of one timed metric after some pairs: regressed, improved, ok, or not yet.

At a planned look the effect has two half widths: `alarm`, for "it moved", at this look's share of
the call's alpha; and `calm`, for "not by as much as counts", at its share of beta. The decision is a
pure function of all values so far, so that asking again changes nothing. Covers one question; that
the rate of a whole call holds is `spending`'s affair.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from benchsuite.nouns import Better, Outcome
from benchsuite.stats import relative
from benchsuite.units import percent

from .estimate import Array, Estimate, arms, estimate
from .pairs import in_order
from .spending import Rule, increments

OPEN, OK, SLOWER, FASTER = 0, 1, 2, 3
"""Codes of `code`; slower and faster stand for worse and better."""
POWER = 0.9
"""Share of calls that would have found what is told as detectable."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What is said of one metric of one case."""

    outcome: Outcome
    decided: bool
    """False while a planned look is still to come and nothing can be said."""
    effect: float | None
    """b / a - 1 as estimated; None before the first look."""
    interval: tuple[float, float] | None
    """Of the effect; all intervals of a call, at all its looks, hold together at 1 - alpha of the call."""
    worst: float | None
    """Largest harm not ruled out at 95 %, as a share: what "ok" was measured by."""
    detectable: float | None
    """Smallest effect that 9 of 10 calls of this spread and this many pairs would have found."""
    pairs: int
    """Pairs at the look that this was said at; 0 before the first."""
    detail: str


@dataclass(frozen=True, kw_only=True)
class Widths:
    """Half widths at one look, on the log scale; one a call, as the estimate."""

    alarm: Array
    calm: Array
    reach: Array
    """Effect that is found with probability `POWER`."""


def widths(rule: Rule, look: int, found: Estimate) -> Widths:
    """Half widths of a call's effect at the look of that number."""
    from scipy.special import stdtrit

    share = increments(rule.looks)[look]
    alarm = found.error * stdtrit(found.freedom, 1 - rule.alpha * share / 2)
    # "Ok" of what may move neither way is said of two sides.
    sides = 2 if rule.question.better is Better.NEITHER else 1
    calm = found.error * stdtrit(found.freedom, 1 - rule.beta * share / sides)
    return Widths(alarm=alarm, calm=calm, reach=alarm + found.error * stdtrit(found.freedom, POWER))


def code(rule: Rule, effect: Array, width: Widths) -> Array:
    """Codes of calls at one look, of effects on the log scale whose positive side is worse.

    A move that is real but certainly smaller than what counts is ok.
    """
    smallest = math.log1p(rule.question.smallest)
    negligible = np.abs(effect) + width.calm < smallest
    harmless = negligible if rule.question.better is Better.NEITHER else effect + width.calm < smallest
    moved = [(effect > width.alarm) & ~negligible, (effect < -width.alarm) & ~negligible]
    return np.select([*moved, harmless], [SLOWER, FASTER, OK], OPEN)


def keep(earlier: Array, now: Array) -> Array:
    """Codes after a further look: a move that was called stays called, and "ok" stays until a move is called."""
    fresh = (earlier == OPEN) | ((earlier == OK) & (now != OPEN))
    return np.where(fresh, now, earlier)


def codes(rule: Rule, logs: Array) -> Array:
    """Codes of many calls at each planned look that they reach; looks x calls.

    Args:
        rule: The question.
        logs: Logarithms, worse upwards, in ABBA order; calls x processes.
    """
    said: Array = np.zeros(len(logs), dtype=int)
    found = []
    for look in range(_reached(rule, logs.shape[1] // 2)):
        said = advance(rule, logs, look, said)
        found.append(said)
    return np.array(found).reshape(-1, len(logs))


def advance(rule: Rule, logs: Array, look: int, earlier: Array) -> Array:
    """Codes of calls after the look of that number, given those after the looks before it."""
    found, width = _at(rule, logs, look)
    return keep(earlier, code(rule, found.effect, width))


def _reached(rule: Rule, pairs: int) -> int:
    return sum(look <= pairs for look in rule.looks)


def _at(rule: Rule, logs: Array, look: int) -> tuple[Estimate, Widths]:
    pairs = rule.looks[look]
    found = estimate(logs[:, : 2 * pairs], arms(pairs))
    return found, widths(rule, look, found)


def decide(rule: Rule, a: Sequence[float], b: Sequence[float], *, ended: bool = False) -> Decision:
    """Decide one question on all values so far.

    Args:
        rule: The question and its share.
        a: One positive value a process of the first arm, in the order of their pairs.
        b: The second arm's.
        ended: Whether no further pair will come, though a look was planned.

    Returns:
        The decision at the last planned look that these pairs reach; one that stands since an earlier
        look is told as it was seen then.
    """
    pairs = min(len(a), len(b))
    reached = _reached(rule, pairs)
    ended = ended or reached == len(rule.looks)
    if not reached:
        return _nothing(rule, pairs, ended=ended)
    sign = -1.0 if rule.question.better is Better.HIGHER else 1.0
    logs = sign * np.log(np.array([in_order(a, b)]))
    said = codes(rule, logs)[:, 0].tolist()
    look = said.index(said[-1]) if said[-1] != OPEN else reached - 1
    found, width = _at(rule, logs, look)
    return _told(rule, said[-1], look, (sign, found, width), ended=ended)


def settled(decisions: Iterable[Decision]) -> bool:
    """Whether a call may end: every question has its answer."""
    return all(decision.decided for decision in decisions)


# ---------------------------------------------------------------- in words


def _outcome(better: Better, said: int) -> Outcome:
    if said in {SLOWER, FASTER} and better is Better.NEITHER:
        return Outcome.CHANGED
    return {SLOWER: Outcome.REGRESSED, FASTER: Outcome.IMPROVED, OK: Outcome.OK}.get(said, Outcome.INCONCLUSIVE)


def _nothing(rule: Rule, pairs: int, *, ended: bool) -> Decision:
    detail = f"{pairs} pairs, and the first look at the data is planned after {rule.looks[0]}"
    return Decision(
        outcome=Outcome.INCONCLUSIVE, decided=ended, effect=None, interval=None, worst=None, detectable=None, pairs=0,
        detail=detail,
    )  # fmt: skip


def _told(rule: Rule, said: int, look: int, seen: tuple[float, Estimate, Widths], *, ended: bool) -> Decision:
    sign, found, width = seen
    effect, alarm, calm, reach = (float(x[0]) for x in (found.effect, width.alarm, width.calm, width.reach))
    low, high = sorted((relative(sign * (effect - alarm)), relative(sign * (effect + alarm))))
    middle = abs(effect) if rule.question.better is Better.NEITHER else effect
    outcome, worst = _outcome(rule.question.better, said), max(0.0, relative(middle + calm))
    more = _more(outcome, worst, relative(reach), rule.question.smallest)
    return Decision(
        outcome=outcome,
        decided=ended or said != OPEN,
        effect=relative(sign * effect),
        interval=(low, high),
        worst=worst,
        detectable=relative(reach),
        pairs=rule.looks[look],
        detail=f"{percent(relative(sign * effect))}, between {percent(low)} and {percent(high)}, after "
        f"{rule.looks[look]} pairs{more}",
    )


def _more(outcome: Outcome, worst: float, detectable: float, smallest: float) -> str:
    counts = f"{percent(smallest)[1:]} would count"
    if outcome is Outcome.OK:
        return f"; worse by at most {percent(worst)[1:]} (95 %), and {counts}"
    if outcome is Outcome.INCONCLUSIVE:
        return f"; {counts}, and with this spread {percent(detectable)[1:]} is found 9 times of 10"
    return ""
