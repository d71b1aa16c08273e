"""Reads `[[tool.benchsuite.case]]`: each table is a wish for cases, its keys as people write them.

Covers spelling, types and where folders lie. What the words mean (profiles, regimes, tasks) `cases` decides.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .nouns import Entry, UsageError, Weights
from .registry import near


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key of the table, and the field of `Entry` that it fills."""

    field: str
    read: Callable[[Any], Any]
    """The value as the field holds it; None where it is wrong."""
    wants: str
    """What the value is, in words."""
    place: Callable[[str, Path], str] = lambda text, _: text
    """The text where it names a place, given the folder that relative paths start from."""


def folder(path: str, root: Path) -> str:
    """A path of the user's as an absolute one, its own "~" spelt out."""
    return str((root / Path(path).expanduser()).absolute())


def located(model: str, root: Path) -> str:
    """A model's folder as an absolute path; a name that no folder here has is one of the hub's and stays."""
    path = folder(model, root)
    # Unlike Path's own: what no file can be called is simply not there.
    return path if os.path.exists(path) else model


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _texts(value: Any) -> tuple[str, ...] | None:
    listed = value if isinstance(value, list) else [value]
    return tuple(listed) if listed and all(_text(each) for each in listed) else None


def _seeds(value: Any) -> tuple[int, ...] | None:
    listed = value if isinstance(value, list) else [value]
    return tuple(listed) if listed and all(type(each) is int and 0 <= each < 2**32 for each in listed) else None


def _weights(value: Any) -> Weights | None:
    return Weights(value) if value in list(Weights) else None


NAME, NAMES, SEEDS = "a text", "a text or a list of texts", "a whole number from 0 on, or a list of them"
KEYS: Mapping[str, Key] = {
    "profile": Key(field="profiles", read=_texts, wants=NAMES),
    "profiles": Key(field="profiles", read=_texts, wants=NAMES),
    "regime": Key(field="regimes", read=_texts, wants=NAMES),
    "regimes": Key(field="regimes", read=_texts, wants=NAMES),
    "task": Key(field="task", read=_text, wants=NAME),
    "data": Key(field="data", read=_text, wants="a folder", place=folder),
    "model": Key(field="model", read=_text, wants="a folder or a hub name", place=located),
    "revision": Key(field="revision", read=_text, wants=NAME),
    "weights": Key(field="weights", read=_weights, wants=" or ".join(Weights)),
    "lora_targets": Key(field="lora_targets", read=_texts, wants=NAMES),
    "unquantised": Key(field="unquantised", read=_texts, wants=NAMES),
    "pad_token": Key(field="pad_token", read=_text, wants=NAME),
    "seed": Key(field="seeds", read=_seeds, wants=SEEDS),
    "seeds": Key(field="seeds", read=_seeds, wants=SEEDS),
}


def entries(tables: Any, root: Path, file: str) -> tuple[Entry, ...]:
    """The wishes of all tables, in their order; relative folders start at `root`, `file` is named in messages.

    Raises:
        UsageError: not a list of tables, an unknown key, a key given twice, or a value of another type.
    """
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{file}: cases are tables, each under a line [[tool.benchsuite.case]]")
    return tuple(_entry(table, root, f"{file}, [[tool.benchsuite.case]] {n}") for n, table in enumerate(tables, 1))


def _entry(table: Mapping[str, Any], root: Path, where: str) -> Entry:
    fields: dict[str, Any] = {}
    for name, value in table.items():
        key = KEYS.get(name)
        if key is None:
            raise UsageError(f"{where} knows no {name!r}.{near(name, KEYS)} Known: {', '.join(KEYS)}.")
        if key.field in fields:
            raise UsageError(f"{where} has both {key.field[:-1]!r} and {key.field!r}: one is enough, it takes a list")
        if (read := key.read(value)) is None:
            raise UsageError(f"{where}: {name} is {key.wants}, not {value!r}")
        fields[key.field] = key.place(read, root)
    if not fields:
        raise UsageError(f"{where} is empty: it adds nothing. Known keys: {', '.join(KEYS)}.")
    if "revision" in fields and "model" not in fields:
        raise UsageError(f"{where}: a revision is of a model: say model = ... beside it")
    return Entry(**fields)
