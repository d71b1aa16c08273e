"""Reads the tables of `known.toml`: spelling, types, dates and bounds. Pure. What they do `known` decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Any

from .known import ANY, Known
from .marks import LENGTH
from .nouns import Metric, UsageError
from .registry import near
from .units import parse_tolerance

TABLE = "known"
MARK = re.compile(rf"#[0-9a-f]{{{LENGTH}}}")


def _text(value: Any) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None


def _day(value: Any) -> date | None:
    if isinstance(value, date):
        return value.date() if isinstance(value, datetime) else value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _bound(value: Any) -> str | None:
    text = _text(value)
    if text is None or text == ANY or MARK.fullmatch(text):
        return text
    try:
        parse_tolerance(text)
    except UsageError:
        return None
    return text


GLOB, TEXT = 'a text, with "*" for anything', "a text"
KEYS: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    "case": (_text, GLOB),
    "metric": (_text, GLOB),
    "bound": (_bound, f'a distance such as "8 %" or "2 MiB", "{ANY}", or the "#..." of a value'),
    "until": (_day, "a day such as 2027-01-31"),
    "reason": (_text, TEXT),
    "link": (_text, TEXT),
    "machine": (_text, GLOB),
}
"""How each key is read, None where it is wrong, and what it wants, in words."""
OPTIONAL = {"link": "", "machine": "*"}


def entries(data: Mapping[str, Any], file: str) -> tuple[Known, ...]:
    """The entries of a parsed file, in its order; `file` is named in messages.

    Raises:
        UsageError: anything but [[known]] tables, an unknown or missing key, or a value that makes no sense.
    """
    strange = sorted(set(data) - {TABLE})
    if strange:
        raise UsageError(f"{file} knows no {strange[0]!r}: each entry stands under a line [[{TABLE}]]")
    tables = data.get(TABLE, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{file}: each entry stands under a line [[{TABLE}]], in double brackets")
    return tuple(_entry(table, n, f"{file}, entry {n}") for n, table in enumerate(tables, 1))


def _entry(table: Mapping[str, Any], place: int, where: str) -> Known:
    missing = [key for key in KEYS if key not in table and key not in OPTIONAL]
    for key in table:
        if key not in KEYS:
            raise UsageError(f"{where} knows no {key!r}.{near(key, KEYS)} Known: {', '.join(KEYS)}.")
    if missing:
        raise UsageError(f"{where} lacks {' and '.join(missing)}: {missing[0]} is {KEYS[missing[0]][1]}")
    return Known(place=place, **OPTIONAL | {key: _read(key, value, where) for key, value in table.items()})


def _read(key: str, value: Any, where: str) -> Any:
    read, wants = KEYS[key]
    found = read(value)
    if found is None:
        raise UsageError(f"{where}: {key} is {wants}, not {str(value) if isinstance(value, date) else repr(value)}")
    return found


def check(known: Sequence[Known], metrics: Mapping[str, Metric], file: str) -> None:
    """Refuse an entry for a metric that there is not, or with a bound in another unit.

    Raises:
        UsageError: names the entry.
    """
    for entry in known:
        mine = [metric for name, metric in metrics.items() if fnmatchcase(name, entry.metric)]
        if not mine:
            raise UsageError(
                f"{file}, entry {entry.place}: no metric matches {entry.metric!r}.{near(entry.metric, metrics)}"
            )
        if entry.bound != ANY and not MARK.fullmatch(entry.bound):
            _check_bound(entry, mine, file)


def _check_bound(entry: Known, metrics: Iterable[Metric], file: str) -> None:
    for metric in metrics:
        try:
            parse_tolerance(entry.bound, metric.unit)
        except UsageError as error:
            raise UsageError(f"{file}, entry {entry.place}, bound: {error}") from error
