"""Tonight against the last night: what is new, still there, fixed and unknown, and what becomes of the issue. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from .legs import Leg, Trouble
from .state import Followed, State, state

FIGURES = re.compile(r"[-+]?\d[\d.,]*")


class Action(StrEnum):
    """What becomes of the issue."""

    NONE = "none"
    OPEN = "open"
    UPDATE = "update"
    CLOSE = "close"


@dataclass(frozen=True, kw_only=True)
class Still:
    """Trouble of both nights."""

    trouble: Trouble
    since: str
    moved: bool
    """Its cause is another one than it was; figures in it aside, which move every night."""


@dataclass(frozen=True, kw_only=True)
class Nights:
    """Two nights, apart: every trouble of tonight is new or still there, every earlier one still, fixed or unseen."""

    last: str
    """The night before, empty where there is none."""
    night: str
    new: tuple[Trouble, ...]
    still: tuple[Still, ...]
    fixed: tuple[Followed, ...]
    unseen: tuple[Followed, ...]
    """Gave no answer tonight, and so are neither there nor fixed."""
    legs: tuple[Leg, ...]

    @property
    def after(self) -> State:
        """What the next night is held against."""
        fresh = [(trouble, self.night) for trouble in self.new]
        old = [(still.trouble, still.since) for still in self.still]
        return state(self.night, (*self.unseen, *(_followed(trouble, since) for trouble, since in (*fresh, *old))))


def apart(before: State, legs: Sequence[Leg], night: str) -> Nights:
    """Takes tonight and what was followed before it apart.

    Args:
        before: What the open issue holds; `BEFORE_ALL` where none is open.
        legs: Tonight's, each by its own name.
        night: Tonight, YYYY-MM-DD.
    """
    followed = {each.key: each for each in before.followed}
    troubles = sorted((trouble for leg in legs for trouble in leg.troubles), key=lambda trouble: trouble.key)
    there = {trouble.key for trouble in troubles}
    by_name = {leg.name: leg for leg in legs}
    rest = [each for each in before.followed if each.key not in there]
    over = [each for each in rest if each.key.leg in by_name and by_name[each.key.leg].settles(each.key)]
    return Nights(
        last=before.night,
        night=night,
        new=tuple(trouble for trouble in troubles if trouble.key not in followed),
        still=tuple(_still(trouble, followed[trouble.key]) for trouble in troubles if trouble.key in followed),
        fixed=tuple(over),
        unseen=tuple(each for each in rest if each not in over),
        legs=tuple(legs),
    )


def _still(trouble: Trouble, before: Followed) -> Still:
    moved = bool(before.cause) and _bare(trouble.cause) != _bare(before.cause)
    return Still(trouble=trouble, since=before.since, moved=moved)


def _bare(cause: str) -> str:
    return FIGURES.sub("#", cause)


def _followed(trouble: Trouble, since: str) -> Followed:
    return Followed(key=trouble.key, outcome=trouble.outcome, since=since, cause=trouble.cause)


def action(nights: Nights, *, is_open: bool) -> Action:
    """What to do with the issue; one is closed only when nothing that it follows may still be there."""
    if nights.after.followed:
        return Action.UPDATE if is_open else Action.OPEN
    return Action.CLOSE if is_open else Action.NONE
