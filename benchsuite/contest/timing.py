"""The timed figures of a call, declared before anything is measured, and what the pairs say of each. Pure.

Few on purpose: the error rate is the whole call's, so that each further figure costs all of them power.
Device time, host time and wall time stand apart: a slower kernel and a slower way to it are told apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..ab.decide import Decision, decide
from ..ab.spending import DEVICE_WEIGHT, LEAD_WEIGHT, MOST_TIMED, OTHER_WEIGHT, Question, Rule, rules
from ..cases import slug
from ..nouns import Better, Case, Device, Kind, Metric, Record, UsageError
from ..registry import near
from ..units import is_number
from .order import Pair
from .rounds import Standing, Standings

NONE = "none"
TIMED = ("device.kernel_time.step", "time.host.step", "time.step", "time.train", "latency.batch")
LEAD = "time.step"
"""Of the wall times the one that most depends on: it gets more of the error rate than the others."""
COUNTED = frozenset({"time.host.step"})
"""Figures that only explain where the budget ends without an answer: on a host that others use they scatter too much
for any, and what the host does is counted exactly besides. One that is seen to have moved counts as any other."""
SMALLEST = {Kind.DEVICE: 0.0025, Kind.WALL: 0.02}
"""Smallest relative effect that counts between two arms; `[tool.benchsuite.tolerance]` and --smallest override it.
A metric's own is for stored baselines, which other days and other cards measured."""
Smallest = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What the pairs of one case say of one figure."""

    decision: Decision
    old: float | None
    """A's figure in the metric's base unit, the geometric mean of its trials."""
    new: float | None
    """B's, by the effect that the pairs show."""


Timings = Mapping[str, Mapping[str, Timing]]
"""By case and metric."""


def declared(names: Sequence[str], known: Mapping[str, Metric]) -> tuple[str, ...]:
    """The figures that a user asks for, or the usual ones; none for the word "none".

    Raises:
        UsageError: one that is unknown or has no better side, or too many.
    """
    if tuple(names) == (NONE,):
        return ()
    chosen = tuple(dict.fromkeys(names)) or TIMED
    if len(chosen) > MOST_TIMED:
        raise UsageError(f"--timed takes at most {MOST_TIMED} figures a case, since each costs all of them power")
    for name in chosen:
        if name not in known:
            raise UsageError(f"--timed: no figure {name!r}.{near(name, known)}")
        if known[name].kind not in SMALLEST or known[name].better is Better.NEITHER:
            raise UsageError(f"--timed: {name!r} is no figure that pairs decide: it is of kind {known[name].kind}")
    return chosen


def questions(
    cases: Sequence[Case], names: Sequence[str], known: Mapping[str, Metric], smallest: Smallest
) -> tuple[Question, ...]:
    """What a call asks, of every case and figure; there is no device time on a CPU."""
    return tuple(
        Question(
            case=slug(case), metric=name, better=known[name].better, weight=_weight(known[name]),
            smallest=smallest.get(name, SMALLEST[known[name].kind]),
        )
        for case in cases
        for name in names
        if case.device is Device.CUDA or known[name].kind is not Kind.DEVICE
    )  # fmt: skip


def _weight(metric: Metric) -> float:
    if metric.kind is Kind.DEVICE:
        return DEVICE_WEIGHT
    return LEAD_WEIGHT if metric.name == LEAD else OTHER_WEIGHT


def answered(asked: Sequence[Question], standing: Standings, looks: tuple[int, ...]) -> frozenset[str]:
    """The cases of which every question has its answer."""
    said = timings(asked, standing, looks, ended=False)
    return frozenset(name for name in standing if all(t.decision.decided for t in said.get(name, {}).values()))


def timings(asked: Sequence[Question], standing: Standings, looks: tuple[int, ...], *, ended: bool) -> Timings:
    """What the pairs say of every question.

    Args:
        asked: All of a call's questions, which share its error rate.
        standing: Where each case stands.
        looks: Pairs after which the times are looked at.
        ended: Whether no more pairs will come.
    """
    found: dict[str, dict[str, Timing]] = {}
    for rule in rules(asked, looks) if asked else ():
        at = standing[rule.question.case]
        found.setdefault(rule.question.case, {})[rule.question.metric] = _timing(rule, at, ended=ended)
    return found


def _timing(rule: Rule, at: Standing, *, ended: bool) -> Timing:
    both = series(at.used, rule.question.metric)
    a, b = ([pair[side] for pair in both] for side in (0, 1))
    # A figure that some pair lacks is decided by no further one.
    said, old, new = decide(rule, a, b, ended=ended or bool(at.used and not both)), _middle(a), _middle(b)
    # The effect has drift and outliers taken out of it, the mean of B has not.
    moved = None if old is None or said.effect is None else old * (1 + said.effect)
    return Timing(decision=said, old=old, new=new if moved is None else moved)


def _middle(values: Sequence[float]) -> float | None:
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def series(pairs: Sequence[Pair], name: str) -> tuple[tuple[float, float], ...]:
    """A figure of both arms, A first, for each pair; nothing where any pair lacks it.

    A gap would put the pairs behind it into another order than they ran in.
    """
    both = tuple((value(pair.a, name), value(pair.b, name)) for pair in pairs)
    whole = tuple((a, b) for a, b in both if a is not None and b is not None)
    return whole if len(whole) == len(both) else ()


def value(record: Record, name: str) -> float | None:
    """A figure of one trial, where it is a positive number: of steps or batches timed one by one, the fastest.

    A host that others use adds to some of them, or to most; what the code itself needs is in all.
    """
    found = record.metrics.get(name)
    if found is None or not is_number(found.value):
        return None
    figure = min(found.samples) if found.samples else found.value
    return float(figure) if 0 < figure < math.inf else None


def told(pairs: Sequence[Pair], names: Sequence[str]) -> tuple[str, ...]:
    """Which figures are those of a trial's fastest step or batch, in words."""
    sampled = [
        name for name in names if any(r.metrics[name].samples for p in pairs for r in p.records if name in r.metrics)
    ]
    return (f"of each trial its fastest: {', '.join(sampled)}",) if sampled else ()
