"""One model built anew and one short training, shared by all meters that probe.

Rebuilding costs more than looking, so the meters take turns: a step of the training each, and a stretch between
two steps. None of this is timed, and none of the trial's own steps is instrumented.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from . import builders
from .meters._probing import SessionMeter, caught, evaluate_some
from .scene import Scene
from .trial import release

WARMUP = 1
"""Steps before the first instrument: optimizer state and lazy set-up are made there."""
Asked = Callable[[SessionMeter], AbstractContextManager[Any] | None]
"""Asks a meter for an instrument."""


def session(scene: Scene) -> None:
    """Run the session, unless it has run. Errors end in the meters they concern, never here."""
    if scene.probed:
        return
    scene.probed = True
    meters = [meter for meter in scene.meters if isinstance(meter, SessionMeter)]
    try:
        with ExitStack() as watched:
            _each(meters, lambda meter: watched.enter_context(meter.loading(scene)))
            load(scene)
        _each(meters, lambda meter: meter.loaded(scene))
        prepare(scene)
        _each(meters, lambda meter: meter.prepared(scene))
        train(scene, meters)
        _each(meters, lambda meter: meter.trained(scene))
    except Exception as error:  # noqa: BLE001 - told in the record, as the value of every metric that needed this
        caught(error)
        for meter in meters:
            meter.problem = meter.problem or error
    finally:
        release(scene)


def _each(meters: list[SessionMeter], hook: Callable[[SessionMeter], None]) -> None:
    for meter in meters:
        if meter.problem is None:
            with noted(meter):
                hook(meter)


@contextmanager
def noted(meter: SessionMeter) -> Iterator[None]:
    """Errors inside become the meter's problem."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever a library raises is what this meter measured
        meter.problem = caught(error)


def load(scene: Scene) -> None:
    """The model as it stood after loading."""
    scene.model = builders.load_model(
        scene.source, plan=scene.plan, setting=scene.setting, transforms=scene.transforms, labels=scene.labels,
        device=scene.device,
    )  # fmt: skip


def prepare(scene: Scene) -> None:
    """The model as it stood before training."""
    scene.model = builders.prepare_model(scene.model, setting=scene.setting, transforms=scene.transforms)


def train(scene: Scene, meters: list[SessionMeter]) -> None:
    """A step to warm up and an evaluation; then one for each instrument, and between steps a stretch for each other."""
    turns = [meter for meter in meters if type(meter).instrument is not SessionMeter.instrument]
    stretches = [meter for meter in meters if type(meter).between is not SessionMeter.between]
    steps = short(WARMUP + max(len(turns), len(stretches)))
    callback = _turns(scene, turns, stretches, meters)
    scene.trainer = builders.make_trainer(scene, [callback], looked_into=True, **steps)
    scene.trainer.train()


def short(steps: int) -> dict[str, Any]:
    """`TrainingArguments` for a training of so many steps that says nothing and evaluates nothing."""
    return {"max_steps": steps, "eval_strategy": "no", "logging_strategy": "no"}


def _turns(
    scene: Scene, meters: list[SessionMeter], stretches: list[SessionMeter], everyone: list[SessionMeter]
) -> Any:
    from transformers import TrainerCallback

    class Turns(TrainerCallback):  # type: ignore[misc]
        """Puts each meter's instruments around its own step and stretch, with the garbage collector at rest."""

        running: tuple[SessionMeter, AbstractContextManager[Any]] | None = None

        def on_step_begin(self, args: Any, state: Any, control: Any, **__: Any) -> None:
            self.end()
            _each(everyone, lambda meter: meter.begins(scene))
            self.begin(meters, state.global_step, lambda meter: meter.instrument(scene))

        def on_step_end(self, args: Any, state: Any, control: Any, **__: Any) -> None:
            self.end()
            if state.global_step == WARMUP:
                evaluate_some(scene, scene.trainer)
            self.begin(stretches, state.global_step, lambda meter: meter.between(scene))

        def on_train_end(self, *_: Any, **__: Any) -> None:
            self.end()

        def begin(self, turns: list[SessionMeter], steps: int, ask: Asked) -> None:
            """Let in the one whose turn it is after so many steps."""
            turn = steps - WARMUP
            if not (0 <= turn < len(turns)) or turns[turn].problem is not None:
                return
            gc.disable()
            with noted(turns[turn]):
                instrument = ask(turns[turn])
                if instrument is not None:
                    self.running = turns[turn], instrument
                    instrument.__enter__()

        def end(self) -> None:
            if self.running is not None:
                meter, instrument = self.running
                with noted(meter):
                    instrument.__exit__(None, None, None)
            self.running = None
            gc.enable()

    return Turns()
