"""The page of a run from its records alone: reads them, judges them anew, writes one HTML file. Measures nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from . import cases, known, runfiles, store
from .approved import Approved
from .nouns import Record, RunResult, SuiteError, UsageError
from .page.points import History, Key, Point, points
from .reporters.html import REPORTER

EARLIER = 100
"""Runs beside the reported one whose figures the history shows: the newest."""


def write(name: str, *, results: Path, baselines: Path, out: Path | None, tolerances: Mapping[str, str]) -> Path:
    """Writes the page of the run that `name` means, by default beside its records, and says where.

    Raises:
        UsageError: there is no such run, or it holds no records.
        SuiteError: a record or baseline cannot be read, or the page cannot be written.
    """
    source = store.resolve_run(name, results)
    records = store.load_run(source)
    if not records:
        raise UsageError(f"{source} holds no records yet: nothing to report. Measure first, or name another run.")
    run = judged(source.stem if source.is_file() else source.name, records, baselines, tolerances)
    page = REPORTER.render(run, earlier(results, source, records))
    path = out or (source.with_suffix(".html") if source.is_file() else source / REPORTER.filename)
    store.write_text(path, page)
    return path


def judged(name: str, records: tuple[Record, ...], baselines: Path, tolerances: Mapping[str, str]) -> RunResult:
    """A run's records against the baselines, the calibrated noise and the known deviations as they are now.

    Raises:
        SuiteError: a baseline cannot be trusted, or the published figures are damaged.
    """
    approved, accepted = Approved(baselines), runfiles.load_known(baselines)
    by_case: dict[str, list[Record]] = {}
    for record in records:
        by_case.setdefault(cases.slug(record.case), []).append(record)
    found = tuple(
        approved.judged(
            held[0].environment.machine, held[0].case, tuple(held), tolerances=tolerances, accepted=accepted
        )
        for held in by_case.values()
    )
    machine = records[0].environment.machine if records else ""
    return RunResult(
        run=name, machine=machine, results=found, published=runfiles.load_published(baselines),
        remarks=known.remarks(accepted, found),
    )  # fmt: skip


# ---------------------------------------------------------------- earlier runs


def earlier(results: Path, source: Path, records: tuple[Record, ...]) -> History:
    """Figures of the other runs in `results`: of these cases, set up alike, on this machine, with no fault planted."""
    wanted = {_place(record) for record in records}
    folders = (path.parent for path in results.glob("[!.]*/records"))  # dotted: a copy that was cut off
    runs = sorted(folder for folder in folders if not folder.is_symlink())
    found: dict[Key, list[Point]] = {}
    for run in [run for run in runs if run.resolve() != source.resolve()][-EARLIER:]:
        alike = [record for record in _readable(run) if _place(record) in wanted and _counts(record)]
        for key, point in points(run.name, alike, promoted=False).items():
            found.setdefault(key, []).append(point)
    return found


def _place(record: Record) -> tuple[str, str, str]:
    return cases.slug(record.case), record.digest, record.environment.machine


def _counts(record: Record) -> bool:
    """Whether a record is a trial of the stack as it was: no fault planted, and no arm of `benchsuite ab`."""
    return not record.injected and record.pair is None


def _readable(run: Path) -> tuple[Record, ...]:
    try:
        return store.load_run(run)
    except SuiteError:
        # The history leaves a gap where a run is damaged; the report of that run itself says what is wrong.
        return ()
