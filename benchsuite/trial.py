"""Runs one case through its phases, under injected meters and clock. Holds the only timed loop.

Phases do; meters measure; neither judges. What would disturb a measurement waits for the probe
phase, which comes after every time and memory metric is closed.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from . import builders
from .nouns import Measured, Phase
from .relay import relay
from .scene import Meter, Scene

FIRST_HALF = (Phase.LOAD, Phase.PREPARE, Phase.TRAIN, Phase.SAVE)
SECOND_HALF = (Phase.RELOAD, Phase.EVALUATE, Phase.TEARDOWN, Phase.PROBE)
EARLY = (Phase.LOAD, Phase.PREPARE, Phase.TRAIN, Phase.TEARDOWN, Phase.PROBE)


def needed(meters: Collection[Meter]) -> tuple[Phase, ...]:
    """The phases of a trial with these meters: all, or those that none of them can do without."""
    return EARLY if meters and all(meter.early for meter in meters) else (*FIRST_HALF, *SECOND_HALF)


def run_phases(scene: Scene, phases: Iterable[Phase]) -> dict[str, Measured]:
    """Run `phases` in order; return what the scene's meters learnt, by metric name.

    Meters are stopped in the reverse order of their start, so that the first one spans the others.
    """
    found: dict[str, Measured] = {}
    for phase in phases:
        scene.progress({"phase": phase.value})
        for meter in scene.meters:
            meter.start(phase, scene)
        STEPS[phase](scene)
        for meter in reversed(scene.meters):
            found.update(meter.stop(phase, scene))
    return found


def load(scene: Scene) -> None:
    """Tokenizer, rows and model."""
    began = scene.clock.now()
    scene.tokenizer = builders.load_tokenizer(scene.source, scene.setting)
    scene.rows = {
        "train": builders.tokenise(scene.tokenizer, scene.examples.train, scene.plan),
        "validation": builders.tokenise(scene.tokenizer, scene.examples.validation, scene.plan),
    }
    scene.seconds["time.tokenise"] = scene.clock.now() - began
    began = scene.clock.settled()
    scene.model = _fresh_model(scene)
    scene.seconds["time.load"] = scene.clock.settled() - began


def _fresh_model(scene: Scene, folder: str = "") -> Any:
    return builders.load_model(
        folder or scene.source, plan=scene.plan, setting=scene.setting, transforms=scene.transforms,
        labels=scene.labels, device=scene.device,
    )  # fmt: skip


def prepare(scene: Scene) -> None:
    """Transforms, then the Trainer with the meters' callbacks."""
    scene.model = builders.prepare_model(scene.model, setting=scene.setting, transforms=scene.transforms)
    meters = sorted(scene.meters, key=lambda meter: meter.inner)
    callbacks = [callback for meter in meters for callback in meter.callbacks(scene)]
    scene.trainer = builders.make_trainer(scene, [relay(callbacks)])


def train(scene: Scene) -> None:
    """The whole of `Trainer.train`, with its evaluation after each epoch, as the published time has it."""
    began = scene.clock.settled()
    scene.trainer.train()
    scene.seconds["time.train"] = scene.clock.settled() - began


def save(scene: Scene) -> None:
    """What `Trainer.save_model` leaves: a checkpoint, or an adapter. The trained model is then let go of."""
    scene.trainer.save_model(scene.saved)
    if not scene.case.profile.shared:
        release(scene)


def reload(scene: Scene) -> None:
    """The saved model, built from files alone. Nothing of the training stays, but in the shared profile."""
    began = scene.clock.settled()
    scene.model = saved_model(scene)
    scene.seconds["time.reload"] = scene.clock.settled() - began


def saved_model(scene: Scene) -> Any:
    """What was saved, as a model: a whole one, or the checkpoint's with the saved adapter on it."""
    if not any(transform.adapter for transform in scene.transforms):
        return _fresh_model(scene, scene.saved)
    model = _fresh_model(scene)
    return builders.restore_model(model, scene.saved, setting=scene.setting, transforms=scene.transforms)


def release(scene: Scene) -> None:
    """Let go of model and Trainer, and give cached device memory back."""
    scene.model = scene.trainer = None
    gc.collect()
    if scene.on_cuda:
        import torch

        torch.cuda.empty_cache()


def evaluate(scene: Scene) -> None:
    """Logits of every validation row from the reloaded model; each batch after the warm-up is timed."""
    import torch

    model = scene.model.eval()
    rows = scene.rows["validation"]
    with torch.no_grad(), autocast(scene):
        for batch in _batches(scene, rows, limit=scene.case.profile.latency_warmup):
            _logits(model, batch, scene)
        outputs = []
        for batch in _batches(scene, rows):
            began = scene.clock.settled()
            outputs.append(_logits(model, batch, scene))
            scene.batch_seconds.append(scene.clock.settled() - began)
    scene.logits = torch.cat(outputs)


def autocast(scene: Scene) -> AbstractContextManager[Any]:
    """Autocast as the plan trains, or nothing."""
    if not scene.plan.autocast:
        return nullcontext()
    import torch

    dtype = getattr(torch, scene.plan.autocast)
    context: AbstractContextManager[Any] = torch.autocast(device_type=scene.device.split(":")[0], dtype=dtype)
    return context


def _batches(scene: Scene, rows: Any, limit: int | None = None) -> Iterator[Mapping[str, Any]]:
    size = scene.case.profile.eval_batch
    starts = list(range(0, len(rows), size))
    for start in starts if limit is None else starts[:limit]:
        batch = {k: v for k, v in rows[start : start + size].items() if k != "labels"}
        yield scene.tokenizer.pad(batch, return_tensors="pt")


def _logits(model: Any, batch: Mapping[str, Any], scene: Scene) -> Any:
    moved = {name: tensor.to(scene.device) for name, tensor in batch.items()}
    return model(**moved).logits.float().cpu()


def teardown(scene: Scene) -> None:
    """Let go of everything; what stays allocated now is a leak, or a workspace."""
    if not scene.case.profile.shared:
        release(scene)


def probe(scene: Scene) -> None:
    """Nothing of its own: meters that disturb do their work here."""


STEPS: Mapping[Phase, Callable[[Scene], None]] = {
    Phase.LOAD: load,
    Phase.PREPARE: prepare,
    Phase.TRAIN: train,
    Phase.SAVE: save,
    Phase.RELOAD: reload,
    Phase.EVALUATE: evaluate,
    Phase.TEARDOWN: teardown,
    Phase.PROBE: probe,
}
