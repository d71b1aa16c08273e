"""A fresh process for every trial of every case."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import jobs, store
from ..cases import slug
from ..nouns import Device, Job, Phase, Record, SuiteError
from ._runner import Tell
from .ahead import Ahead, Seat
from .process import Ended, worker_environment


@dataclass(frozen=True, kw_only=True)
class LocalRunner:
    """Runs jobs on this machine, each in a process that sees one GPU or none."""

    gpu: str
    """UUID of the device for CUDA cases; empty for none."""
    ahead: Ahead = field(default_factory=lambda: Ahead(Path(), wanted=False))
    """Who may wait for the jobs to come; by default nobody."""

    def seat(self, job: Job) -> Seat:
        """What a process for a job is started with."""
        gpu = self.gpu if job.cases[0].device is Device.CUDA else ""
        return Seat(python=sys.executable, variables=worker_environment(job, gpu))

    def run(self, job: Job, run: Path, tell: Tell, then: Job | None = None) -> tuple[Record, ...]:
        """One record a case of the job, each on disk before this returns.

        Raises:
            SuiteError: the inputs cannot be had, or the results folder cannot be written.
        """
        log = run / "logs" / f"{slug(job.cases[0])}--t{job.trial:02d}.log"
        process = self.ahead.worker(self.seat(job), log)

        def told(event: Mapping[str, Any]) -> None:
            if then is not None and untimed(job, event):
                self._start(then)
            tell(event)

        ended = process.run(job, timeout=sum(case.profile.timeout for case in job.cases), tell=told)
        records = _records(job, ended, log)
        for record in records:
            store.save_record(run, record)
        process.out.unlink(missing_ok=True)
        return records

    def _start(self, then: Job) -> None:
        seats = [self.seat(then)]
        self.ahead.keep(seats)
        # No reason to lose the trial that is nearly done: where the next one cannot start either, it tells.
        with contextlib.suppress(SuiteError):
            self.ahead.fill(seats)


def untimed(job: Job, event: Mapping[str, Any]) -> bool:
    """Whether an event says that nothing of the job is timed any more."""
    return event.get("phase") == Phase.PROBE and event.get("case") == slug(job.cases[-1])


def _records(job: Job, ended: Ended, log: Path) -> tuple[Record, ...]:
    made = ended.records or tuple(jobs.failed(job, case, ended.problem) for case in job.cases)
    each = ended.seconds / len(made)
    return tuple(replace(record, seconds=each, problem=_with_log(record, log)) for record in made)


def _with_log(record: Record, log: Path) -> str:
    where = f"Log: {log.parent.parent.name}/logs/{log.name}"
    return f"{record.problem}\n{where}" if record.problem else ""
