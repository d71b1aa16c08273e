"""`python -m benchsuite.worker --out FILE`: a job as JSON on stdin, its records as JSON in FILE.

The libraries are imported before the job is read, so that a process can be started while another measures, and wait.
One process, one device. Progress goes to stdout as one JSON object a line; whatever the libraries
print goes to stderr. A case that fails leaves a record that says why; exit 0 then too. Exit 2 is for
an unfit environment, with the message on stderr's last line.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import __version__, cases, checkpoints, codec, environment, injection, plans, registry, store, trial
from .nouns import (
    SCHEMA,
    Case,
    Device,
    Examples,
    Job,
    Measured,
    Phase,
    Predictions,
    Provenance,
    Record,
    Setting,
    Status,
    SuiteError,
)
from .scene import Clock, Meter, Scene

LIBRARIES = ("torch", "transformers", "datasets", "accelerate", "peft", "bitsandbytes")
Progress = Callable[[Mapping[str, Any]], None]


def main(argv: list[str] | None = None) -> int:
    """Run the job on stdin; see the module."""
    parser = argparse.ArgumentParser(prog="python -m benchsuite.worker", description=__doc__)
    parser.add_argument("--out", required=True, help="file for the records")
    out = Path(parser.parse_args(argv).out)
    progress = _progress()
    seconds = import_libraries(progress)
    progress({"ready": True})
    text = sys.stdin.read()
    if not text:  # nobody needs it any more, or is there any more
        return 0
    try:
        records = run(codec.decode(Job, codec.loads(text)), progress, seconds)
    except SuiteError as error:
        traceback.print_exc()
        progress({"error": str(error)})
        return SuiteError.exit_code
    store.write_text(out, codec.dumps(codec.encode(list(records))))
    return 0


def _progress() -> Progress:
    """Keep the real stdout for progress and send everybody else's prints to stderr."""
    pipe = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def tell(event: Mapping[str, Any]) -> None:
        print(json.dumps(event), file=pipe)

    return tell


def run(job: Job, progress: Progress, seconds: float) -> tuple[Record, ...]:
    """Measure every case of the job in this process; one record a case.

    Args:
        job: What to measure.
        progress: Told of what is done.
        seconds: What the import of the libraries took.

    Raises:
        SuiteError: the job's inputs cannot be had.
    """
    problem = injection.plant(job.inject)
    if problem:
        return tuple(failed(job, case, problem) for case in job.cases)
    with tempfile.TemporaryDirectory(prefix="benchsuite-") as work:
        scenes = [_scene(job, case, Path(work), progress) for case in job.cases]
        for scene in scenes:
            scene.seconds["time.import"] = seconds
        began = datetime.now(UTC).isoformat(timespec="seconds")
        outcomes = _measure_all(scenes)
        return tuple(_record(job, s, began, *o) for s, o in zip(scenes, outcomes, strict=True))


def import_libraries(progress: Progress) -> float:
    """Import the guarded libraries; seconds taken."""
    progress({"phase": "import"})
    began = time.perf_counter()
    for name in LIBRARIES:
        importlib.import_module(name)
    import transformers

    seconds = time.perf_counter() - began
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return seconds


def _scene(job: Job, case: Case, work: Path, progress: Progress) -> Scene:
    import torch

    cuda = case.device is Device.CUDA
    if cuda and torch.cuda.device_count() != 1:
        raise SuiteError(f"a trial must see exactly one GPU, this one sees {torch.cuda.device_count()}")
    task = registry.tasks()[case.task]
    transforms = registry.regimes()[case.regime]
    folder = job.model_folder or str(checkpoints.EMBEDDED_FOLDER)
    own = work / cases.slug(case)
    own.mkdir()
    setting = Setting(
        model=case.model, profile=case.profile, device=case.device, seed=case.seed,
        capability=tuple(torch.cuda.get_device_capability(0)) if cuda else None,
    )  # fmt: skip
    plan = plans.plan_for(transforms, setting)
    from . import builders

    adapted = any(transform.adapter for transform in transforms)
    setting = builders.resolve(setting, folder, quantised=bool(plan.quantisation), adapted=adapted)
    return Scene(
        case=case, plan=plans.plan_for(transforms, setting), setting=setting, transforms=transforms,
        examples=task.load(job.data, case.profile.train_rows), labels=task.labels, source=folder, work=str(own),
        device="cuda:0" if cuda else "cpu",
        clock=Clock(sync=torch.cuda.synchronize) if cuda else Clock(),
        progress=lambda event: progress({"case": cases.slug(case), **event}),
        meters=_meters(lean=job.lean or case.profile.lean, timed=job.timed),
    )  # fmt: skip


def _meters(*, lean: bool, timed: Collection[str]) -> tuple[Meter, ...]:
    from .meters._probing import ProbeMeter

    kinds = [kind for kind in registry.meters().values() if not (lean and issubclass(kind, ProbeMeter))]
    return tuple(kind() for kind in kinds if not timed or any(metric.name in timed for metric in kind.metrics))


Measurements = tuple[dict[str, Measured], str]


def _measure_all(scenes: list[Scene]) -> list[Measurements]:
    """Measure each scene alone, or all in the published order: every training first, then every evaluation."""
    if not any(scene.case.profile.shared for scene in scenes):
        return [_measure(scene, trial.needed(scene.meters)) for scene in scenes]
    first = [_measure(scene, trial.FIRST_HALF) for scene in scenes]
    done = []
    for scene, (metrics, problem) in zip(scenes, first, strict=True):
        more, late = ({}, problem) if problem else _measure(scene, trial.SECOND_HALF)
        done.append(({**metrics, **more}, late))
    return done


def _measure(scene: Scene, phases: tuple[Phase, ...]) -> Measurements:
    """What the meters learnt, and why the case failed, in words, if it did."""
    found: dict[str, Measured] = {}
    try:
        for phase in phases:
            found.update(trial.run_phases(scene, (phase,)))
    except Exception as error:  # noqa: BLE001 - whatever a library raises is this case's result, told in its record
        traceback.print_exc()
        return found, explain_failure(error, phase)
    return found, _divergence(found)


def explain_failure(error: Exception, phase: Phase) -> str:
    """One sentence for a person; the traceback is in the trial's log."""
    text = str(error).strip().splitlines()
    first = text[0] if text else ""
    if type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError):
        return f"out of memory in {phase}: {first} Free the device, or take a smaller profile or model."
    if isinstance(error, SuiteError):
        return f"{phase}: {error}"
    return f"{type(error).__name__} in {phase}: {first or 'no message'}"


def _divergence(found: Mapping[str, Measured]) -> str:
    from .meters.curves import LOSS, diverged

    loss = found.get(LOSS.name)
    at = diverged(loss.value) if loss else None
    if loss is None or at is None:
        return ""
    return (
        f"training diverged: the loss is {loss.value[at]} from logged value {at + 1} of {len(loss.value)} on. "
        "Look at the learning rate and at the dtypes in the record's module map."
    )


def _record(job: Job, scene: Scene, began: str, found: Mapping[str, Measured], problem: str) -> Record:
    declared = registry.metrics()
    structured = {name for name in found if declared[name].unit == ""}
    invalid = "the parent process holds a CUDA context: run trials before any test that uses CUDA in-process"
    status = Status.FAILED if problem else Status.INVALID if job.parent_cuda else Status.OK
    return Record(
        schema=SCHEMA, suite=__version__, case=scene.case, digest=cases.digest(scene.case), trial=job.trial,
        pair=job.pair, order=job.order, started=began, seconds=0.0, status=status,
        problem=problem or (invalid if status is Status.INVALID else ""),
        environment=environment.describe(scene.case.device, job.machine),
        provenance=provenance(scene.case, scene.examples, scene.source),
        injected=injection.label(job.inject),
        metrics={k: found[k] for k in sorted(found.keys() - structured)},
        fingerprint={k: found[k].value for k in sorted(structured)},
        predictions=_predictions(scene),
        readings={k: declared[k].reading for k in sorted(found) if declared[k].reading != 1},
    )  # fmt: skip


def provenance(case: Case, examples: Examples, folder: str) -> Provenance:
    """What the inputs were, by digests over rows and tensors."""
    kind, digest = checkpoints.provenance(folder, case)
    return Provenance(data=examples.provenance, data_digest=examples.digest, weights=kind, weights_digest=digest)


def _predictions(scene: Scene) -> Predictions:
    if scene.logits is None:
        return Predictions(labels=(), logits=())
    rows = tuple(tuple(round(x, 7) for x in row) for row in scene.logits.tolist())
    return Predictions(labels=scene.examples.validation.labels, logits=rows)


def failed(job: Job, case: Case, problem: str) -> Record:
    """The record of a case whose worker left none: made by the parent."""
    return Record(
        schema=SCHEMA, suite=__version__, case=case, digest=cases.digest(case), trial=job.trial, pair=job.pair,
        order=job.order, started=datetime.now(UTC).isoformat(timespec="seconds"), seconds=0.0, status=Status.FAILED,
        problem=problem, environment=environment.bare(job.machine),
        provenance=Provenance(data="", data_digest="", weights="", weights_digest=""),
        injected=injection.label(job.inject), metrics={}, fingerprint={},
        predictions=Predictions(labels=(), logits=()),
    )  # fmt: skip


if __name__ == "__main__":
    code = main()
    # With these libraries' objects the collector took 1.3 to 1.7 s to end the process; nothing of that is measured.
    gc.freeze()
    sys.exit(code)
