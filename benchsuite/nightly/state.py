"""What the rolling issue remembers of a night, as a comment in its own body that no text can break out of. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from .. import codec
from ..nouns import JSON, SuiteError
from .legs import Key

VERSION = 1
COMMENT = re.compile(r"<!-- benchsuite-night (\{.*?\}) -->")
UNSAFE = re.compile(r"[<>&@#`]|-(?=-)")
"""What could end the comment, mention somebody or refer to another issue: only ever found inside of JSON strings."""
AFRESH = "Close the issue by hand, and the next night begins afresh."


@dataclass(frozen=True, kw_only=True)
class Followed:
    """Trouble that is not known to be over."""

    key: Key
    outcome: str
    since: str
    """The first night of it, YYYY-MM-DD."""
    cause: str


@dataclass(frozen=True, kw_only=True)
class State:
    """One night as the next one finds it."""

    night: str
    """YYYY-MM-DD; empty before the first."""
    followed: tuple[Followed, ...]
    """By their keys, each key once."""


BEFORE_ALL = State(night="", followed=())


@dataclass(frozen=True, kw_only=True)
class _Stored:
    """The state with every text said once: hundreds of figures must fit into an issue."""

    version: int
    night: str
    texts: tuple[str, ...]
    legs: Mapping[str, Mapping[str, Mapping[str, tuple[int, int, int]]]]
    """Leg, case, metric: places of outcome, since and cause in `texts`."""


def state(night: str, followed: Iterable[Followed]) -> State:
    """A state in its order."""
    return State(night=night, followed=tuple(sorted(followed, key=lambda each: each.key)))


def without_causes(now: State) -> State:
    """The same, shorter where there are many causes; an empty one is unknown."""
    return replace(now, followed=tuple(replace(each, cause="") for each in now.followed))


def hidden(now: State) -> str:
    """A comment on one line that `found` reads again."""
    texts = dict.fromkeys(text for each in now.followed for text in (each.outcome, each.since, each.cause))
    place = {text: number for number, text in enumerate(texts)}
    legs: dict[str, dict[str, dict[str, tuple[int, int, int]]]] = {}
    for each in now.followed:
        metrics = legs.setdefault(each.key.leg, {}).setdefault(each.key.case, {})
        metrics[each.key.metric] = (place[each.outcome], place[each.since], place[each.cause])
    stored = _Stored(version=VERSION, night=now.night, texts=tuple(texts), legs=legs)
    text = json.dumps(codec.encode(stored), separators=(",", ":"))
    return f"<!-- benchsuite-night {UNSAFE.sub(_escaped, text)} -->"


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def found(body: str, where: str) -> State:
    """The state in the body of an issue.

    Args:
        body: Its text.
        where: What to call it in a message.

    Raises:
        SuiteError: there is none, more than one, or it was damaged.
    """
    comments = COMMENT.findall(body)
    if len(comments) != 1:
        count = "no state of a night" if not comments else f"{len(comments)} states of a night"
        raise SuiteError(f"{where} holds {count}: it is not the body of the rolling issue, or was edited. {AFRESH}")
    try:
        return _read(json.loads(comments[0]))
    except (ValueError, IndexError, SuiteError) as error:
        raise SuiteError(f"{where}: the state of the last night is damaged ({error}). {AFRESH}") from error


def _read(data: JSON) -> State:
    if isinstance(data, dict) and data.get("version") != VERSION:
        raise SuiteError(f"it is of version {data.get('version')!r}, this benchsuite reads {VERSION}")
    stored = codec.decode(_Stored, data)
    each = [
        (Key(leg, case, metric), places)
        for leg, cases in stored.legs.items()
        for case, metrics in cases.items()
        for metric, places in metrics.items()
    ]
    if any(place < 0 for _, places in each for place in places):
        raise SuiteError("a place before the first text")
    text = stored.texts
    return state(
        stored.night, (Followed(key=key, outcome=text[o], since=text[s], cause=text[c]) for key, (o, s, c) in each)
    )
