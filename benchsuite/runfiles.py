"""What a run reads beside its baselines, and writes beside its records."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import cases, codec, environment, job_summary, known_entries, registry, store
from .history import keep
from .known import FILE, NONE, Accepted
from .nouns import Case, Record, RunResult, Status, SuiteError, UsageError, Verdict


def finished(run: Path, case: Case, *, injected: bool) -> dict[int, Record]:
    """Good trials of this very case that an interrupted run left, made with this very stack."""
    wanted = (cases.digest(case), injected, environment.guarded(environment.packages()))
    return {
        record.trial: record
        for record in store.load_run(run)
        if record.status is Status.OK
        and (record.digest, bool(record.injected), environment.guarded(record.environment.packages)) == wanted
    }


def load_published(baselines: Path) -> Mapping[str, Any]:
    """The published figures, or nothing where the folder has none."""
    path = baselines / "published" / "tesla-t4.json"
    if not path.is_file():
        return {}
    try:
        found = codec.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SuiteError(f"{path} cannot be read: {error}. Restore it from git.") from error
    return found if isinstance(found, dict) else {}


def load_known(baselines: Path) -> Accepted:
    """Accepted deviations as `known.toml` lists them, or none where the folder has no such file.

    Raises:
        UsageError: it cannot be read, or an entry makes no sense.
    """
    path = baselines / FILE
    if not path.exists():
        return NONE
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    found = known_entries.entries(data, str(path))
    known_entries.check(found, registry.metrics(), str(path))
    return Accepted(entries=found, today=datetime.now(UTC).date())


def write_reports(folder: Path, run: RunResult) -> None:
    """verdicts.json, and every reporter that names a file."""
    verdicts: Iterable[Verdict] = [verdict for result in run.results for verdict in result.verdicts]
    store.write_text(folder / "verdicts.json", codec.dumps(codec.encode(list(verdicts))))
    for reporter in registry.reporters().values():
        if reporter.filename:
            store.write_text(folder / reporter.filename, reporter.render(run))


def tell(results: Path, run: RunResult, *, measured: bool) -> list[str]:
    """Adds a run to the history, where it was measured, and to a job's page; what could not be done, a line each."""
    unkept = keep.remember(results, run) if measured else ""
    untold = job_summary.append(registry.reporters()["markdown"].render(run))
    return [line for line in (unkept, untold) if line]
