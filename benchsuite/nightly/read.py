"""The files of a night: verdicts, cards and the body of the open issue. The only edge here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from json import JSONDecodeError
from pathlib import Path
from typing import TypeVar

from .. import codec
from ..contest.card import Card
from ..files import read_json, reason
from ..nouns import SuiteError, UsageError, Verdict
from . import legs
from .body import body, comment, title
from .nights import Action, Nights, action, apart
from .safe import LINK
from .state import BEFORE_ALL, found

NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
T = TypeVar("T")
AGAIN = "Give the file as benchsuite wrote it."


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the caller has of a night."""

    verdicts: Sequence[str]
    """Files `verdicts.json` of the pinned leg's runs."""
    cards: Sequence[str]
    """LEG=FILE of the others' cards."""
    missing: Sequence[str]
    """Legs that left nothing."""
    previous: str
    """File with the open issue's body; empty where none is open."""
    night: str
    """YYYY-MM-DD."""
    url: str


@dataclass(frozen=True, kw_only=True)
class Issue:
    """What becomes of the issue."""

    action: Action
    title: str
    body: str
    comment: str
    """What to say beside it; empty for nothing."""
    new: int
    still: int
    fixed: int
    unseen: int


def issue(asked: Asked) -> Issue:
    """Reads a night and says what becomes of the issue.

    Raises:
        UsageError: a leg is named twice or oddly, the pinned one is not told of, or the date or link is none.
        SuiteError: a file cannot be read.
    """
    _check(asked)
    before = found(_text(asked.previous), asked.previous) if asked.previous else BEFORE_ALL
    return of(apart(before, _legs(asked), asked.night), is_open=bool(asked.previous), url=asked.url)


def of(nights: Nights, *, is_open: bool, url: str) -> Issue:
    """The issue of two nights."""
    what = action(nights, is_open=is_open)
    return Issue(
        action=what, title=title(nights), body=body(nights, url), comment=comment(nights, what),
        new=len(nights.new), still=len(nights.still), fixed=len(nights.fixed), unseen=len(nights.unseen),
    )  # fmt: skip


def _check(asked: Asked) -> None:
    try:
        date.fromisoformat(asked.night)
    except ValueError:
        raise UsageError(f"--night {asked.night!r} is no date: give YYYY-MM-DD") from None
    if asked.url and not LINK.fullmatch(asked.url):
        raise UsageError(f"--url {asked.url!r} is no plain https address")
    if not asked.verdicts and legs.PINNED not in asked.missing:
        raise UsageError(f"nothing of the pinned run: give --verdicts FILE, or --missing {legs.PINNED}")


def _legs(asked: Asked) -> list[legs.Leg]:
    verdicts = [verdict for file in asked.verdicts for verdict in _verdicts(Path(file))]
    read = [legs.pinned(verdicts) if verdicts else legs.missing(legs.PINNED)] if asked.verdicts else []
    read += [_card(text) for text in asked.cards]
    all_ = [*read, *(legs.missing(_named(name, "--missing")) for name in asked.missing)]
    names = [leg.name for leg in all_]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise UsageError(f"the leg {twice[0]} is given twice")
    return sorted(all_, key=lambda leg: leg.name != legs.PINNED)


def _named(name: str, option: str) -> str:
    if not NAME.fullmatch(name):
        raise UsageError(f"{option}: {name!r} is no name of a leg: small letters, digits and hyphens")
    return name


def _card(text: str) -> legs.Leg:
    name, equals, file = text.partition("=")
    if not equals or not file:
        raise UsageError(f"--card {text!r}: give LEG=FILE")
    data = codec.restore(read_json(Path(file), AGAIN))
    return legs.decided(_named(name, "--card"), _decoded(Card, [data], Path(file))[0])


def _verdicts(path: Path) -> list[Verdict]:
    try:
        data = codec.loads(_text(str(path)))
    except JSONDecodeError as error:
        raise SuiteError(f"{path} is not valid JSON ({error}). {AGAIN}") from error
    if not isinstance(data, list):
        raise SuiteError(f"{path} is no list of verdicts. {AGAIN}")
    return _decoded(Verdict, data, path)


def _decoded(cls: type[T], data: Iterable[object], path: Path) -> list[T]:
    try:
        return [codec.decode(cls, each) for each in data]
    except SuiteError as error:
        raise SuiteError(f"{path}: {error}. {AGAIN}") from error


def _text(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SuiteError(f"{name} is not text (byte {error.start}). {AGAIN}") from error
    except OSError as error:
        raise SuiteError(f"cannot read {name}: {reason(error)}") from error
