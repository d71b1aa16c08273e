"""Verdicts first: one line to act on, then what fails by cause, then what else is news. In `explain`'s words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from benchsuite.explain import Group, beside, headline, together
from benchsuite.nouns import JUDGED, Outcome, Role, RunResult, Status, Verdict
from benchsuite.reporters._columns import packages
from benchsuite.units import is_number, show, show_effect
from benchsuite.versions import GUARDED
from benchsuite.wording import advise, below_cause, causes, in_short, reason, tally

from .blocks import Fold, Note, Table, columns
from .sides import names

TRIAL = "trial"
"""The metric of a verdict on a trial that failed or is invalid."""
UNEXPLAINED = "Not explained"
FAILED, FINE, OPEN = "failed", "fine", "open"
NEWS = columns("Metrics:wide, Cases, Why:wide")


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One verdict below its cause; of cases of which the very same is said, once."""

    outcome: str
    cases: tuple[str, ...]
    metric: str
    title: str
    old: str
    new: str
    change: str
    detail: tuple[str, ...]
    again: bool
    """True where it stands in full under an earlier cause."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What one cause did, and what to do about it."""

    words: str
    because: str
    """What differs: the packages, after the semicolon of a cause."""
    effects: tuple[Effect, ...]
    aside: tuple[str, ...]
    next: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The page in one line, and the next step."""

    state: str
    """`FAILED`, `FINE` or `OPEN`: nothing failed, and nothing could be judged."""
    title: str
    lead: str
    next: str
    tally: str
    warnings: tuple[str, ...]
    """What taints the run as a whole: planted faults, lost trials."""


def summary(run: RunResult) -> Headline:
    """What to know at once."""
    verdicts = _all(run)
    found = causes_of(run)
    state, title, lead = _state(run, verdicts, found)
    return Headline(
        state=state, title=title, lead=lead, next=_next(verdicts, found, state), tally=tally(verdicts),
        warnings=tuple(_warnings(run)),
    )  # fmt: skip


def _all(run: RunResult) -> list[Verdict]:
    return [verdict for result in run.results for verdict in result.verdicts]


def _state(run: RunResult, verdicts: Sequence[Verdict], found: Sequence[Cause]) -> tuple[str, str, str]:
    failing = [v for v in verdicts if v.fails]
    if failing:
        more = len(found) - 1
        others = f" And {more} more cause{'s' * (more != 1)} below." if more else ""
        return FAILED, f"Failed: {_counted(failing)}", f"{_first(found[0])}.{others}"
    if not run.results:
        return OPEN, "Nothing was measured", "The run has no finished trial."
    silent = [r for r in run.results if not any(v.outcome in JUDGED and v.role is Role.GATE for v in r.verdicts)]
    if any(result.baseline for result in silent):
        return FAILED, "Failed: a case could not be judged", "A baseline exists and nothing of it could be compared."
    if len(silent) == len(run.results):
        return (
            OPEN,
            "No verdict yet: there is no baseline",
            "The figures below are as measured; nobody approved any yet.",
        )
    moved = [v for v in verdicts if v.outcome is Outcome.IMPROVED and v.role is Role.GATE]
    gains = f"{len(moved)} figure{'s' * (len(moved) != 1)} improved. " if moved else ""
    return FINE, "Nothing failed", f"{gains}{_open(verdicts)}"


def _counted(failing: Sequence[Verdict]) -> str:
    """How many trials and figures, of how many causes: "1 trial and 3 figures, of 2 causes"."""
    trials = sum(v.metric == TRIAL for v in failing)
    counts = [(trials, "trial"), (len(failing) - trials, "figure")]
    said = " and ".join(f"{count} {what}{'s' * (count != 1)}" for count, what in counts if count)
    _, comma, causes_ = headline(failing, together(failing)).partition(",")
    return f"{said}{comma}{causes_}"


def _first(cause: Cause) -> str:
    """The likeliest cause; where there is none, what happened."""
    if cause.words != UNEXPLAINED:
        return cause.words
    effect = cause.effects[0]
    detail = f": {effect.detail[0]}" if effect.detail else ""
    return _capital(f"{effect.title}, {', '.join(effect.cases)}{detail}").rstrip(".")


def _open(verdicts: Sequence[Verdict]) -> str:
    rest = [v for v in verdicts if v.outcome not in JUDGED and v.role is Role.GATE]
    if not rest:
        return "Every figure that gates has an answer."
    some = ", ".join(v for v in dict.fromkeys(v.metric for v in rest[:3]))
    return f"{len(rest)} figures that gate have no answer yet ({some}{', ...' if len(rest) > len(rest[:3]) else ''})."


def _next(verdicts: Sequence[Verdict], found: Sequence[Cause], state: str) -> str:
    if state == FAILED:
        return next((text for cause in found for text in cause.next), "")
    wanted = Outcome.NO_BASELINE if state == OPEN else Outcome.IMPROVED
    return next((v.advice for v in verdicts if v.outcome is wanted and v.role is Role.GATE and v.advice), "")


def _warnings(run: RunResult) -> Iterator[str]:
    planted = dict.fromkeys(record.injected for result in run.results for record in result.records if record.injected)
    yield from (f"A fault was planted in this run: {fault}" for fault in planted)
    called = names(run)
    for result in run.results:
        for record in result.records:
            if record.status is not Status.OK:
                problem = next(iter(record.problem.splitlines()), "no reason given")
                yield f"{called[result.slug]}, trial {record.trial} {record.status.value}: {problem}"


# ---------------------------------------------------------------- by cause


def causes_of(run: RunResult) -> tuple[Cause, ...]:
    """What fails, by cause, in the order of `explain.together`."""
    verdicts, called = _all(run), names(run)
    seen: set[int] = set()
    found = []
    for group in together([v for v in verdicts if v.fails]):
        effects = _merged(_effect(v, called.get(v.case, v.case), again=id(v) in seen) for v in group.verdicts)
        seen |= {id(v) for v in group.verdicts}
        found.append(_cause(group, effects, verdicts))
    return tuple(found)


def _cause(group: Group, effects: tuple[Effect, ...], verdicts: Sequence[Verdict]) -> Cause:
    words, _, because = group.cause.rpartition("; ")
    aside = tuple(dict.fromkeys(in_short(v) for v in beside(group, verdicts))) if group.cause else ()
    return Cause(
        words=_capital(words or because) or UNEXPLAINED, because=because if words else "", effects=effects,
        aside=aside, next=advise(group.verdicts),
    )  # fmt: skip


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _merged(effects: Iterable[Effect]) -> tuple[Effect, ...]:
    told: dict[Effect, list[str]] = {}
    for effect in effects:
        told.setdefault(replace(effect, cases=()), []).extend(effect.cases)
    return tuple(replace(effect, cases=tuple(cases)) for effect, cases in told.items())


def _effect(v: Verdict, case: str, *, again: bool) -> Effect:
    plain = is_number(v.new) or is_number(v.old)
    return Effect(
        outcome=v.outcome.value, cases=(case,), metric=v.metric, title=v.title,
        old=show(v.old, v.unit) if plain else "", new=show(v.new, v.unit) if plain else "",
        change=show_effect(v.old, v.new, v.unit) if plain else "",
        detail=() if again else below_cause(v), again=again,
    )  # fmt: skip


# ---------------------------------------------------------------- what else is news


@dataclass(frozen=True, kw_only=True)
class Packages:
    """What is installed otherwise than the baseline's, each as "NAME OLD -> NEW"."""

    cases: tuple[str, ...]
    guarded: tuple[str, ...]
    others: tuple[str, ...]


def moved_packages(run: RunResult) -> tuple[Packages, ...]:
    """Packages that differ from the baseline's, once for all cases that share them."""
    called = names(run)
    told: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for result in run.results:
        if moved := tuple(packages(result).items()):
            told.setdefault(moved, []).append(called[result.slug])
    return tuple(
        Packages(
            cases=tuple(cases), guarded=tuple(line for name, line in moved if name in GUARDED),
            others=tuple(line for name, line in moved if name not in GUARDED),
        )
        for moved, cases in told.items()
    )  # fmt: skip


def news(run: RunResult) -> tuple[Fold, ...]:
    """What neither fails nor is ok, by outcome, folded: improved, known, moved, then what has no answer."""
    verdicts, called = [v for v in _all(run) if not v.fails and v.outcome is not Outcome.OK], names(run)
    order = {o: i for i, o in enumerate((Outcome.IMPROVED, Outcome.KNOWN, Outcome.REGRESSED, Outcome.CHANGED))}
    kinds = sorted(dict.fromkeys(v.outcome for v in verdicts), key=lambda outcome: order.get(outcome, len(order)))
    return tuple(_fold(kind, [v for v in verdicts if v.outcome is kind], called) for kind in kinds)


TITLES = {
    Outcome.IMPROVED: "Improved",
    Outcome.KNOWN: "Known, within its bound",
    Outcome.REGRESSED: "Grew, and only explains",
    Outcome.CHANGED: "Changed, and only explains",
    Outcome.INVALID: "Invalid",
    Outcome.INCONCLUSIVE: "No answer: inconclusive",
    Outcome.NO_BASELINE: "No answer: no baseline",
    Outcome.INCOMPARABLE: "No answer: incomparable",
}


def _fold(kind: Outcome, found: Sequence[Verdict], called: Mapping[str, str]) -> Fold:
    groups: dict[tuple[str, str], list[str]] = {}
    for v in found:
        groups.setdefault((called.get(v.case, v.case), _why(v)), []).append(in_short(v))
    shared: dict[tuple[str, str], list[str]] = {}
    for (case, why), metrics in groups.items():
        shared.setdefault((", ".join(metrics), why), []).append(case)
    rows = tuple((metrics, ", ".join(cases), why) for (metrics, why), cases in shared.items())
    steps = tuple(Note(text=f"Next: {text}") for text in advise(found))
    table = Table(caption=TITLES[kind], columns=NEWS, rows=rows)
    return Fold(title=f"{TITLES[kind]}: {len(found)}", blocks=(table, *steps))


def _why(v: Verdict) -> str:
    if v.outcome not in JUDGED:
        return reason(v)
    return "\n".join(filter(None, (v.detail, *(f"cause: {cause}" for cause in causes(v)))))
