"""Judges accuracy on paired examples: exact McNemar, and non-inferiority with a margin.

872 validation examples carry a standard error of 0.92 points at 92 %, so a gate on the difference
of two accuracies is noise; the examples that turned are not. `Measured.samples` holds one 0 or 1 an
example, in the validation's order; several trials of a side vote on each example.

Fails when a drop is both significant (p < 0.01) and beyond the margin (1 point unless the metric
says otherwise). Says ok when the upper 95 % bound of the drop lies within the margin. Between the
two there is no answer. Every verdict says which drop would have been found in 9 of 10 runs on so many
examples. Without samples it falls back to two binomial shares, and says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import stdev

from benchsuite.ab.quality import Turned, visible
from benchsuite.judges._common import Trials, finding, invalid, moved, numbers
from benchsuite.nouns import Better, Finding, Kind, Metric, Outcome
from benchsuite.stats import ALPHA, median, paired_drop_bound
from benchsuite.stats import mcnemar as exact_p

MARGIN = 0.01
ASSUMED = 872
"""Examples that are assumed where neither side brings its own: SST-2's validation split."""
Z = 2.576


@dataclass(frozen=True)
class McNemar:
    """Pairs the examples of both sides."""

    name: str = "mcnemar"
    kind: Kind | None = Kind.QUALITY

    def __call__(self, metric: Metric, old: Trials, new: Trials) -> Finding:
        """Judge; see the module."""
        a, old_problem = numbers(old, positive=False)
        b, new_problem = numbers(new, positive=False)
        problems = [p or _not_votes(side) for p, side in ((old_problem, old), (new_problem, new))]
        if any(problems):
            return invalid(old, new, *problems)
        sizes = {len(t.samples) for t in (*old, *new)}
        if 0 in sizes:
            return _by_shares(metric, median(a), median(b), max(sizes))
        if len(sizes) > 1:
            counts = " and ".join(str(n) for n in sorted(sizes))
            return finding(
                Outcome.INCOMPARABLE, median(a), median(b), detail=f"different numbers of examples: {counts}"
            )
        found = _by_pairs(metric, _votes(old), _votes(new))
        return replace(found, old=median(a), new=median(b))


def _margin(metric: Metric) -> float:
    """Of a share, 1 % and 1 point are the same tolerance."""
    given = [m for m in (metric.relative, metric.absolute) if m is not None]
    return max(given, default=MARGIN)


def _not_votes(trials: Trials) -> str:
    wrong = next((s for t in trials for s in t.samples if s not in (0.0, 1.0)), None)
    return "" if wrong is None else f"correctness {wrong!r} of an example is neither 0 nor 1"


def _votes(trials: Trials) -> list[bool]:
    """Whether most trials were right, example by example; a tie goes with the first trial."""
    rights = zip(*(t.samples for t in trials), strict=True)
    return [2 * sum(votes) > len(votes) or (2 * sum(votes) == len(votes) and votes[0] == 1.0) for votes in rights]


def _by_pairs(metric: Metric, old: list[bool], new: list[bool]) -> Finding:
    examples = len(old)
    lost = sum(a and not b for a, b in zip(old, new, strict=True))
    won = sum(b and not a for a, b in zip(old, new, strict=True))
    if metric.better is Better.LOWER:  # an error rate: a 1 that appears is a loss
        lost, won = won, lost
    margin = _margin(metric)
    drop, p = (lost - won) / examples, exact_p(lost, won)
    seen = visible(Turned(lost=lost, won=won, examples=examples), margin=margin)
    return finding(
        _outcome(drop, p, paired_drop_bound(lost, won, examples), margin, identical=lost + won == 0),
        None,
        None,
        effect=-drop if metric.better is not Better.LOWER else drop,
        detectable=seen if seen < 1 else None,
        detail="; ".join([_detail(lost, won, examples, p, margin), _reach(seen), *_seeds(metric)]),
    )


def _outcome(drop: float, p: float, bound: float, margin: float, *, identical: bool) -> Outcome:
    if identical:
        return Outcome.OK
    if p < ALPHA and drop > margin:
        return Outcome.REGRESSED
    if p < ALPHA and drop < 0:
        return Outcome.IMPROVED
    return Outcome.OK if bound <= margin else Outcome.INCONCLUSIVE


def _detail(lost: int, won: int, examples: int, p: float, margin: float) -> str:
    if lost + won == 0:
        return f"identical predictions: the same of {examples} examples are right and wrong as before"
    drop = (lost - won) / examples * 100
    return (
        f"of {examples} examples {lost} turned wrong and {won} turned right ({-drop:+.2f} points; exact McNemar "
        f"p = {p:.2g}; margin {margin * 100:.1f} points)"
    )


def _seeds(metric: Metric) -> list[str]:
    """What other seeds gave, which a drop of one seed may be held against."""
    found = metric.noise.seeds if metric.noise else ()
    if not found:
        return []
    return [f"{len(found)} seeds of the baseline lie between {min(found):.4f} and {max(found):.4f}, {_apart(found)}"]


def _apart(found: Sequence[float]) -> str:
    return f"{stdev(found) * 100:.2f} points apart by standard deviation"


def _reach(seen: float) -> str:
    if seen >= 1:
        return "too few examples to see any drop"
    return f"a drop of {seen * 100:.1f} points would have been seen in 9 of 10 runs"


def _by_shares(metric: Metric, old: float, new: float, known: int) -> Finding:
    examples = known or ASSUMED
    margin = _margin(metric)
    shares = [min(1.0, max(0.0, share)) for share in (old, new)]
    error = math.sqrt(sum(share * (1 - share) for share in shares) / examples)
    difference, needed = new - old, margin + Z * error
    better = Better.HIGHER if metric.better is Better.NEITHER else metric.better
    if abs(difference) > needed:
        outcome = moved(better, difference)
    else:
        worse = difference if better is Better.LOWER else -difference
        outcome = Outcome.INCONCLUSIVE if worse > margin else Outcome.OK
    count = f"{known} examples" if known else f"{ASSUMED} examples, an assumption"
    detail = (
        f"judged without per-example predictions, far more coarsely: a difference of more than {needed * 100:.1f} "
        f"points counts (margin {margin * 100:.1f} points and 2.6 binomial standard errors on {count})"
    )
    return finding(outcome, old, new, effect=difference, detectable=needed, detail=detail)


JUDGE = McNemar()
