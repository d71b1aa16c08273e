"""What the meters of a trial add to a timed step, counted: exact, where times of a busy machine say little."""

from __future__ import annotations

import itertools
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from benchsuite import cases, checkpoints, jobs, trial, worker
from benchsuite.nouns import Job, Options, Phase

pytestmark = pytest.mark.slow
STEPS = 12
BOUND = 100
"""Python calls a step; the published protocol's step makes 16,000 in FP32 and 36,000 in QLoRA."""


def calls(folder: Path, *, meters: bool) -> float:
    """Calls of Python and C functions from one training step to the next, as a trial runs them; the median."""
    import transformers

    worker.import_libraries(lambda _: None)
    options = Options(profiles=("tiny",), regimes=("fp32",), steps=STEPS)
    (case,) = cases.cases(options)
    job = Job(
        cases=(case,), trial=0, pair=None, order=None, model_folder=checkpoints.resolve(options, case, 2),
        data=cases.origin(options, case).data, inject="", machine="tests", parent_cuda=False,
    )  # fmt: skip
    scene = jobs.scene_of(job, case, folder, lambda event: sys.stdout.write(json.dumps(event)))
    if not meters:
        scene.meters = ()
    trial.run_phases(scene, (Phase.LOAD, Phase.PREPARE))
    with pytest.MonkeyPatch.context() as patch:
        marks = counting(patch, transformers.Trainer)
        trial.run_phases(scene, (Phase.TRAIN,))
    trial.release(scene)
    assert len(marks) == STEPS
    return statistics.median(b - a for a, b in itertools.pairwise(marks))


def counting(patch: pytest.MonkeyPatch, trainer: Any) -> list[int]:
    """The count of calls at the begin of each training step; counting ends with the last step."""
    marks: list[int] = []
    seen = 0

    def count(_frame: Any, event: str, _arg: Any) -> None:
        nonlocal seen
        seen += event in ("call", "c_call")

    inner = trainer.training_step

    def step(*args: Any, **kwargs: Any) -> Any:
        marks.append(seen)
        sys.setprofile(count if len(marks) < STEPS else None)
        return inner(*args, **kwargs)

    patch.setattr(trainer, "training_step", step)
    return marks


def test_meters_add_next_to_nothing_to_a_step(tmp_path):
    """With all the meters of a trial a step makes less than 100 Python calls more than with none."""
    bare, metered = (calls(Path(tempfile.mkdtemp(dir=tmp_path)), meters=meters) for meters in (False, True))
    assert bare > 20 * BOUND
    assert 0 < metered - bare < BOUND
