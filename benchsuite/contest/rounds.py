"""Pairs of trials, case by case in turn, until all is decided or the budget ends.

What measures a pair, what decides and what time it is are given: the same loop runs on recorded trials.
A call always ends: what is disturbed is made again a bounded number of times, an arm that keeps failing
ends it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..ab.pairs import FEWEST, MOST, ROUNDING, looks
from ..cases import slug
from ..nouns import Case, Record, Status, SuiteError
from . import conditions
from .conditions import Reason
from .order import ARMS, Pair, arm_of

OVERRUN = 0.1
"""Share of the budget that planned pairs may run over it: a plan cut off loses its last look, which sees most."""
MOST_FAILURES = 2
"""Failed trials of one arm and case that end a call: one may be chance."""
MOST_DROPPED = 3
"""Pairs of a case that may be dropped before any counts; later, as many as count."""


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """A pair that was not used."""

    attempt: int
    reason: Reason


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far one case is."""

    case: Case
    used: tuple[Pair, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    records: tuple[Record, ...] = ()
    """All of its trials, in the order in which they ran."""
    decided: bool = False
    planned: int = 0
    """Pairs that it is planned to have at most; 0 while nothing is planned."""
    seconds: float = 0.0
    """What its last pair took, with its share of what was done at once for several."""

    @property
    def attempts(self) -> int:
        """Pairs begun."""
        return len(self.used) + len(self.dropped)

    @property
    def blocked(self) -> bool:
        """Whether so much was dropped that measuring on makes no sense."""
        return len(self.dropped) >= max(MOST_DROPPED, len(self.used))

    def of(self, arm: str) -> tuple[Record, ...]:
        """An arm's trials."""
        return tuple(record for record in self.records if arm_of(record) == arm)

    def sound(self, arm: str) -> tuple[Record, ...]:
        """An arm's trials that went well and had the inputs that they should: what repeats may be read from them."""
        odd = {d.attempt for d in self.dropped if d.reason.kind == conditions.INPUTS}
        return tuple(r for r in self.of(arm) if r.status is Status.OK and r.trial not in odd)


Standings = Mapping[str, Standing]
Measure = Callable[[Standing], tuple[Record, ...] | None]
"""Given a case's standing: the trials of its next pair, in their order (one alone where it failed); None: no more."""
Answered = Callable[[Standings, tuple[int, ...]], frozenset[str]]
"""Given all standings by slug, and the looks that are planned: the cases of which every timed figure is decided."""


@dataclass(frozen=True, kw_only=True)
class Played:
    """How a call ended."""

    standings: tuple[Standing, ...]
    looks: tuple[int, ...]
    """Pairs after which the times were looked at; fixed before the first look."""
    seconds: float


def play(
    cases: Sequence[Case], *, measure: Measure, answered: Answered, clock: Callable[[], float], budget: float,
    least: int = FEWEST, ahead: Callable[[], float] = lambda: 0.0,
) -> Played:  # fmt: skip
    """Measure until all is decided.

    How many pairs are made at most, and when they are looked at, is fixed once each case has as many as the
    first look needs at least: from what these took, never from what they showed.

    Args:
        cases: What to measure, taking turns.
        measure: Makes the next pair of a case.
        answered: Tells which cases need no more.
        clock: Seconds.
        budget: Seconds for each case, shared among all.
        least: Pairs of each case that are made whatever the budget.
        ahead: Of the last pair's seconds those that served later ones; negative where earlier ones' served it.

    Raises:
        SuiteError: an arm failed too often or hung, or the arms ran on different GPUs.
    """
    began, whole = clock(), budget * len(cases)
    standing = {slug(case): Standing(case=case) for case in cases}
    planned: tuple[int, ...] = ()
    while name := _next(standing, planned, whole * (1 + OVERRUN) - (clock() - began), least):
        started = clock()
        records = measure(standing[name])
        if records is None:
            break
        standing[name] = _after(standing[name], records, clock() - started - ahead())
        if not planned and not _next(standing, (), 0.0, least):
            planned = looks(_affordable(standing, whole - (clock() - began), least))
            standing = {key: replace(at, planned=planned[-1]) for key, at in standing.items()}
        done = answered(standing, planned) if planned else frozenset()
        standing = {key: replace(at, decided=key in done) for key, at in standing.items()}
    return Played(standings=tuple(standing.values()), looks=planned or (FEWEST,), seconds=clock() - began)


def _next(standing: Standings, planned: tuple[int, ...], left: float, least: int) -> str:
    """The case whose turn it is; empty where none needs another pair or has the time for it."""
    open_ = [name for name, at in standing.items() if not at.blocked and not at.decided]
    if planned:
        open_ = [n for n in open_ if len(standing[n].used) < planned[-1] and standing[n].seconds <= left]
    else:
        open_ = [n for n in open_ if len(standing[n].used) < least]
    return min(open_, key=lambda name: standing[name].attempts, default="")


def _affordable(standing: Standings, left: float, least: int) -> int:
    """Pairs of each case that fit, those that there are included."""
    each = sum(at.seconds for at in standing.values() if not at.blocked)
    more = int(left / each + ROUNDING) if each > 0 else MOST
    return min(MOST, least + max(0, more))


# ---------------------------------------------------------------- after a pair


def _after(at: Standing, records: tuple[Record, ...], seconds: float) -> Standing:
    attempt = at.attempts
    at = replace(at, records=(*at.records, *records), seconds=seconds)
    _check_failures(at, records)
    seen = conditions.gpus(at.records)
    if len(seen) > 1:
        raise SuiteError(f"the arms ran on different GPUs ({' / '.join(seen)}): give one to both with --device.")
    reason = _reason(records)
    if reason is not None:
        return replace(at, dropped=(*at.dropped, Dropped(attempt=attempt, reason=reason)))
    return replace(at, used=(*at.used, _pair(records)))


def _pair(records: tuple[Record, ...]) -> Pair:
    a, b = sorted(records, key=arm_of)
    return Pair(attempt=a.trial, a=a, b=b)


def _reason(records: tuple[Record, ...]) -> Reason | None:
    bad = next((record for record in records if record.status is not Status.OK), None)
    if bad is not None:
        first = bad.problem.splitlines()[0]
        found = Reason(kind="failed", words=first) if bad.status is Status.FAILED else conditions.recalled(first)
        return replace(found, words=f"in {arm_of(bad)}, {found.words}")
    return conditions.reason(_pair(records))


def _check_failures(at: Standing, fresh: tuple[Record, ...]) -> None:
    failed = {arm: [record for record in at.of(arm) if record.status is Status.FAILED] for arm in ARMS}
    for record in fresh:
        arm = arm_of(record)
        if record.status is Status.FAILED and (len(failed[arm]) >= MOST_FAILURES or hung(record)):
            counts = " and ".join(f"{name} in {len(failed[name])} of {len(at.of(name))}" for name in ARMS)
            raise SuiteError(
                f"environment {arm} cannot be measured in {slug(at.case)}: {record.problem}\n"
                f"Trials that failed: {counts}. Mend {arm}, or leave this case out (--regimes, --profile)."
            )


def hung(record: Record) -> bool:
    """Whether a failed trial was ended by its time."""
    return record.problem.startswith("the trial was killed after its")
