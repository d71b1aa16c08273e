"""What judges share: reading numbers from trials, and the rule for what repeats. Not a judge itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

from benchsuite.nouns import JSON, Better, Finding, Kind, Measured, Metric, Outcome
from benchsuite.stats import median
from benchsuite.units import is_number

WIDTH = 40
"""Characters after which a value that is no number is cut."""
Trials = tuple[Measured, ...]


class Judge(Protocol):
    """Compares one metric's trials of a baseline with those of a run; never raises for a value."""

    name: str
    kind: Kind | None
    """The kind it judges unless a metric names another judge; None for one that must be named."""

    def __call__(self, metric: Metric, old: Trials, new: Trials) -> Finding:
        """Judge; neither side is empty."""
        ...


def finding(
    outcome: Outcome,
    old: JSON,
    new: JSON,
    *,
    effect: float | None = None,
    interval: tuple[float, float] | None = None,
    detectable: float | None = None,
    detail: str = "",
) -> Finding:
    """A finding with nothing said where nothing is given."""
    return Finding(
        outcome=outcome, old=old, new=new, effect=effect, interval=interval, detectable=detectable, detail=detail
    )


def numbers(trials: Trials, *, positive: bool) -> tuple[list[float], str]:
    """The trials' values as finite numbers, or an empty list and what is wrong with them.

    Args:
        trials: One value a trial.
        positive: Whether zero is refused too; negative values always are.
    """
    found = []
    for trial in trials:
        problem = _problem(trial.value, positive=positive)
        if problem:
            return [], problem
        found.append(float(trial.value))
    return found, ""


def _problem(value: JSON, *, positive: bool) -> str:
    if not is_number(value):
        return f"{_short(value)} is not a number"
    try:
        number = float(value)
    except OverflowError:
        return "a value is too large to be a measurement"
    if not math.isfinite(number):
        return f"{number} is not finite"
    if number < 0 or (positive and number == 0):
        return f"{number:g} is not {'above' if positive else 'at or above'} zero"
    return ""


def _short(value: JSON) -> str:
    text = repr(value)
    return text if len(text) <= WIDTH else text[: WIDTH - 3] + "..."


def invalid(old: Trials, new: Trials, old_problem: str, new_problem: str) -> Finding:
    """The finding where a value cannot be judged: says on which side, and why."""
    sides = (("the baseline", old_problem), ("this run", new_problem))
    detail = "; ".join(f"in {side}, {problem}" for side, problem in sides if problem)
    return finding(Outcome.INVALID, shown(old[0].value), shown(new[0].value), detail=detail)


def on_numbers(
    old: Trials, new: Trials, judge: Callable[[list[float], list[float]], Finding], *, positive: bool
) -> Finding:
    """What `judge` says of both sides' values as finite numbers; `invalid` where a value is none (see `numbers`)."""
    a, old_problem = numbers(old, positive=positive)
    b, new_problem = numbers(new, positive=positive)
    return judge(a, b) if a and b else invalid(old, new, old_problem, new_problem)


def spreads(old: Sequence[float], new: Sequence[float], show: Callable[[float], str]) -> list[str]:
    """A line for each side whose trials do not agree."""
    sides = (("the baseline's", old), ("this run's", new))
    return [
        f"{side} trials disagree: {show(min(values))} to {show(max(values))}"
        for side, values in sides
        if len(set(values)) > 1
    ]


def grouped(values: Sequence[float], sittings: Sequence[int]) -> list[list[float]]:
    """Values by the sitting of each."""
    return [[v for v, s in zip(values, sittings, strict=True) if s == each] for each in sorted(set(sittings))]


def shown(value: JSON) -> JSON:
    """A value fit for a finding: plain numbers stay, the rest becomes a short text."""
    return value if is_number(value) and not _problem(value, positive=False) else _short(value)


def smallest_effect(metric: Metric, default: float, old: Sequence[float]) -> float:
    """The smallest relative effect that counts, from the metric's own tolerances or a judge's default.

    An absolute tolerance is taken relative to the baseline's median; of two the larger holds.
    """
    if metric.relative is None and metric.absolute is None:
        return default
    return max(metric.relative or 0.0, (metric.absolute or 0.0) / median(old))


def moved(better: Better, difference: float) -> Outcome:
    """What a move in the direction of `difference` (new minus old, not 0) means."""
    if better is Better.NEITHER:
        return Outcome.CHANGED
    return Outcome.IMPROVED if (difference < 0) == (better is Better.LOWER) else Outcome.REGRESSED


def ratio(old: float, new: float) -> float | None:
    """Relative difference new / old - 1, or None where that is no finite number."""
    effect = new / old - 1 if old else (0.0 if new == 0 else None)
    return effect if effect is not None and math.isfinite(effect) else None


def by_threshold(metric: Metric, old: float, new: float, *, relative_floor: float, absolute_floor: float) -> Finding:
    """Judge a repeatable number: a move of at least the larger floor, whatever its cause, is real."""
    smallest = max(relative_floor * old, absolute_floor)
    difference, effect = new - old, ratio(old, new)
    outcome = moved(metric.better, difference) if difference and abs(difference) >= smallest else Outcome.OK
    return finding(outcome, _whole(old), _whole(new), effect=effect, detectable=_share(smallest, old), detail="")


def _share(part: float, whole: float) -> float | None:
    share = part / whole if whole else math.inf
    return share if math.isfinite(share) else None


def _whole(value: float) -> int | float:
    return int(value) if value.is_integer() else value
