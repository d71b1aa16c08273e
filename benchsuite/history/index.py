"""The index of all runs: `results/history.sqlite`, the only reader and writer of it.

A convenience over the records, from which it can be made anew: a run never fails for its sake. Two runs
that end at once take turns. The journal is SQLite's own and no write-ahead log, which needs memory that
processes share and so no network's disk.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from benchsuite.files import reason
from benchsuite.nouns import SuiteError

from .entries import Entry, Figure, Point, typical

NAME = "history.sqlite"
SCHEMA = 1
APPLICATION = 0x62656E63
"""Says in the file's head whose it is: "benc"."""
PATIENCE = 30.0
"""Seconds to wait for another run's turn."""
REBUILD = "Make it anew from the records: benchsuite history --rebuild"
TABLES = """
CREATE TABLE entries (
    id TEXT PRIMARY KEY, run TEXT NOT NULL, machine TEXT NOT NULL, slug TEXT NOT NULL, definition TEXT NOT NULL,
    inputs TEXT NOT NULL, started TEXT NOT NULL, suite TEXT NOT NULL, packages TEXT NOT NULL,
    hardware TEXT NOT NULL, injected TEXT NOT NULL, problem TEXT NOT NULL
);
CREATE TABLE figures (
    entry TEXT NOT NULL REFERENCES entries ON DELETE CASCADE, metric TEXT NOT NULL, unit TEXT NOT NULL,
    trials TEXT NOT NULL, outcome TEXT NOT NULL, reading INTEGER NOT NULL, PRIMARY KEY (entry, metric)
) WITHOUT ROWID;
CREATE INDEX by_metric ON figures (metric)
"""
T = TypeVar("T")


class DamagedError(SuiteError):
    """The file is no index that this version can use: it can only be made anew."""


def place(results: Path) -> Path:
    """Where the index of these results lies."""
    return results / NAME


# ---------------------------------------------------------------- writing


def add(results: Path, entries: Iterable[Entry]) -> tuple[str, ...]:
    """Adds entries, in place of what their run had said of the same case; names of runs that hold copies are returned.

    The same trials under another run's name (judged again, or downloaded twice) are not added.

    Raises:
        SuiteError: the index is damaged, of a newer schema, or cannot be written.
    """
    with _writing(place(results)) as db:
        return tuple(run for entry in entries if (run := _add(db, entry)))


def _add(db: sqlite3.Connection, entry: Entry) -> str:
    db.execute("DELETE FROM entries WHERE run=? AND machine=? AND slug=?", (entry.run, entry.machine, entry.case))
    there = db.execute("SELECT run FROM entries WHERE id=?", (entry.id,)).fetchone()
    if there:
        return str(there[0])
    db.execute(
        "INSERT INTO entries VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        (entry.id, entry.run, entry.machine, entry.case, entry.definition, json.dumps(dict(entry.inputs)),
         entry.started, entry.suite, json.dumps(dict(entry.packages)), json.dumps(dict(entry.hardware)),
         entry.injected, entry.problem),
    )  # fmt: skip
    db.executemany(
        "INSERT INTO figures VALUES (?,?,?,?,?,?)",
        [(entry.id, f.metric, f.unit, json.dumps(f.values), f.outcome, f.reading) for f in entry.figures],
    )
    return ""


def rebuild(results: Path, entries: Sequence[Entry]) -> None:
    """Makes the index anew: `entries`, and what runs have added since those were read.

    Raises:
        SuiteError: it cannot be written.
    """
    try:
        with _writing(place(results)) as db:
            _renew(db, results, entries)
    except DamagedError:
        _replace(results, entries)


def _renew(db: sqlite3.Connection, results: Path, entries: Sequence[Entry]) -> None:
    read = {entry.run for entry in entries}
    for (run,) in db.execute("SELECT DISTINCT run FROM entries").fetchall():
        if run in read or not (results / run / "records").is_dir():
            db.execute("DELETE FROM entries WHERE run=?", (run,))
    for entry in entries:
        _add(db, entry)


def _replace(results: Path, entries: Sequence[Entry]) -> None:
    path, fresh = place(results), results / f".{NAME}.{secrets.token_hex(4)}.tmp"
    try:
        with _writing(fresh) as db:
            _renew(db, results, entries)
        # A journal of the old file must not be taken for the new one's.
        path.with_name(f"{NAME}-journal").unlink(missing_ok=True)
        os.replace(fresh, path)
    except OSError as error:
        raise SuiteError(f"cannot write {path}: {reason(error)}. Free space or mend its rights.") from error
    finally:
        fresh.unlink(missing_ok=True)


# ---------------------------------------------------------------- reading


def entries(results: Path) -> tuple[Entry, ...]:
    """Every case of every run, oldest first, without its figures; empty where there is no index.

    Raises:
        SuiteError: the index is damaged or of a newer schema.
    """
    return _rows(results, _entry, "SELECT * FROM entries ORDER BY started, run, slug")


def points(results: Path, metric: str = "*", *, case: str = "*", machine: str = "*") -> tuple[Point, ...]:
    """What runs measured of a metric, oldest first; empty where there is no index.

    Runs with a planted fault are among them, and say so in `injected`; trials that failed have no points.

    Args:
        results: Folder of the runs.
        metric: A metric's name, or a glob ("vram.*").
        case: Glob on the case's slug.
        machine: Glob on the machine's name.

    Raises:
        SuiteError: the index is damaged or of a newer schema.
    """
    asked = (
        "SELECT entries.*, metric, unit, trials, outcome, reading FROM figures JOIN entries ON entry=id"
        " WHERE metric GLOB ? AND slug GLOB ? AND machine GLOB ? ORDER BY metric, started, run, slug"
    )
    return _rows(results, _point, asked, metric, case, machine)


def metrics(results: Path) -> tuple[str, ...]:
    """Names of all metrics that the index has a point of, sorted.

    Raises:
        SuiteError: the index is damaged or of a newer schema.
    """
    return _rows(results, lambda row: str(row[0]), "SELECT DISTINCT metric FROM figures ORDER BY metric")


def _entry(row: Sequence[Any], figures: tuple[Figure, ...] = ()) -> Entry:
    identity, run, machine, slug, definition, inputs, started, suite, packages, hardware, injected, problem = row
    return Entry(
        id=identity, run=run, machine=machine, case=slug, definition=definition, inputs=json.loads(inputs),
        started=started, suite=suite, packages=json.loads(packages), hardware=json.loads(hardware),
        injected=injected, problem=problem, figures=figures,
    )  # fmt: skip


def _point(row: Sequence[Any]) -> Point:
    *head, metric, unit, trials, outcome, reading = row
    of = _entry(head)
    values = tuple(json.loads(trials))
    return Point(
        metric=metric, unit=unit, run=of.run, machine=of.machine, case=of.case, started=of.started, suite=of.suite,
        packages=of.packages, hardware=of.hardware, definition=of.definition, inputs=of.inputs, reading=reading,
        injected=of.injected, value=typical(values), values=values,
        outcome=outcome,
    )  # fmt: skip


def _rows(results: Path, make: Callable[[Sequence[Any]], T], asked: str, *words: str) -> tuple[T, ...]:
    path = place(results)
    if not path.exists():
        return ()
    # Never written here, but what a killed run left half done can only be undone with the right to write.
    with _told(path), closing(_connected(path, "rw")) as db:
        # All rows at once: a statement that is left half read holds its lock after the connection is closed.
        return tuple(map(make, db.execute(asked, words).fetchall())) if _ours(db, path) else ()


# ---------------------------------------------------------------- the file


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    address = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=PATIENCE, isolation_level=None)


@contextmanager
def _writing(path: Path) -> Iterator[sqlite3.Connection]:
    """A transaction on the index, made where it is not there: all of it, or nothing."""
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(_connected(path, "rwc")) as db:
            db.execute("PRAGMA foreign_keys=ON")
            db.execute("BEGIN IMMEDIATE")
            if not _ours(db, path):
                _create(db)
            yield db
            db.execute("COMMIT")


def _create(db: sqlite3.Connection) -> None:
    for statement in TABLES.split(";"):
        db.execute(statement)
    db.execute(f"PRAGMA user_version={SCHEMA}")
    db.execute(f"PRAGMA application_id={APPLICATION}")


def _ours(db: sqlite3.Connection, path: Path) -> bool:
    """Whether it has our tables; False for a new file. Another's, or one of a newer schema, is damaged to us."""
    schema, owner = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id"))
    if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return False
    if owner != APPLICATION:
        raise DamagedError(f"{path} is no index of benchsuite's. Move it away, or: benchsuite history --rebuild")
    if schema > SCHEMA:
        raise DamagedError(
            f"{path} was written by a newer benchsuite (schema {schema}, this one reads {SCHEMA}): upgrade benchsuite."
        )
    return True


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Whatever is wrong with the file is told in one sentence."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "no such" in str(error):
            raise DamagedError(f"{path} is damaged ({error}). {REBUILD}") from error
        raise SuiteError(
            f"cannot use {path}: {error}. Free space, mend its rights, or wait for the run that holds it."
        ) from error
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise DamagedError(f"{path} is damaged ({error}). {REBUILD}") from error
    except OSError as error:
        raise SuiteError(f"cannot use {path}: {reason(error)}. Free space or mend its rights.") from error
