"""Records a sitting: processes one after another, each measuring every arm; on disk after each.

Several import their libraries at once, which touches no device, and then wait their turn: none is at work while another
measures, as `benchsuite ab` has it too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import cases, checkpoints, codec, environment, registry
from ..nouns import SCHEMA, Case, Device, Job, Options, SuiteError
from ..runners.ahead import room
from ..runners.endings import kill_tree
from ..runners.process import worker_environment
from . import sittings
from .recorder import Read, Task, Units
from .script import arms, rounds
from .sittings import Sitting, Values

TAIL = 1500
"""Characters of a failed process's stderr that are shown."""


@dataclass(kw_only=True)
class Process:
    """A recorded process: started, then told to measure."""

    task: Task
    gpu: str
    log: Path
    running: subprocess.Popen[bytes] = field(init=False)
    late: threading.Event = field(init=False)
    """Set where it was killed for taking too long."""

    def __post_init__(self) -> None:
        self.late = threading.Event()
        with self.log.open("wb") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "benchsuite.power.recorder"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log, env=worker_environment(self.task.job, self.gpu), start_new_session=True,
            )  # fmt: skip
        self._say(json.dumps(codec.encode(self.task)))

    def _say(self, line: str) -> None:
        assert self.running.stdin is not None
        try:
            self.running.stdin.write(f"{line}\n".encode())
            self.running.stdin.flush()
        except BrokenPipeError:
            raise SuiteError(self._death()) from None

    def wait_ready(self) -> None:
        """Until its libraries are imported.

        Raises:
            SuiteError: it died first.
        """
        self._until("ready")

    def measure(self) -> Read:
        """Let it measure.

        Raises:
            SuiteError: it died first.
        """
        self._say("go")
        return codec.decode(Read, self._until("read"))

    def _until(self, key: str) -> Any:
        assert self.running.stdout is not None
        timer = threading.Timer(self.timeout, self._kill)
        timer.start()
        try:
            for line in self.running.stdout:
                event = json.loads(line)
                if key in event:
                    return event[key]
        finally:
            timer.cancel()
        raise SuiteError(self._death())

    @property
    def timeout(self) -> float:
        """Seconds that it may take to become ready, and to measure: those of its case's profile."""
        return self.task.job.cases[0].profile.timeout

    def _kill(self) -> None:
        self.late.set()
        self.running.kill()

    def _death(self) -> str:
        if self.late.is_set():
            return f"a recorded process was killed after {self.timeout:.0f} s: it hung, or the machine is far too slow"
        return f"a recorded process ended with {self.running.wait()}:\n{self.log.read_text(errors='replace')[-TAIL:]}"

    def end(self) -> None:
        """Leave nothing of it behind."""
        kill_tree(self.running)
        if self.running.stdout is not None:
            self.running.stdout.close()


def record_all(options: Options, *, count: int, folder: Path, say: Callable[[str], None]) -> None:
    """Record a sitting of each case that the options select, one after another.

    Raises:
        SuiteError: no GPU for a case that needs one, a process died, or a sitting cannot be written.
    """
    found = environment.gpus()
    for case in cases.cases(options):
        if case.device is Device.CUDA and not found:
            raise SuiteError(
                f"{cases.slug(case)}: no NVIDIA GPU here ({environment.hidden()}). Without one: --profile tiny"
            )
    for case in cases.cases(options):
        gpu = environment.choose(found, options.device) if case.device is Device.CUDA else None
        machine = options.machine or environment.machine_slug(gpu)
        path = record(options, case, machine=machine, gpu=gpu.uuid if gpu else "", count=count, folder=folder, say=say)
        say(f"recorded: {path}")


def record(
    options: Options, case: Case, *, machine: str, gpu: str, count: int, folder: Path, say: Callable[[str], None]
) -> Path:
    """Record `count` processes of a case; the path of the sitting, which grows with each.

    Args:
        options: Whose model and data to take.
        case: What to train; its profile's number of steps is not used.
        machine: Its name.
        gpu: UUID of the device; empty for none.
        count: Processes.
        folder: Of the baselines.
        say: Tells a person how far it is.

    Raises:
        SuiteError: a process died, or the sitting cannot be written; what was recorded before stays.
    """
    label = f"{case.regime} {case.profile.name}"
    first = Task(job=_job(options, case, machine), number=0, rounds=0, units=None)
    with tempfile.TemporaryDirectory(prefix="benchsuite-") as name:
        log = Path(name)
        units, packages, notes = _sized(first, gpu, log)
        say(
            f"{label}: a clean step takes {units.device * 1e3:.3f} ms of the device, {units.host * 1e3:.3f} of the host"
        )
        each = rounds(len(arms(case.device)), max(units.device, units.host))
        sitting = _empty(case, machine, units, packages, notes)
        path = Path()
        for number, (read, seconds) in enumerate(_reads(replace(first, units=units, rounds=each), gpu, count, log), 1):
            sitting = _grown(sitting, read, seconds)
            path = sittings.write(folder, sitting)
            say(f"{label}: process {number} of {count}, {seconds:.1f} s")
    return path


def _job(options: Options, case: Case, machine: str) -> Job:
    return Job(
        cases=(case,), trial=0, pair=None, order=None,
        model_folder=checkpoints.resolve(options, case, len(registry.tasks()[case.task].labels)),
        data=cases.origin(options, case).data, inject="", machine=machine, parent_cuda=False,
    )  # fmt: skip


def _sized(task: Task, gpu: str, log: Path) -> tuple[Units, dict[str, str], dict[str, str]]:
    process = Process(task=task, gpu=gpu, log=log / "sizing.log")
    try:
        process.wait_ready()
        read = process.measure()
    finally:
        process.end()
    packages = environment.guarded(environment.packages())
    notes = {"device": read.device, "cpu": environment.cpu_model()}
    return read.units, packages, notes


def _reads(task: Task, gpu: str, count: int, log: Path) -> Iterator[tuple[Read, float]]:
    """What each process read and how long it took; none is at work while another measures."""
    together = max(1, room())
    for first in range(0, count, together):
        numbers = range(first, min(first + together, count))
        waiting = [Process(task=replace(task, number=n), gpu=gpu, log=log / f"{n}.log") for n in numbers]
        try:
            for process in waiting:
                process.wait_ready()
            for process in waiting:
                began = time.monotonic()
                read = process.measure()
                yield read, time.monotonic() - began
                process.end()
        finally:
            for process in waiting:
                process.end()


def _empty(case: Case, machine: str, units: Units, packages: dict[str, str], notes: dict[str, str]) -> Sitting:
    every = arms(case.device)
    return Sitting(
        schema=SCHEMA, machine=machine, case=cases.slug(case), started=datetime.now(UTC).isoformat(timespec="seconds"),
        packages=packages, notes=notes, arms=tuple(arm.name for arm in every),
        effects={arm.name: arm.effect for arm in every},
        places={arm.name: arm.place.value for arm in every}, units=_units(case, units), seconds=(), values={},
    )  # fmt: skip


def _units(case: Case, units: Units) -> dict[str, float]:
    device = {"device": sittings.rounded(units.device)} if case.device is Device.CUDA else {}
    return {**device, "host": sittings.rounded(units.host)}


def _grown(sitting: Sitting, read: Read, seconds: float) -> Sitting:
    values: dict[str, Values] = {
        name: (*sitting.values.get(name, ()), tuple(tuple(map(sittings.rounded, blocks)) for blocks in each))
        for name, each in read.values.items()
    }
    return replace(sitting, seconds=(*sitting.seconds, round(seconds, 1)), values=values)
