"""Where a trial's time goes: the seconds of each phase with its meters, of a whole trial and of one that is timed only.

What the pairs of `benchsuite ab` cost after the first is the second kind.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from selfbench.conftest import wanted

from benchsuite import cases, checkpoints, registry
from benchsuite.fixtures import OPTIONS
from benchsuite.nouns import Case, Job, Phase, Record, Status
from benchsuite.runners.local import LocalRunner


def seconds(marks: list[tuple[str, float]]) -> dict[str, float]:
    """Seconds from each phase's begin to the next one's; a phase that comes twice counts twice."""
    found: dict[str, float] = {}
    for (phase, began), (_, ended) in pairwise(marks):
        found[phase] = found.get(phase, 0.0) + ended - began
    return found


@pytest.mark.benchmark(group="where a trial's time goes")
@pytest.mark.parametrize("lean", [False, True], ids=["whole", "timed only"])
def test_where_a_trials_time_goes(benchmark, capsys, pytestconfig, tmp_path, timed_case, gpu, *, lean):
    """Every phase is told of, from the import of the libraries to the probes."""
    job = _job(pytestconfig.stash[OPTIONS], timed_case, lean=lean)
    marks: list[tuple[str, float]] = []

    def tell(event: Mapping[str, Any]) -> None:
        if "phase" in event:
            marks.append((str(event["phase"]), time.monotonic()))

    (record,) = benchmark.pedantic(lambda: _run(job, gpu, tmp_path, tell), rounds=1)
    assert record.status is Status.OK, record.problem
    marks.append(("end", time.monotonic()))
    found = seconds(marks)
    benchmark.extra_info["phases"] = found
    with capsys.disabled():
        told = ", ".join(f"{phase} {value:.1f}" for phase, value in found.items())
        sys.stdout.write(f"\n{cases.slug(timed_case)}{', timed only' * lean}, seconds: {told}")
    assert found.keys() >= {"import", *(phase.value for phase in Phase)}


def _job(given: Any, case: Case, *, lean: bool) -> Job:
    options = wanted(given)
    return Job(
        cases=(case,), trial=0, pair=None, order=None,
        model_folder=checkpoints.resolve(options, case, len(registry.tasks()[case.task].labels)),
        data=cases.origin(options, case).data, inject="", machine="selfbench", parent_cuda=False, lean=lean,
    )  # fmt: skip


def _run(job: Job, gpu: str, run: Path, tell: Any) -> tuple[Record, ...]:
    (run / "logs").mkdir()
    (run / "records").mkdir()
    return LocalRunner(gpu=gpu).run(job, run, tell)
