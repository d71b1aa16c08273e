"""The verdict card of a call: one line to act on, then packages, then each case by what people ask about. Pure.

Values only; `card_text` and `card_markdown` put them into words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..explain import UNKNOWN, together
from ..nouns import FAILING, JUDGED, SCHEMA, CaseResult, Kind, Outcome, Record, Role, Verdict
from ..versions import GUARDED
from ..versus import exit_code
from . import conditions, timing
from .order import arm_of
from .rounds import Standing
from .verdicts import OURS, TIMES

SECTIONS = ("speed", "memory", "quality", "semantics")
REFUSED, UNDECIDED = 1, 3
BLIND = 1.0
"""A comparison that would have missed a doubling has seen nothing."""
WORST = (
    Outcome.REGRESSED, Outcome.CHANGED, Outcome.INVALID, Outcome.INCONCLUSIVE, Outcome.INCOMPARABLE,
    Outcome.NO_BASELINE, Outcome.KNOWN, Outcome.IMPROVED, Outcome.OK,
)  # fmt: skip
"""Outcomes, the most pressing first."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """What one case says to one question."""

    name: str
    outcome: str
    """The most pressing outcome of its gates; "not measured" where it has none."""
    gates: int
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, kw_only=True)
class CaseCard:
    """One case."""

    case: str
    pairs: int
    """Pairs of trials that count."""
    dropped: tuple[str, ...]
    """Each pair that does not, and why."""
    conditions: tuple[str, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True, kw_only=True)
class Side:
    """One arm."""

    text: str
    """What the user asked for."""
    python: str
    """Version of its Python."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """A whole call."""

    schema: int
    run: str
    machine: str
    headline: str
    """One line that a person can act on."""
    exit_code: int
    seconds: float
    """What measuring took."""
    arms: Mapping[str, Side]
    packages: Mapping[str, tuple[str, str]]
    """Each package that differs, guarded ones first: version in A and in B."""
    cases: tuple[CaseCard, ...]


def card(
    *, run: str, texts: Mapping[str, str], standings: Sequence[Standing], results: Sequence[CaseResult],
    seconds: float, budget: float,
) -> Card:  # fmt: skip
    """Everything that a call has to say.

    Args:
        run: Name of its folder.
        texts: What the user asked for, by arm.
        standings: Where each case stood in the end.
        results: What is said of each, in the same order.
        seconds: What measuring took.
        budget: What it might have taken.
    """
    records = {arm: _first(standings, arm) for arm in texts}
    code = exit_code(results)
    return Card(
        schema=SCHEMA,
        run=run,
        machine=next((r.environment.machine for r in records.values() if r), ""),
        headline=_headline(code, results, standings, budget),
        exit_code=code,
        seconds=round(seconds, 1),
        arms={arm: Side(text=texts[arm], python=_python(records[arm])) for arm in texts},
        packages=_packages(records["A"], records["B"]),
        cases=tuple(_case(at, said) for at, said in zip(standings, results, strict=True)),
    )


def _first(standings: Sequence[Standing], arm: str) -> Record | None:
    found = (r for at in standings for r in at.records if arm_of(r) == arm and r.environment.hardware)
    return next(found, None)


def _python(record: Record | None) -> str:
    return str(record.environment.notes.get("python", "")) if record else ""


def _packages(a: Record | None, b: Record | None) -> dict[str, tuple[str, str]]:
    old, new = (dict(record.environment.packages) if record else {} for record in (a, b))
    names = [*GUARDED, *sorted({*old, *new} - {*GUARDED, OURS})]
    pairs = {name: (old.get(name, "absent"), new.get(name, "absent")) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


# ---------------------------------------------------------------- one case


def _case(at: Standing, said: CaseResult) -> CaseCard:
    return CaseCard(
        case=said.slug,
        pairs=len(at.used),
        dropped=tuple(f"attempt {d.attempt + 1}: {d.reason.words}" for d in at.dropped),
        conditions=(
            *conditions.told(at.used),
            *timing.told(at.used, [v.metric for v in said.verdicts if v.kind in TIMES]),
        ),
        sections=tuple(_section(name, said.verdicts) for name in SECTIONS),
    )


def _section(name: str, verdicts: Sequence[Verdict]) -> Section:
    mine = tuple(v for v in verdicts if section_of(v) == name)
    gates = [v.outcome for v in mine if v.role is Role.GATE]
    return Section(
        name=name,
        outcome=min(gates, key=WORST.index).value if gates else "not measured",
        gates=len(gates),
        verdicts=mine,
    )


def section_of(verdict: Verdict) -> str:
    """The question that a figure answers."""
    if verdict.unit == "B" and verdict.kind in {Kind.BYTES, Kind.WALL}:
        return "memory"
    if verdict.kind in {Kind.WALL, Kind.DEVICE, Kind.COUNT}:
        return "speed"
    return "quality" if verdict.kind is Kind.QUALITY else "semantics"


# ---------------------------------------------------------------- one line to act on


def _headline(code: int, results: Sequence[CaseResult], standings: Sequence[Standing], budget: float) -> str:
    gates = [v for result in results for v in result.verdicts if v.role is Role.GATE]
    if code == REFUSED:
        return _refused(gates)
    if code == UNDECIDED:
        return f"NOT DECIDED: {_undecided(gates, standings, budget)}"
    better = [v for v in gates if v.outcome is Outcome.IMPROVED]
    judged = sum(v.outcome in JUDGED for v in gates)
    gain = f", {len(better)} better ({_names(better)})" if better else ""
    return f"NOTHING REGRESSED: {judged} of {len(gates)} figures judged{gain}"


def _refused(gates: Sequence[Verdict]) -> str:
    failing = [v for v in gates if v.outcome in FAILING - {Outcome.INVALID}]
    known = [group.cause for group in together(failing) if group.cause and not group.cause.startswith(UNKNOWN)]
    counts = Counter(v.outcome for v in sorted(failing, key=lambda v: WORST.index(v.outcome)))
    figures = ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items())
    of = f", of {len(known)} cause{'' if len(known) == 1 else 's'}" if known else ""
    return f"DO NOT UPGRADE YET: {figures}{of}; first look at: {known[0] if known else _names(failing)}"


def _names(verdicts: Sequence[Verdict], most: int = 3) -> str:
    names = list(dict.fromkeys(v.metric for v in verdicts))
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def _undecided(gates: Sequence[Verdict], standings: Sequence[Standing], budget: float) -> str:
    blocked = [at for at in standings if at.blocked]
    if blocked:
        reason = blocked[0].dropped[-1].reason
        return f"{len(blocked[0].dropped)} pairs were dropped, the last since {reason.words}; {reason.action}"
    open_ = [v for v in gates if v.outcome is Outcome.INCONCLUSIVE]
    if open_:
        return f"{_names(open_)}{_reach(open_)}; give it more time: --budget {max(1, round(2 * budget))}s"
    bad = [v for v in gates if v.outcome is Outcome.INVALID]
    if bad:
        return f"{_names(bad)}: {bad[0].detail.splitlines()[0] if bad[0].detail else 'no figure'}"
    why = next((v.detail for v in gates if v.detail), "no trial went well")
    return f"nothing could be compared: {why.splitlines()[0]}"


def _reach(verdicts: Sequence[Verdict]) -> str:
    """What would have been seen of each, and so what may be said not to count."""
    reach = max((v.detectable or 0.0 for v in verdicts), default=0.0)
    return f" (a change of {reach * 100:.2g} % would have been seen)" if 0 < reach <= BLIND else ""
