"""What a run reads beside its baselines, and writes beside its records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from . import cases, codec, environment, registry, store
from .nouns import Case, Record, RunResult, Status, SuiteError, Verdict


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


def write_reports(folder: Path, run: RunResult) -> None:
    """verdicts.json, and every reporter that names a file."""
    verdicts: Iterable[Verdict] = [verdict for result in run.results for verdict in result.verdicts]
    store.write_text(folder / "verdicts.json", codec.dumps(codec.encode(list(verdicts))))
    for reporter in registry.reporters().values():
        if reporter.filename:
            store.write_text(folder / reporter.filename, reporter.render(run))
