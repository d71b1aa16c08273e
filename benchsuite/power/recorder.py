"""`python -m benchsuite.power.recorder`: one process that measures every arm in turns.

The first line of stdin is its task; it imports all libraries, says that it is ready, and waits for the second line
before it touches the device, so that one process can start while another measures.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from .. import builders, codec, jobs, trial, worker
from ..meters import steps as step_meter
from ..meters.kernels import COPIES
from ..nouns import Case, Device, Job, Phase
from ..scene import Scene
from .script import BLOCK, HOST, KERNEL, STEP, Arm, Mode, Place, Step, arms, sizing, steps

DELAY = "spin_kernel"
"""Part of the name of torch's kernel that only waits; it opens each step, and tells them apart in a profile."""
TRIAL_CYCLES = 20_000_000


@dataclass(frozen=True, kw_only=True)
class Units:
    """How long a clean step is, in seconds; what effects are relative to."""

    device: float
    host: float
    cycles: float
    """Of the device a second, as fast as it runs after a training."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a process is told."""

    job: Job
    number: int
    """Of the process in its sitting."""
    rounds: int
    units: Units | None
    """None for the process that finds them out."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """What a process read: by metric, arms x counted steps, seconds."""

    values: Mapping[str, tuple[tuple[float, ...], ...]]
    units: Units
    """Of this process's clean arm."""
    device: str
    """What the device calls itself."""


def main() -> None:
    """See the module."""
    tell = worker.progress_pipe()
    task = codec.decode(Task, codec.loads(sys.stdin.readline()))
    worker.import_libraries(tell)
    tell({"ready": True})
    if not sys.stdin.readline():
        return
    with tempfile.TemporaryDirectory(prefix="benchsuite-") as work:
        read = recorded(task, Path(work), tell)
    tell({"read": codec.encode(read)})


def recorded(task: Task, work: Path, tell: Callable[[Mapping[str, Any]], None]) -> Read:
    """Train the job's case step by step as scripted, and read every arm.

    Cycles are counted after the training of the process that sizes the delays, when the device is at its pace.
    """
    (case,) = task.job.cases
    cuda = case.device is Device.CUDA
    every = arms(case.device) if task.units else arms(case.device)[:1]
    script = _script(task, len(every), profiled=cuda)
    scene = jobs.scene_of(replace(task.job, cases=(shortened(case, len(script)),)), case, work, tell)
    scene.meters = ()
    trial.run_phases(scene, (Phase.LOAD, Phase.PREPARE))
    player = _player(scene, script, _planter(scene, every, task.units))
    options: dict[str, Any] = {"max_steps": len(script), "eval_strategy": "no", "logging_strategy": "no"}
    scene.trainer = builders.make_trainer(scene, [player], **options)
    scene.trainer.train()
    scene.clock.sync()
    values = _timed(script, player.marks, len(every))
    if cuda:
        values |= {KERNEL: _by_arm(script, delayed(player.events()), len(every))}
    device = median(values[KERNEL][0]) if cuda else 0.0
    cycles = task.units.cycles if task.units else _cycles(scene)
    units = Units(device=device, host=median(values[HOST][0]), cycles=cycles)
    return Read(values=values, units=units, device=_name(scene))


def _script(task: Task, count: int, *, profiled: bool) -> tuple[Step, ...]:
    if task.units is None:
        return sizing(profiled=profiled)
    return steps(count, number=task.number, rounds=task.rounds, profiled=profiled)


def _name(scene: Scene) -> str:
    import torch

    return torch.cuda.get_device_name(0) if scene.on_cuda else "CPU"


def shortened(case: Case, count: int) -> Case:
    """The case with as many rows as the steps take: tokenising more would take longer than the steps."""
    rows = count * case.profile.train_batch
    return replace(case, profile=replace(case.profile, max_steps=count, train_rows=rows))


# ---------------------------------------------------------------- delays


def _planter(scene: Scene, every: Sequence[Arm], units: Units | None) -> Callable[[int], None]:
    """A function that delays by an arm's number."""
    of = units or Units(device=0.0, host=0.0, cycles=0.0)
    waits = [arm.effect * of.host if arm.place is Place.HOST else 0.0 for arm in every]
    spins = [int(arm.effect * of.device * of.cycles) if arm.place is Place.DEVICE else 0 for arm in every]
    if not scene.on_cuda:
        return lambda arm: busy(waits[arm])
    import torch

    def plant(arm: int) -> None:
        torch.cuda._sleep(1 + spins[arm])
        busy(waits[arm])

    return plant


def busy(seconds: float) -> None:
    """Keep this thread's core busy; nothing at all for 0."""
    if seconds:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            pass


def _cycles(scene: Scene) -> float:
    """Cycles a second of the kernel that waits."""
    if not scene.on_cuda:
        return 0.0
    import torch

    for _ in range(2):
        began = step_meter._event_mark()
        torch.cuda._sleep(TRIAL_CYCLES)
        ended = step_meter._event_mark()
        torch.cuda.synchronize()
    return TRIAL_CYCLES / step_meter._seconds(began, ended)


# ---------------------------------------------------------------- steps


def _player(scene: Scene, script: Sequence[Step], plant: Callable[[int], None]) -> Any:
    from transformers import TrainerCallback

    mark = step_meter._event_mark if scene.on_cuda else scene.clock.now
    profiler = _profiler() if scene.on_cuda else None
    first = next((i for i, step in enumerate(script) if step.mode is Mode.PROFILED), None)

    class Player(TrainerCallback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.marks: list[tuple[Any, Any, float]] = []

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            if profiler is not None and len(self.marks) == first:
                scene.clock.sync()
                profiler.start()
            self.began, self.used = mark(), time.process_time()
            plant(script[len(self.marks)].arm)

        def on_step_end(self, *_: Any, **__: Any) -> None:
            self.marks.append((self.began, mark(), time.process_time() - self.used))
            if profiler is not None and len(self.marks) == len(script):
                scene.clock.sync()
                profiler.stop()

        def events(self) -> list[tuple[str, int, int]]:
            return _device_events(profiler)

    return Player()


def _profiler() -> Any:
    from torch.profiler import ProfilerActivity, profile

    return profile(activities=[ProfilerActivity.CUDA])


def _device_events(profiler: Any) -> list[tuple[str, int, int]]:
    """Name, begin and duration (ns) of all that the device did."""
    import torch

    return [
        (event.name(), event.start_ns(), event.duration_ns())
        for event in profiler.profiler.kineto_results.events()
        if event.device_type() == torch.autograd.DeviceType.CUDA and not event.is_user_annotation()
    ]


def delayed(events: Sequence[tuple[str, int, int]]) -> list[float]:
    """Kernel seconds of each step, the delay that opens it among them; copies and fills are not kernels."""
    found: list[float] = []
    for name, _, duration in sorted(events, key=lambda event: event[1]):
        if DELAY in name:
            found.append(0.0)
        if found and not name.startswith(COPIES):
            found[-1] += duration / 1e9
    return found


def _timed(
    script: Sequence[Step], marks: Sequence[tuple[Any, Any, float]], count: int
) -> dict[str, tuple[tuple[float, ...], ...]]:
    where = [i for i, step in enumerate(script) if step.mode is Mode.TIMED]
    found: dict[str, list[list[float]]] = {STEP: [[] for _ in range(count)], HOST: [[] for _ in range(count)]}
    for start in range(0, len(where), BLOCK):
        block = where[start : start + BLOCK]
        arm = script[block[0]].arm
        found[STEP][arm] += (step_meter._seconds(*marks[i][:2]) for i in block[1:])
        found[HOST][arm] += (marks[i][2] for i in block[1:])
    return {name: tuple(map(tuple, values)) for name, values in found.items()}


def _by_arm(script: Sequence[Step], values: Sequence[float], count: int) -> tuple[tuple[float, ...], ...]:
    own = [step.arm for step in script if step.mode is Mode.PROFILED]
    assert len(own) == len(values), f"{len(values)} steps were told apart in a profile of {len(own)}"
    return tuple(tuple(v for arm, v in zip(own, values, strict=True) if arm == wanted) for wanted in range(count))


if __name__ == "__main__":
    main()
