"""A job measured in this process: its scenes built, its cases taken through their phases, a record of each.

A case that fails leaves a record that says why. The libraries are imported already.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import __version__, cases, checkpoints, environment, injection, plans, registry, trial
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

Progress = Callable[[Mapping[str, Any]], None]
Measurements = tuple[dict[str, Measured], str]


def run(job: Job, progress: Progress, seconds: float, work: Path) -> tuple[Record, ...]:
    """Measure every case of the job in this process; one record a case.

    Args:
        job: What to measure.
        progress: Told of what is done.
        seconds: What the import of the libraries took.
        work: Folder for checkpoints and the like.

    Raises:
        SuiteError: the job's inputs cannot be had.
    """
    problem = injection.plant(job.inject)
    if problem:
        return tuple(failed(job, case, problem) for case in job.cases)
    scenes = [scene_of(job, case, work, progress) for case in job.cases]
    for scene in scenes:
        scene.seconds["time.import"] = seconds
    began = datetime.now(UTC).isoformat(timespec="seconds")
    outcomes = _measure_all(scenes)
    return tuple(_record(job, s, began, *o) for s, o in zip(scenes, outcomes, strict=True))


def scene_of(job: Job, case: Case, work: Path, progress: Progress) -> Scene:
    """A case ready to be measured in a folder of its own below `work`; nothing of it is loaded.

    Raises:
        SuiteError: this process does not see one GPU alone, or the inputs cannot be had.
    """
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
        meters=meters_for(lean=job.lean or case.profile.lean, timed=job.timed),
    )  # fmt: skip


def meters_for(*, lean: bool, timed: Collection[str]) -> tuple[Meter, ...]:
    """The meters of a trial: all but those that probe where it is lean, and of `timed` those that tell any of it."""
    from .meters._probing import ProbeMeter

    kinds = [kind for kind in registry.meters().values() if not (lean and issubclass(kind, ProbeMeter))]
    return tuple(kind() for kind in kinds if not timed or any(metric.name in timed for metric in kind.metrics))


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
