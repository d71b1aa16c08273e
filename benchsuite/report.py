"""The page of a run from its records alone: reads them, judges them anew, writes one HTML file. Measures nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from . import cases, judging, runfiles, store
from .nouns import CaseResult, Record, RunResult, SuiteError, UsageError
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
    """A run's records against the baselines as they are now.

    Raises:
        SuiteError: a baseline cannot be trusted, or the published figures are damaged.
    """
    by_case: dict[str, list[Record]] = {}
    for record in records:
        by_case.setdefault(cases.slug(record.case), []).append(record)
    found = tuple(_case(slug, tuple(held), baselines, tolerances) for slug, held in by_case.items())
    machine = records[0].environment.machine if records else ""
    return RunResult(run=name, machine=machine, results=found, published=runfiles.load_published(baselines))


def _case(slug: str, records: tuple[Record, ...], baselines: Path, tolerances: Mapping[str, str]) -> CaseResult:
    path = store.baseline_path(baselines, records[0].environment.machine, slug)
    baseline = store.load_baseline(path) if path.exists() else None
    verdicts = judging.judge(records[0].case, baseline, records, tolerances)
    return CaseResult(slug=slug, case=records[0].case, records=records, baseline=baseline, verdicts=verdicts)


# ---------------------------------------------------------------- earlier runs


def earlier(results: Path, source: Path, records: tuple[Record, ...]) -> History:
    """Figures of the other runs in `results`: of these cases, set up alike, on this machine, with no fault planted."""
    wanted = {_place(record) for record in records}
    runs = sorted(path.parent for path in results.glob("*/records") if not path.parent.is_symlink())
    found: dict[Key, list[Point]] = {}
    for run in [run for run in runs if run.resolve() != source.resolve()][-EARLIER:]:
        alike = [record for record in _readable(run) if _place(record) in wanted and not record.injected]
        for key, point in points(run.name, alike, promoted=False).items():
            found.setdefault(key, []).append(point)
    return found


def _place(record: Record) -> tuple[str, str, str]:
    return cases.slug(record.case), record.digest, record.environment.machine


def _readable(run: Path) -> tuple[Record, ...]:
    try:
        return store.load_run(run)
    except SuiteError:
        # The history leaves a gap where a run is damaged; the report of that run itself says what is wrong.
        return ()
