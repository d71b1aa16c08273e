"""Finds the records that a user means by one word: a run, a record, a baseline, or a folder of either.

Reads through `store`, and writes nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

from . import store
from .files import read_json
from .nouns import Record, SuiteError, UsageError

GIVE = "give a run's folder or name, a record, a baseline, or a folder of records or baselines"
AGAIN = f"For a comparison {GIVE}."


def records(text: str, results: Path) -> tuple[Record, ...]:
    """All trials of what `text` names.

    Args:
        text: "latest", a run's name in `results`, or the path of a run, record, baseline, or folder of them.
        results: Folder of the runs.

    Raises:
        UsageError: there is nothing of that name, or it holds no records.
        SuiteError: a file cannot be read, or is neither a record nor a baseline.
    """
    found = _found(text, results)
    if not found:
        raise UsageError(f"{text!r} holds no records; {GIVE}")
    return found


def _found(text: str, results: Path) -> tuple[Record, ...]:
    # os.path rather than Path: it takes any text a user may give, however long or odd.
    if text != "latest" and os.path.isfile(text):
        return _file(Path(text))
    loose = os.path.isdir(text) and not os.path.isdir(os.path.join(text, "records"))
    files = sorted(path for path in Path(text).glob("*.json") if path.name != store.NOISE) if loose else []
    if text != "latest" and files:
        return tuple(record for path in files for record in _file(path))
    return store.load_run(store.resolve_run(text, results))


def _file(path: Path) -> tuple[Record, ...]:
    data = read_json(path, AGAIN)
    if "trials" in data:
        return store.load_baseline(path).trials
    if "case" not in data:
        raise SuiteError(f"{path} is neither a record nor a baseline. {AGAIN}")
    return (store.load_record(path),)
