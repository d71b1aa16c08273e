"""What the fingerprint's meters share: short declarations, and a base class for those that probe.

A probe that crashes must lose neither the trial nor the other meters: each of its metrics then
holds the crash as a text, which no judge takes for the value it should be.
"""

from __future__ import annotations

import sys
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ..nouns import JSON, Better, Kind, Measured, Metric, Phase, Role
from ..scene import Meter, Scene

CPU = ("cpu_capability", "threads")
"""What moves the last bits on a CPU: absent from a GPU case's hardware, and so no condition there."""


def exact(name: str, title: str, **more: Any) -> Metric:
    """A structure that must be the same run for run."""
    return Metric(name=name, unit="", kind=Kind.EXACT, concern="fingerprint", title=title, **more)


def shown(name: str, title: str, **more: Any) -> Metric:
    """A structure that says why something else moved, and fails nothing."""
    return exact(name, title, role=Role.EXPLAIN, **more)


def count(name: str, title: str, **more: Any) -> Metric:
    """How often something happens in a training step; fewer is better."""
    return Metric(name=name, unit="1", kind=Kind.COUNT, concern="work", title=title, better=Better.LOWER, **more)


def crash(error: BaseException, folder: str = "") -> str:
    """A crash as a value: class and first line of the message, in which `folder`, of a name drawn anew, is "SAVED"."""
    said = str(error).replace(folder, "SAVED") if folder else str(error)
    first = (said.strip().splitlines() or ["no message"])[0]
    return f"crash: {type(error).__name__}: {first}"[:300]


def caught(error: Exception) -> Exception:
    """`error`, its traceback told in the trial's log."""
    traceback.print_exception(error, file=sys.stderr)
    return error


def apart(name: str, title: str, absolute: float, relative: float = 0.0, **more: Any) -> Metric:
    """Numbers that may lie so far apart: how far is told by measurements, noted where it is declared."""
    return Metric(
        name=name, unit="", kind=Kind.QUALITY, judge="distance", concern="fingerprint", title=title, relative=relative,
        absolute=absolute, **more,
    )  # fmt: skip


class ProbeMeter(Meter, ABC):
    """A meter that measures in the probe phase alone, without a model. Subclasses say how in `probe`."""

    in_shared = False
    """Whether it may run where one process holds every case's model (the profile `notebook`)."""

    @abstractmethod
    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """The values by metric name."""

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.PROBE or (scene.case.profile.shared and not self.in_shared):
            return {}
        return guarded(lambda: self.probe(scene), self.metrics)


class SessionMeter(ProbeMeter):
    """A probing meter that looks at the model built anew in `probe.session`, which all of them share.

    Each hook is called once, in this order; one that raises makes the meter's values a crash and
    concerns no other meter.
    """

    def __init__(self) -> None:
        self.problem: Exception | None = None

    def loading(self, scene: Scene) -> AbstractContextManager[Any]:
        """What to put around the loading of the model."""
        return nullcontext()

    def loaded(self, scene: Scene) -> None:
        """`scene.model` was just loaded, and is not prepared."""

    def prepared(self, scene: Scene) -> None:
        """`scene.model` is prepared for training; to be left as it is found."""

    def begins(self, scene: Scene) -> None:
        """A training step of whichever meter begins; called at each, before any instrument is in place."""

    def instrument(self, scene: Scene) -> AbstractContextManager[Any] | None:
        """What to put around one training step of this meter's own; asked at that step's begin."""
        return None

    def between(self, scene: Scene) -> AbstractContextManager[Any] | None:
        """What to put around one stretch of this meter's own, from a training step's end to the next one's begin."""
        return None

    def trained(self, scene: Scene) -> None:
        """The instrumented steps are over; `scene.trainer` still stands."""

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.PROBE or (scene.case.profile.shared and not self.in_shared):
            return {}
        from .. import probe

        probe.session(scene)
        return guarded(lambda: self._result(scene), self.metrics)

    def _result(self, scene: Scene) -> Mapping[str, JSON]:
        if self.problem is not None:
            raise self.problem
        return self.probe(scene)


def evaluate_some(scene: Scene, trainer: Any) -> None:
    """Have a Trainer evaluate one batch on its way: most steps of a real training come after an evaluation."""
    rows = scene.rows["validation"]
    trainer.evaluate(eval_dataset=rows.select(range(min(len(rows), scene.case.profile.eval_batch))))


def guarded(measure: Callable[[], Mapping[str, JSON]], metrics: tuple[Metric, ...]) -> dict[str, Measured]:
    """What `measure()` returns by metric name; if it raises, the crash as the value of every one of `metrics`."""
    try:
        found = measure()
    except Exception as error:  # noqa: BLE001 - whatever a library raises is what was measured, told in the record
        found = dict.fromkeys((metric.name for metric in metrics), crash(caught(error)))
    return {name: Measured(value=value) for name, value in found.items()}
