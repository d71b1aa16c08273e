"""The rolling issue in words: its title, its body, and what is said beside an edit, which notifies nobody. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..nouns import SuiteError
from .legs import PINNED, Key, Trouble
from .nights import Action, Nights, Still
from .safe import code, plain
from .state import Followed, State, hidden, without_causes

MOST = 65_000
"""Characters of a body; GitHub takes 65,536."""
MOST_STATE = 40_000
"""Characters of the state with causes; a longer one does without."""
MOST_FIGURES = 8
"""Figures shown of one case under one cause."""
CUT = "- and more: see the reports and cards of the run"
CAUSELESS = "no known cause"
HELP = (
    "Edited every night by the nightly workflow. What was not judged tonight is neither there nor fixed. Close this "
    "issue by hand, and the next night begins afresh."
)


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A figure under its cause."""

    key: Key
    cause: str
    text: str


def title(nights: Nights) -> str:
    """One line of numbers and of words that are ours."""
    if not nights.after.followed:
        return f"nightly: all is well since {nights.night}"
    return f"nightly: {_counts(nights)}"


def comment(nights: Nights, action: Action) -> str:
    """What to say beside the edit; empty where nothing moved."""
    if action is Action.CLOSE:
        return f"All is well in the night of {nights.night}: {len(nights.fixed)} fixed, nothing else left."
    moved = action is Action.UPDATE and (nights.new or nights.fixed)
    return f"Night of {nights.night}: {_counts(nights)}." if moved else ""


def body(nights: Nights, url: str = "") -> str:
    """The whole body: what moved first, the legs, and the state that the next night reads.

    Args:
        nights: Two nights, apart.
        url: Page of the run; empty for none.

    Raises:
        SuiteError: more figures fail than an issue can follow.
    """
    state = _remembered(nights.after)
    tail = "\n\n".join([*_legs(nights), f"{f'[The run]({url}). ' if url else ''}{HELP}", state])
    last = f", against that of {nights.last}" if nights.last else ""
    head = f"**{_counts(nights)}** in the night of {nights.night}{last}."
    room = MOST - len(head) - len(tail) - 2 * len("\n\n") - len(CUT) - 1
    if room < 0:
        raise SuiteError(
            f"{len(nights.after.followed)} figures fail, more than one issue can follow: read the run's reports, and "
            "mend or promote what they have in common"
        )
    return "\n\n".join(filter(None, [head, _fitting(_sections(nights), room), tail])) + "\n"


def _remembered(state: State) -> str:
    whole = hidden(state)
    return whole if len(whole) <= MOST_STATE else hidden(without_causes(state))


def _counts(nights: Nights) -> str:
    parts = [f"{len(nights.new)} new", f"{len(nights.still)} still there", f"{len(nights.fixed)} fixed"]
    return ", ".join([*parts, *([f"{len(nights.unseen)} without an answer"] if nights.unseen else [])])


def _fitting(lines: Iterable[str], room: int) -> str:
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return "\n".join([*kept, CUT])
        kept.append(line)
    return "\n".join(kept).strip("\n")


# ---------------------------------------------------------------- what moved


def _sections(nights: Nights) -> Iterator[str]:
    yield from _section("New", [_new(trouble) for trouble in nights.new])
    yield from _section("Still there", [_there(still) for still in nights.still])
    yield from _section("Fixed", [_earlier(each) for each in nights.fixed])
    yield from _section("Without an answer tonight", [_earlier(each) for each in nights.unseen])


def _new(trouble: Trouble) -> _Line:
    return _Line(key=trouble.key, cause=trouble.cause, text=_figure(trouble))


def _there(still: Still) -> _Line:
    moved = ", of another cause than the night before" if still.moved else ""
    text = f"{_figure(still.trouble)}, since {plain(still.since)}{moved}"
    return _Line(key=still.trouble.key, cause=still.trouble.cause, text=text)


def _earlier(each: Followed) -> _Line:
    text = f"{code(each.key.metric)}, {plain(each.outcome)} since {plain(each.since)}"
    return _Line(key=each.key, cause=each.cause, text=text)


def _figure(trouble: Trouble) -> str:
    said = f" {plain(trouble.said)}" if trouble.said else ""
    return f"{trouble.outcome.upper()} {code(trouble.key.metric)}{said}"


def _section(name: str, lines: Sequence[_Line]) -> Iterator[str]:
    if not lines:
        return
    groups: dict[tuple[str, str], dict[str, list[_Line]]] = {}
    for line in lines:
        groups.setdefault((line.key.leg, line.cause), {}).setdefault(line.key.case, []).append(line)
    yield from (f"### {name}: {len(lines)}", "")
    for (leg, cause), cases in groups.items():
        yield f"- {plain(leg)}: **{plain(cause) or CAUSELESS}**"
        for case, mine in cases.items():
            yield from _case(case, mine)
    yield ""


def _case(case: str, lines: Sequence[_Line]) -> Iterator[str]:
    if not case:
        return
    yield f"  - {code(case)}"
    yield from (f"    - {line.text}" for line in lines[:MOST_FIGURES])
    if len(lines) > MOST_FIGURES:
        yield f"    - and {len(lines) - MOST_FIGURES} more figures"


# ---------------------------------------------------------------- the legs


def _legs(nights: Nights) -> Iterator[str]:
    rows = [f"| {plain(leg.name)} | {plain(leg.headline)} |" for leg in nights.legs]
    yield "\n".join(["### Tonight", "", "| leg | says |", "| --- | --- |", *rows])
    if broken := _broken(nights):
        verb = "fails" if len(broken) == 1 else "fail"
        yield f"{' and '.join(map(plain, broken))} {verb} where {PINNED} does not: the libraries changed something."


def _broken(nights: Nights) -> list[str]:
    fine = any(leg.name == PINNED and leg.delivered and not leg.troubles for leg in nights.legs)
    return [leg.name for leg in nights.legs if leg.name != PINNED and leg.delivered and leg.troubles] if fine else []
