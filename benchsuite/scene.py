"""What a trial has on its table while it runs: the one mutable thing, seen by phases and meters alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .nouns import Case, Examples, Measured, Metric, Phase, Plan, Setting, Transform


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Time as a trial sees it. Tests inject their own."""

    now: Callable[[], float] = time.perf_counter
    """Seconds."""
    sync: Callable[[], None] = lambda: None
    """Waits for the device, so that `now` includes its work."""

    def settled(self) -> float:
        """Seconds, after the device has finished what it was given."""
        self.sync()
        return self.now()


@dataclass(kw_only=True)
class Scene:
    """One case under way."""

    case: Case
    plan: Plan
    setting: Setting
    transforms: tuple[Transform, ...]
    examples: Examples
    labels: tuple[str, ...]
    source: str
    """Folder of the checkpoint."""
    work: str
    """Empty folder for what this trial saves."""
    device: str
    """torch's name of the device."""
    clock: Clock
    progress: Callable[[Mapping[str, Any]], None]
    meters: tuple[Meter, ...] = ()
    tokenizer: Any = None
    model: Any = None
    trainer: Any = None
    rows: Mapping[str, Any] = field(default_factory=dict)
    """Tokenised "train" and "validation" data sets."""
    logits: Any = None
    """Validation rows x classes, float32, from the reloaded model."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Durations that a phase took inside itself, by metric name."""
    batch_seconds: list[float] = field(default_factory=list)
    """Duration of every counted evaluation batch."""
    probed: bool = False
    """Whether the shared probe session has run."""

    @property
    def saved(self) -> str:
        """Folder of what the trial saves."""
        return f"{self.work}/saved"

    @property
    def on_cuda(self) -> bool:
        """Whether the case runs on a GPU."""
        return self.device.startswith("cuda")


class Meter:
    """Measures something across phases. Subclass, one file each, and say `METER = TheClass`.

    A meter owns the metrics that it yields: declared in `metrics`, before anything runs.
    """

    name = ""
    metrics: tuple[Metric, ...] = ()
    early = False
    """Whether it reads nothing of what is saved, reloaded and evaluated: a trial for times alone may leave that out."""
    inner = 0
    """How far inside a step callbacks stand: the larger, the later they hear of its begin and the sooner of its end."""

    def start(self, phase: Phase, scene: Scene) -> None:
        """Called when a phase is about to begin."""

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """Called when it has ended; returns what is now known."""
        return {}

    def callbacks(self, scene: Scene) -> list[Any]:
        """Callbacks for the Trainer, made while the trial prepares."""
        return []
