"""Fills the index: with a run that ends, with one from elsewhere, or anew from all records."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchsuite import codec, registry, store
from benchsuite.cases import slug
from benchsuite.nouns import Record, RunResult, SuiteError, UsageError

from . import index
from .entries import Entry, entry

VERDICTS = "verdicts.json"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What became of runs."""

    cases: int
    runs: int
    left_out: tuple[str, ...]
    """A line for each run that is not in the index, with the reason."""


def remember(results: Path, run: RunResult) -> str:
    """Adds a run that was measured; why that could not be done, or nothing. It never fails a run."""
    metrics = registry.metrics()
    found = [
        entry(run.run, case.slug, case.records, {v.metric: v.outcome.value for v in case.verdicts}, metrics)
        for case in run.results
        if case.records
    ]
    try:
        index.add(results, found)
    except SuiteError as error:
        return f"this run is not in the history: {error}"
    return ""


# ---------------------------------------------------------------- runs on disk


def read(run: Path) -> tuple[Entry, ...]:
    """The entries of a run's folder: its records, and what its verdicts.json says of them.

    Raises:
        SuiteError: a file cannot be read.
        UsageError: it holds no records, or those of `benchsuite ab`, where two environments share a run.
    """
    records = store.load_run(run)
    if not records:
        raise UsageError(f"{run} holds no records")
    if any(record.pair is not None for record in records):
        raise UsageError(f"{run} holds pairs of two environments: history keeps runs of one")
    said, metrics = _outcomes(run / VERDICTS), registry.metrics()
    return tuple(
        entry(run.name, name, trials, said.get(name, {}), metrics) for name, trials in _by_case(records).items()
    )


def _by_case(records: Iterable[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(slug(record.case), []).append(record)
    return found


def _outcomes(path: Path) -> Mapping[str, Mapping[str, str]]:
    """What was said of each metric, by case: nothing where a run was never judged to its end."""
    found: dict[str, dict[str, str]] = {}
    try:
        for verdict in codec.loads(path.read_text(encoding="utf-8")) if path.is_file() else ():
            found.setdefault(verdict["case"], {})[verdict["metric"]] = verdict["outcome"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise SuiteError(f"{path} cannot be read: {error}. Delete it to go without verdicts.") from error
    return found


def rebuild(results: Path) -> Kept:
    """Makes the index anew from all runs in `results`; a run that cannot be read is left out and told.

    Raises:
        SuiteError: the index cannot be written.
    """
    found: list[Entry] = []
    left_out = []
    for run in _runs(results):
        try:
            found += read(run)
        except SuiteError as error:
            left_out.append(f"{run.name}: {error}")
    index.rebuild(results, found)
    return Kept(cases=len(found), runs=len({e.run for e in found}), left_out=tuple(left_out))


def _runs(folder: Path) -> list[Path]:
    """Runs in a folder by name, which begins with their time: a run comes before what was judged of it again."""
    # What a killed copy left begins with a dot.
    runs = (path.parent for path in folder.glob("*/records") if path.is_dir())
    return sorted(run for run in runs if run.name != "latest" and not run.name.startswith("."))


# ---------------------------------------------------------------- from elsewhere


def bring(texts: Sequence[str], results: Path) -> Kept:
    """Adds runs by folder, by name, or all of a folder; a run from elsewhere is copied beside the others.

    Raises:
        UsageError: there is no such run, or another of its name.
        SuiteError: a file cannot be read or written.
    """
    there = {entry.id: entry.run for entry in index.entries(results)}
    # All are read before the first is copied: a mistake in the last leaves nothing half done.
    given = [(run, read(run)) for text in texts for run in _named(text, results)]
    left_out: list[str] = []
    added: list[Entry] = []
    for run, found in given:
        if copies := _copies(run, found, there, results):
            left_out.append(f"{run.name}: the same trials are there as {', '.join(copies)}")
            continue
        _copy(run, results)
        index.add(results, found)
        added += found
    return Kept(cases=len(added), runs=len({e.run for e in added}), left_out=tuple(left_out))


def _named(text: str, results: Path) -> Iterator[Path]:
    loose = os.path.isdir(text) and not os.path.isdir(os.path.join(text, "records"))
    runs = _runs(Path(text)) if loose else []
    for run in (path.resolve() for path in runs or [store.resolve_run(text, results)]):
        if run.is_file():
            raise UsageError(f"{run} is one record: give its run's folder")
        yield run


def _copies(run: Path, found: Sequence[Entry], there: Mapping[str, str], results: Path) -> list[str]:
    """Runs in the index that have the same trials; none for a run of `results` itself, which is read again."""
    home = results / run.name
    if home.exists() and home.samefile(run):
        return []
    copies = sorted({there[e.id] for e in found if e.id in there})
    if home.exists() and run.name not in copies:
        raise UsageError(f"{results} has another run {run.name}: rename one of them")
    return copies


def _copy(run: Path, results: Path) -> None:
    if (results / run.name).exists():
        return
    fresh = results / f".{run.name}.{secrets.token_hex(4)}.tmp"
    try:
        shutil.copytree(run, fresh, symlinks=True)
        os.replace(fresh, results / run.name)
    except (OSError, shutil.Error) as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise SuiteError(f"cannot copy {run} into {results}: {error}") from error
