"""A fresh process for every trial of every case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import store, worker
from ..cases import slug
from ..nouns import Job, Record
from .process import Ended, left_by, run_worker


@dataclass(frozen=True, kw_only=True)
class LocalRunner:
    """Runs jobs on this machine, each in a process that sees one GPU or none."""

    gpu: str
    """UUID of the device for CUDA cases; empty for none."""

    def run(self, job: Job, run: Path, tell: Callable[[Mapping[str, Any]], None]) -> tuple[Record, ...]:
        """One record a case of the job, each on disk before this returns.

        Raises:
            SuiteError: the inputs cannot be had, or the results folder cannot be written.
        """
        first = job.cases[0]
        log = run / "logs" / f"{slug(first)}--t{job.trial:02d}.log"
        gpu = self.gpu if first.device == "cuda" else ""
        timeout = sum(case.profile.timeout for case in job.cases)
        ended = run_worker(job, log=log, gpu=gpu, timeout=timeout, tell=tell)
        records = _records(job, ended, log)
        for record in records:
            store.save_record(run, record)
        left_by(log).unlink(missing_ok=True)
        return records


def _records(job: Job, ended: Ended, log: Path) -> tuple[Record, ...]:
    made = ended.records or tuple(worker.failed(job, case, ended.problem) for case in job.cases)
    each = ended.seconds / len(made)
    return tuple(replace(record, seconds=each, problem=_with_log(record, log)) for record in made)


def _with_log(record: Record, log: Path) -> str:
    where = f"Log: {log.parent.parent.name}/logs/{log.name}"
    return f"{record.problem}\n{where}" if record.problem else ""
