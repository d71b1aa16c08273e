"""A fresh process for a trial of one arm: another environment's Python, this very copy of the suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import jobs, store
from ..arms.python import Arm
from ..cases import slug
from ..contest.conditions import disturbance
from ..contest.watch import watching
from ..nouns import Job, Record, Status
from .ahead import Ahead, Seat
from .process import Ended, worker_environment

Tell = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class ArmRunner:
    """Runs jobs of one case in an arm's environment."""

    arm: Arm
    environ: Mapping[str, str]
    """What the trials' variables are made from; the suite is on its path."""
    gpu: str
    """UUID of the device for CUDA cases; empty for none."""

    ahead: Ahead
    """Shared among the arms."""

    def seat(self, job: Job) -> Seat:
        """What a process for a job is started with."""
        return Seat(python=self.arm.python, variables=worker_environment(job, self.gpu, self.environ))

    def run(self, job: Job, run: Path, tell: Tell, *, timeout: float) -> Record:
        """The trial's record, on disk before this returns; invalid where something disturbed it.

        Args:
            job: What to measure.
            run: The run's folder.
            tell: Told of the trial's progress.
            timeout: Seconds that it may take.

        Raises:
            SuiteError: the inputs cannot be had, or the results folder cannot be written.
        """
        log = run / "logs" / f"{slug(job.cases[0])}--t{job.trial:02d}-{job.order}.log"
        with watching(self.gpu) as watch:
            worker = self.ahead.worker(self.seat(job), log)
            ended = worker.run(job, timeout=timeout, tell=tell)
            seen = watch.seen()
        reason = disturbance(seen)
        record = _record(job, ended, log)
        if reason is not None and record.status is Status.OK:
            record = replace(record, status=Status.INVALID, problem=reason.note)
        store.save_record(run, record)
        worker.out.unlink(missing_ok=True)
        return record


def _record(job: Job, ended: Ended, log: Path) -> Record:
    (record,) = ended.records or (jobs.failed(job, job.cases[0], ended.problem),)
    problem = f"{record.problem}\nLog: {log.parent.parent.name}/logs/{log.name}" if record.problem else ""
    return replace(record, seconds=ended.seconds, problem=problem)
