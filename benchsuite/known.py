"""`known.toml`: deviations that somebody accepted, each within a bound and until a day. Pure.

Between judging and explaining: what fails and is accepted becomes `known`; what is accepted no longer
fails with the reason why not. Only what regressed or changed can be known: a failed trial or a figure
that is missing is no deviation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase

from .compare import measured
from .marks import mark
from .nouns import FAILING, JUDGED, CaseResult, Outcome, Record, Status, Verdict
from .units import is_number, parse_tolerance, percent, show

FILE = "known.toml"
ANY = "any"
"""The bound of a deviation that is accepted whatever its size."""
DEVIATES = frozenset({Outcome.REGRESSED, Outcome.CHANGED})
GOOD = frozenset({Outcome.OK, Outcome.IMPROVED})
REMOVE = "remove the entry"


@dataclass(frozen=True, kw_only=True)
class Known:
    """One accepted deviation."""

    place: int
    """Which entry of the file it is, from 1."""
    case: str
    """Glob on the case's slug."""
    metric: str
    machine: str
    """Glob on the machine's name."""
    bound: str
    """Distance from the baseline's figure, such as "8 %"; "#" and a digest for the one value accepted; or "any"."""
    until: date
    """The last day."""
    reason: str
    link: str

    @property
    def name(self) -> str:
        """How messages name it."""
        return f"{FILE}, entry {self.place}"

    def of(self, case: str, machine: str) -> bool:
        """Whether it is about this case on this machine."""
        return fnmatchcase(case, self.case) and fnmatchcase(machine, self.machine)


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """All entries, and the day that they must reach."""

    entries: tuple[Known, ...]
    today: date


NONE = Accepted(entries=(), today=date.min)


def accept(verdicts: Sequence[Verdict], known: Accepted, trials: Sequence[Record]) -> tuple[Verdict, ...]:
    """The verdicts of one case in their order; those that an entry accepts are `known`, with its reason.

    Args:
        verdicts: What the judges said, causes not yet told.
        known: What is accepted, of whatever case.
        trials: The run's trials of the case: they tell the machine, and structures' digests.
    """
    good = next((t for t in trials if t.status is Status.OK), None)
    if good is None:
        return tuple(verdicts)
    machine = good.environment.machine
    mine = [entry for entry in known.entries if entry.of(verdicts[0].case, machine)] if verdicts else []
    return tuple(_accepted(v, mine, trials, known.today) for v in verdicts)


def _accepted(verdict: Verdict, entries: Sequence[Known], trials: Sequence[Record], today: date) -> Verdict:
    if verdict.outcome not in FAILING:
        return verdict
    refusals = []
    for entry in (entry for entry in entries if fnmatchcase(verdict.metric, entry.metric)):
        why = _refusal(entry, verdict, trials, today)
        if not why:
            said = f"{_until(entry)}: {entry.reason}" + (f" ({entry.link})" if entry.link else "")
            return replace(verdict, outcome=Outcome.KNOWN, detail=_lines(said, verdict.detail), advice="")
        refusals.append(f"{entry.name}, {why}")
    return replace(verdict, detail=_lines(verdict.detail, *refusals))


def _until(entry: Known) -> str:
    return f"known until {entry.until.isoformat()}"


def _lines(*lines: str) -> str:
    return "\n".join(line for line in lines if line)


def _refusal(entry: Known, verdict: Verdict, trials: Sequence[Record], today: date) -> str:
    """Why an entry that is about a failing verdict does not accept it; empty where it does."""
    if verdict.outcome not in DEVIATES:
        return f"does not help: what is {verdict.outcome.value} cannot be known"
    if today > entry.until:
        return f"accepted this until {entry.until.isoformat()}, which is past: {entry.reason}"
    if entry.bound == ANY:
        return ""
    if entry.bound.startswith("#"):
        marks = values(trials, verdict.metric)
        return (
            "" if marks == (entry.bound,) else f"accepts the value {entry.bound}, not {' and '.join(marks) or 'none'}"
        )
    return _beyond(entry, verdict)


def values(trials: Sequence[Record], metric: str) -> tuple[str, ...]:
    """The marks of a metric's different values in the good trials."""
    found = (measured(t).get(metric) for t in trials if t.status is Status.OK)
    return tuple(dict.fromkeys(mark(m.value) for m in found if m is not None))


def _beyond(entry: Known, verdict: Verdict) -> str:
    if not (is_number(verdict.old) and is_number(verdict.new)):
        return f'has the bound {entry.bound}, which is for numbers: give the "#..." of the value, or "{ANY}"'
    relative, absolute = parse_tolerance(entry.bound, verdict.unit)
    moved = abs(verdict.new - verdict.old)
    if absolute is not None:
        return "" if moved <= absolute else f"accepts up to {entry.bound}, this is {show(moved, verdict.unit)}"
    if relative is not None and moved <= relative * abs(verdict.old):
        return ""
    said = percent(verdict.new / verdict.old - 1) if verdict.old else f"{show(moved, verdict.unit)} from 0"
    return f"accepts up to {entry.bound}, this is {said}"


# ---------------------------------------------------------------- entries that do nothing


def remarks(known: Accepted, results: Sequence[CaseResult]) -> tuple[str, ...]:
    """A line for each entry that a run shows to be of no use, and for each that is past its day.

    An entry about cases that were not measured, or of whose figures nothing could be said, has no line.
    """
    lines = (_remark(entry, _matched(entry, results), known.today) for entry in known.entries)
    return tuple(filter(None, lines))


def _matched(entry: Known, results: Sequence[CaseResult]) -> Mapping[str, list[Verdict]] | None:
    """Verdicts that it is about, by metric; None where none of its cases was measured."""
    mine = [result for result in results if any(entry.of(result.slug, r.environment.machine) for r in result.records)]
    judged = [r for r in mine if r.baseline is not None and any(v.outcome in JUDGED for v in r.verdicts)]
    if not judged:
        return None
    found: dict[str, list[Verdict]] = {}
    for verdict in (v for result in judged for v in result.verdicts if fnmatchcase(v.metric, entry.metric)):
        found.setdefault(verdict.metric, []).append(verdict)
    return found


def _remark(entry: Known, matched: Mapping[str, list[Verdict]] | None, today: date) -> str:
    if matched is None:
        return ""
    outcomes = {v.outcome for verdicts in matched.values() for v in verdicts}
    what = f"{entry.name} ({entry.metric} of {entry.case})"
    if today > entry.until:
        then = "what it accepted fails again" if outcomes & FAILING else REMOVE
        return f"{what} is past its day, {entry.until.isoformat()}: {then}"
    if not outcomes:
        return f"{what} names no figure of this run: {REMOVE}"
    if outcomes <= JUDGED and outcomes & GOOD and not outcomes & (DEVIATES | {Outcome.KNOWN}):
        return f"{what} accepts what no longer deviates: {REMOVE}"
    return ""
