"""Where the pairs of a call come from: two environments on this machine, or an earlier call's records.

Everything that can be known to be wrong is said before a trial starts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import cases, environment, readiness, store
from ..ab.pairs import MOST
from ..arms import build, python, spec, suite
from ..arms.python import Arm
from ..nouns import Case, Device, Job, Options, Record, Status, SuiteError, UsageError
from ..runners.ahead import Ahead, Seat, room
from ..runners.arm import ArmRunner
from . import conditions, watch
from .order import ARMS, arm_at, arm_of, following
from .rounds import Standing

Show = Callable[[str], AbstractContextManager[Callable[[Mapping[str, Any]], None]]]
LEAST_TIMEOUT = 60.0
PATIENCE = 10
"""Times the longest good trial of a case that a later one may take."""


# ---------------------------------------------------------------- before


def arms(texts: Mapping[str, str], say: Callable[[str], None]) -> dict[str, Arm]:
    """Each arm's Python, built where it is asked for by requirements.

    Raises:
        UsageError: a text that is neither a path nor requirements.
        SuiteError: an environment that is not there, or cannot be resolved or built.
    """
    # All are read before any is built: a slip in B shall not cost A's minutes.
    wanted = {name: spec.parse(text, exists=os.path.exists(os.path.expanduser(text))) for name, text in texts.items()}
    paths = {name: python.find(asked.path) for name, asked in wanted.items() if asked.path}
    pythons = {name: paths.get(name) or build.build(asked, say) for name, asked in wanted.items()}
    return {name: Arm(name=name, text=texts[name], python=str(pythons[name])) for name in texts}


def check(both: Iterable[Arm], environ: Mapping[str, str], gpu: environment.Gpu | None) -> None:
    """Start each environment once and import all that a trial needs; both at a time.

    Raises:
        SuiteError: one does not start, is too old, is broken, or cannot use the GPU.
    """
    each = {arm.python: arm for arm in both}.values()
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda arm: python.check(arm, environ), each))
    for arm in each if gpu else ():
        assert gpu is not None
        environment.check_torch(gpu, arm.python)


def check_cases(wanted: Sequence[Case], gpus: Sequence[environment.Gpu]) -> None:
    """Refuse what cannot be measured in pairs of processes.

    Raises:
        UsageError: cases that share one process.
        SuiteError: no GPU for a case that needs one.
    """
    for case in wanted:
        if case.profile.shared:
            raise UsageError(f"the profile {case.profile.name} shares one process among its cases: no pairs there")
        if case.device is Device.CUDA and not gpus:
            raise SuiteError(
                f"{cases.slug(case)}: no NVIDIA GPU here (NVML finds no driver). Without one: --profile tiny"
            )


# ---------------------------------------------------------------- pairs that are measured


@dataclass(kw_only=True)
class Imports:
    """Seconds that processes took to import together, of which each pair that they serve has its share."""

    now: float = 0.0
    """Before the last pair."""
    each: float = 0.0
    """Of a process, the last time."""

    @property
    def ahead(self) -> float:
        """Of the last pair's seconds those that serve later ones; negative where it was served by an earlier one's."""
        return self.now - len(ARMS) * self.each


@dataclass(frozen=True, kw_only=True)
class Live:
    """Makes pairs by running them."""

    runners: Mapping[str, ArmRunner]
    """By arm."""
    folders: Mapping[str, str]
    """Checkpoints by slug."""
    options: Options
    machine: Callable[[Case], str]
    run: Path
    show: Show
    timeout: float
    """Seconds a trial may take; 0 for the profile's, and later what its like took, many times over."""
    fingerprint: bool = True
    """Whether each arm's first good trial takes the whole record."""
    timed: tuple[str, ...] = ()
    """What every later trial of an arm measures; empty for all that a lean one does."""
    ahead: Ahead = field(default_factory=lambda: Ahead(Path(), wanted=False))
    """Shared by the runners: who waits for the next trials."""
    gpu: str = ""
    """UUID of the device; empty for none."""
    imports: Imports = field(default_factory=Imports)

    def end(self) -> None:
        """Leave nothing running."""
        self.ahead.end()

    def __call__(self, at: Standing) -> tuple[Record, ...]:
        """The next pair of a case, in ABBA order; one record alone where it failed."""
        # Made again in the order of the pair that it stands in for.
        pair = len(at.used)
        made: list[Record] = []
        self._gather(at, pair)
        for place in range(len(ARMS)):
            made.append(self._trial(replace(at, records=(*at.records, *made)), pair, place))
            if made[-1].status is Status.FAILED:
                break
        return tuple(made)

    def _gather(self, at: Standing, pair: int) -> None:
        """Have processes wait for this pair and the next ones, as many as there is room for; none is then at work."""
        self.imports.now = 0.0
        seats = self._seats(at, pair)
        if not self.ahead.missing(seats[: len(ARMS)]):
            return
        began = clock()
        with self.show(f"{len(seats)} processes for the next trials: import"):
            self.ahead.fill(seats)
            self.ahead.gather(self.timeout or at.case.profile.timeout)
        self.imports.now = clock() - began
        self.imports.each = self.imports.now / len(seats)
        if self.gpu and watch.compute_processes(self.gpu):
            # They may hold memory of the device, or be taken for strangers where the driver has other numbers for them.
            self.ahead.end()
            self.ahead.wanted = False

    def _seats(self, at: Standing, pair: int) -> list[Seat]:
        """Whom to wait for the trials from this pair on: as many as are planned; where nothing is timed, one pair's."""
        if not self.ahead.wanted:
            self.imports.each = 0.0
            return []
        pairs = max(1, at.planned - pair) if at.planned else MOST
        count = min(room(), len(ARMS) * (pairs if self.timed else 1))
        return [self.runners[arm].seat(self._job(at, pair, 0)) for arm in following(pair, count)]

    def _job(self, at: Standing, pair: int, place: int) -> Job:
        arm, case = arm_at(pair, place), at.case
        whole = not at.sound(arm)  # the first that is sound has everything that repeats
        return Job(
            cases=(case,), trial=at.attempts, pair=pair, order=place, model_folder=self.folders[cases.slug(case)],
            data=cases.origin(self.options, case).data, inject=self.options.inject, machine=self.machine(case),
            parent_cuda=False, lean=not (self.fingerprint and whole), timed=() if whole else self.timed,
        )  # fmt: skip

    def _trial(self, at: Standing, pair: int, place: int) -> Record:
        arm, case = arm_at(pair, place), at.case
        with self.show(f"{case.regime} {case.profile.name} ({case.model.id}), pair {pair + 1}, {arm}") as tell:
            job = self._job(at, pair, place)
            return self.runners[arm].run(job, self.run, tell, timeout=self._timeout(at))

    def _timeout(self, at: Standing) -> float:
        if self.timeout:
            return self.timeout
        seconds = [record.seconds for record in at.records if record.status is Status.OK]
        longest = at.case.profile.timeout
        return min(longest, max(LEAST_TIMEOUT, PATIENCE * max(seconds))) if seconds else longest


def live(
    wanted: Sequence[Case], options: Options, texts: Mapping[str, str], *, show: Show, timeout: float,
    fingerprint: bool, timed: tuple[str, ...], early: bool, say: Callable[[str], None], start: Callable[[], Path],
) -> Live:  # fmt: skip
    """A field for `wanted` on this machine; nothing is measured yet.

    Args:
        wanted: The cases.
        options: Where inputs lie and on which device.
        texts: What the user asked for, by arm.
        show: Shows a trial's progress.
        timeout: Seconds a trial may take, or 0.
        fingerprint: Whether each arm's first good trial takes the whole record.
        timed: The timed figures; where there are any, they are all that an arm's later trials measure.
        early: Whether processes may import together beforehand, where a GPU is measured.
        say: Told what takes long.
        start: Makes the run's folder, once all is well.

    Raises:
        SuiteError: an environment, the GPU, data or model is not as it must be.
        UsageError: an arm or a case makes no sense.
    """
    cuda = any(case.device is Device.CUDA for case in wanted)
    gpus = environment.gpus() if cuda or options.device else ()
    check_cases(wanted, gpus)
    gpu = environment.choose(gpus, options.device) if cuda else None
    found = arms(texts, say)
    folders = readiness.folders(options, wanted)
    environ = suite.environment(suite.copy())
    check(found.values(), environ, gpu)
    uuid, run = gpu.uuid if gpu else "", start()
    ahead = Ahead(run / "logs", wanted=early and cuda)
    return Live(
        runners={name: ArmRunner(arm=arm, environ=environ, gpu=uuid, ahead=ahead) for name, arm in found.items()},
        folders=folders, options=options, run=run, show=show, timeout=timeout, fingerprint=fingerprint, ahead=ahead,
        timed=(*timed, *conditions.READ) if timed else (), gpu=uuid,
        machine=lambda case: options.machine or environment.machine_slug(gpu if case.device is Device.CUDA else None),
    )  # fmt: skip


# ---------------------------------------------------------------- pairs that were measured


@dataclass(kw_only=True)
class Recorded:
    """Hands out the pairs of an earlier call in their order, and tells the time by what they took."""

    records: tuple[Record, ...]
    now: float = field(default=0.0)

    def __call__(self, at: Standing) -> tuple[Record, ...] | None:
        """The next pair of a case; None where the call ended there."""
        mine = [r for r in self.records if cases.slug(r.case) == cases.slug(at.case) and r.trial == at.attempts]
        self.now += sum(record.seconds for record in mine)
        return tuple(sorted(mine, key=lambda record: record.order or 0)) or None

    def clock(self) -> float:
        """Seconds that the trials handed out so far took."""
        return self.now


def recorded(source: Path) -> tuple[tuple[Case, ...], Recorded]:
    """The cases of an earlier call and its pairs.

    Raises:
        UsageError: the run is of no such call.
        SuiteError: a record cannot be read.
    """
    records = tuple(record for record in store.load_run(source) if arm_of(record))
    if not records:
        raise UsageError(f"{source} holds no pairs of trials: --replay takes the run of an earlier `benchsuite ab`")
    found = {cases.slug(record.case): record.case for record in records}
    return tuple(found.values()), Recorded(records=records)


def clock() -> float:
    """Seconds, for what is measured."""
    return time.monotonic()
