"""One run of the suite: from cases to records, verdicts and files. Used by the plugin and the command alike.

Cases are measured when first asked for, and once. Everything that can be known to be wrong is said in
`preflight`, before a minute of GPU time is spent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from . import (
    adding,
    cases,
    compare,
    environment,
    estimates,
    known,
    readiness,
    runfiles,
    store,
)
from .approved import Approved
from .ground import Ground
from .nouns import (
    Baseline,
    Case,
    CaseResult,
    Estimate,
    Job,
    Options,
    Record,
    RunResult,
    Status,
    SuiteError,
)
from .runners._runner import Runner, Tell
from .runners.ahead import BESIDE_PROBES, Ahead, cores
from .runners.local import LocalRunner
from .runners.replay import ReplayRunner

Show = Callable[[str], AbstractContextManager[Tell]]
"""Given a trial's label, a context in which its progress is shown."""


class Session:
    """Options, and what has been measured under them so far."""

    def __init__(self, options: Options, show: Show, *, parent_cuda: Callable[[], bool] = lambda: False) -> None:
        self.options = options
        self.show = show
        self.parent_cuda = parent_cuda
        # Resolved before this run's own folder becomes the latest.
        self.source = store.resolve_run(options.replay, Path(options.results)) if options.replay else None
        there = store.load_run(self.source) if self.source else ()
        self.ground = Ground(options, there)
        self.cases = cases.held(there, options) if self.source else cases.cases(options)
        self.run: Path | None = None
        self.errors: dict[str, SuiteError] = {}
        self._folders: dict[str, str] = {}
        self.approved = Approved(Path(options.baselines))
        self._records: dict[str, tuple[Record, ...]] = {}
        self._results: dict[str, CaseResult] = {}
        self.selected: tuple[Case, ...] = ()
        self._known = known.NONE
        self.asides: list[str] = []
        """What could not be done beside the run, and fails nothing."""
        self._ahead: Ahead | None = None

    # ------------------------------------------------------------ before

    def preflight(self, selected: Sequence[Case]) -> None:
        """Check everything that `selected` needs, and make the run's folder.

        Raises:
            SuiteError: something is wrong with GPU, driver, data, model, baselines or results folder.
            UsageError: something is wrong with a tolerance or an accepted deviation.
        """
        self.selected = tuple(selected)
        if not selected:
            return
        readiness.check_words(self.options)
        self._known = runfiles.load_known(Path(self.options.baselines))
        for case in selected:
            self.baseline(case)
            self.approved.noise(self.ground.machine(case), case)
            self.approved.siblings(self.ground.machine(case), case)
        if not self.options.replay:
            self._check_inputs(selected)
        self.run = self._run_folder()

    def _check_inputs(self, selected: Sequence[Case]) -> None:
        gpu = next((gpu for case in selected if (gpu := self.ground.gpu(case))), None)
        if gpu is not None:
            environment.check_torch(gpu)
        self._folders = readiness.folders(self.options, selected)

    def _run_folder(self) -> Path:
        results = Path(self.options.results)
        if self.options.resume:
            return store.resolve_run("latest", results)
        run = store.new_run(results, now=datetime.now(UTC))
        store.mark_latest(results, run)
        return run

    def baseline(self, case: Case) -> Baseline | None:
        """The approved baseline of a case on its machine, or None.

        Raises:
            SuiteError: the file is there and cannot be trusted.
        """
        return self.approved.baseline(self.ground.machine(case), case)

    def estimate(self, selected: Sequence[Case]) -> Estimate:
        """Trials and seconds that `selected` will take at most: from the baselines' own trials where there are any."""
        return estimates.estimate([(case, self.baseline(case)) for case in selected], self.options.trials_max)

    # ------------------------------------------------------------ measuring

    def records(self, case: Case) -> tuple[Record, ...]:
        """All trials of a case; measured at the first call.

        Raises:
            SuiteError: the inputs cannot be had.
        """
        name = cases.slug(case)
        if name in self.errors:
            raise self.errors[name]
        if name not in self._records:
            try:
                self._measure(self._together(case))
            except SuiteError as error:
                self.errors[name] = error
                raise
        return self._records[name]

    def _together(self, case: Case) -> tuple[Case, ...]:
        """The cases that share a process with `case`: its other regimes where the profile is shared, else itself."""
        if not case.profile.shared:
            return (case,)
        return tuple(other for other in self.selected if cases.alike(other, case))

    def _measure(self, together: tuple[Case, ...]) -> None:
        assert self.run is not None, "preflight comes first"
        finished = self._finished(together[0]) if self.options.resume else {}
        made = [self._trial(together, trial, finished, "") for trial in range(together[0].profile.trials)]
        while len(made) < self._most(together[0]) and (open_ := self._undecided(together, made)):
            made.append(self._trial(together, len(made), finished, adding.why(open_)))
        for i, case in enumerate(together):
            self._records[cases.slug(case)] = tuple(records[i] for records in made)

    def _trial(
        self, together: tuple[Case, ...], trial: int, finished: Mapping[int, Record], added: str
    ) -> tuple[Record, ...]:
        assert self.run is not None
        if trial in finished and len(together) == 1:
            return (finished[trial],)
        job, then = self._job(together, trial), self._then(together, trial, finished)
        with self.show(adding.label(together, trial, self._most(together[0]), added)) as tell:
            return self._runner(together[0]).run(job, self.run, tell, then)

    def _then(self, together: tuple[Case, ...], trial: int, finished: Collection[int]) -> Job | None:
        """What follows on the same device: another trial of these cases, or the first of the next ones selected."""
        open_ = [later for later in range(trial + 1, together[0].profile.trials) if later not in finished]
        if open_:
            return self._job(together, open_[0])
        done = {*self._records, *self.errors, *map(cases.slug, together)}
        left = [c for c in self.selected if c.device is together[0].device and cases.slug(c) not in done]
        return self._job(self._together(left[0]), 0) if left else None

    def _most(self, case: Case) -> int:
        """Trials up to which a case goes on by itself; a replay cannot make any that its source lacks."""
        return min(self.options.trials_max, len(self.ground.replayed(case))) if self.source else self.options.trials_max

    def _undecided(self, together: tuple[Case, ...], made: Sequence[tuple[Record, ...]]) -> tuple[str, ...]:
        """Metrics of cases that share a process which another trial may decide; none where a trial failed."""
        if any(record.status is not Status.OK for records in made for record in records):
            return ()
        told = (self._judged(case, tuple(records[i] for records in made)) for i, case in enumerate(together))
        return tuple(dict.fromkeys(name for result in told for name in adding.undecided(result.verdicts)))

    def _finished(self, case: Case) -> dict[int, Record]:
        assert self.run is not None
        return runfiles.finished(self.run, case, injected=bool(self.options.inject))

    def _runner(self, case: Case) -> Runner:
        if self.source:
            return ReplayRunner(source=self.source)
        gpu = self.ground.gpu(case)
        if self._ahead is None:
            assert self.run is not None
            self._ahead = Ahead(self.run / "logs", wanted=cores() >= BESIDE_PROBES)
        return LocalRunner(gpu=gpu.uuid if gpu else "", ahead=self._ahead)

    def end(self) -> None:
        """Let go of a process that waits for a trial which nobody asks for. Whoever makes a session ends it."""
        if self._ahead is not None:
            self._ahead.end()

    def _job(self, together: tuple[Case, ...], trial: int) -> Job:
        case = together[0]
        return Job(
            cases=together, trial=trial, pair=None, order=None, model_folder=self._folders.get(cases.slug(case), ""),
            data=cases.origin(self.options, case).data, inject=self.options.inject, machine=self.ground.machine(case),
            parent_cuda=self.parent_cuda(),
        )  # fmt: skip

    # ------------------------------------------------------------ judging

    def result(self, case: Case) -> CaseResult:
        """A case's records and verdicts. Judging reads records and baselines, and writes neither.

        Raises:
            SuiteError: the inputs cannot be had.
        """
        name = cases.slug(case)
        if name not in self._results:
            self._results[name] = self._judged(case, self.records(case))
        return self._results[name]

    def _judged(self, case: Case, records: tuple[Record, ...]) -> CaseResult:
        return self.approved.judged(
            self.ground.machine(case), case, records, tolerances=self.options.tolerances, accepted=self._known
        )

    def exit_code(self) -> int:
        """0, or 1 where a verdict on what was measured fails the run."""
        return compare.exit_code(tuple(self._results.values()), self.options)

    def outcome(self) -> RunResult:
        """What has been measured and judged so far.

        Raises:
            SuiteError: the published figures are damaged.
        """
        done = tuple(self._results.values())
        machine = done[0].records[0].environment.machine if done else ""
        return RunResult(
            run=self.run.name if self.run else "", machine=machine, results=done,
            published=runfiles.load_published(Path(self.options.baselines)),
            remarks=known.remarks(self._known, done),
        )  # fmt: skip

    def write(self, run: RunResult) -> None:
        """Reports of `run` beside its records.

        Raises:
            SuiteError: they cannot be written.
        """
        if self.run is not None and run.results:
            runfiles.write_reports(self.run, run)
            self.asides += runfiles.tell(self.run.parent, run, measured=not self.source)
