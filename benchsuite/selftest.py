"""The self-test: plants every fault, one trial each, and holds it against a clean trial.

The clean trial stands in memory for a baseline; nothing is promoted and no baseline is read. Runs
and judges; what the outcome means is `matrix`'s to say, and `matrix_words`' to write. Not covered:
how large a fault must be to be seen, since each is planted at one size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from . import __version__, cases, environment, judging, matrix, registry, store
from .faults._fault import Fault
from .matrix import Report, Result, Row
from .nouns import (
    SCHEMA,
    Baseline,
    Case,
    Environment,
    Kind,
    Options,
    Profile,
    Record,
    Status,
    SuiteError,
    UsageError,
    Verdict,
)
from .planting import left_out, regime_for
from .session import Session, Show

T = TypeVar("T")
Kinds = frozenset[Kind]
CLEAN = "clean"
PROCESSOR = ("cpu_capability", "cpu_model")
"""Facts of `Environment.hardware` that another processor changes."""


@dataclass(frozen=True, kw_only=True)
class Trials:
    """One case measured, with something planted or not."""

    case: Case
    records: tuple[Record, ...]

    @property
    def problem(self) -> str:
        """Why a trial did not go well; empty where all did."""
        return next((r.problem for r in self.records if r.status is not Status.OK), "")


Measure = Callable[[str, str, str], Trials]
"""Given regime, FILE.py:FUNCTION or nothing, and a label: the case's trials."""


# ---------------------------------------------------------------- running


def run(
    chosen: Sequence[Fault], options: Options, *, home: Path, clean: int, jobs: int, show: Show,
    say: Callable[[str], None],
) -> Report:  # fmt: skip
    """Measure the references, `clean` repeats in all, and each fault; one row for each but the references.

    Args:
        chosen: The faults.
        options: As for a run, with one profile; its baselines and runs stay untouched.
        home: Folder of all trials, each of which is kept there as soon as it ends. What an interrupted
            self-test left in it is not measured again.
        clean: Repeats with nothing planted, taking turns among the regimes.
        jobs: Trials at once; with several, times are not judged.
        show: Shows a trial's progress.
        say: Told why an end takes a while.

    Raises:
        SuiteError: a reference could not be measured.
    """
    profile = only_profile(options)
    together = jobs > 1
    left = {f.name: row for f in chosen if (row := left_out(f, options, profile.device, together=together))}
    planted = [(fault, regime_for(fault, options.regimes)) for fault in chosen if fault.name not in left]
    repeats = [options.regimes[i % len(options.regimes)] for i in range(clean)]
    measure, kinds = _measure(options, home, show), frozenset(Kind) - (matrix.TIMED if together else frozenset())
    regimes = sorted({regime for _, regime in planted} | set(repeats))
    made = _each([partial(reference, measure, regime) for regime in regimes], jobs, say)
    references = dict(zip(regimes, made, strict=True))
    rows = _each(
        [
            *(partial(trial, measure, references[regime], fault, regime, kinds) for fault, regime in planted),
            *(partial(repeat, measure, references[regime], regime, i, kinds) for i, regime in enumerate(repeats)),
        ],
        jobs,
        say,
    )
    return _report(profile, [trials.records[0] for trials in made], jobs, (*rows, *left.values()))


def _each(tasks: Sequence[Callable[[], T]], jobs: int, say: Callable[[str], None]) -> list[T]:
    """What `tasks` return, in their order. One at a time they run in this thread, where Ctrl-C reaches them."""
    if jobs == 1:
        return [task() for task in tasks]
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        futures = [pool.submit(task) for task in tasks]
        try:
            return [future.result() for future in futures]
        except BaseException:  # Ctrl-C too: it would wait for all of them
            # Those that run end by themselves; of the others none is begun.
            say("waiting for the trials that run, to keep them; no other is begun")
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _report(profile: Profile, references: Sequence[Record], jobs: int, rows: tuple[Row, ...]) -> Report:
    bare = environment.bare(environment.machine_slug(None))
    ran_on = references[0].environment if references else bare
    return Report(
        suite=__version__, when=datetime.now(UTC).isoformat(timespec="seconds"), profile=profile.name,
        machine=ran_on.machine, hardware=ran_on.hardware, packages=environment.guarded(ran_on.packages), jobs=jobs,
        rows=rows,
    )  # fmt: skip


def home(results: Path, *, resume: bool) -> Path:
    """A new folder for a self-test's trials below results/selftest, or the newest that there is.

    Raises:
        UsageError: there is none to go on with.
        SuiteError: it cannot be made.
    """
    folder = results / "selftest"
    if not resume:
        return store.new_run(folder, now=datetime.now(UTC))
    known = sorted(path.parent for path in folder.glob("*/records"))
    if not known:
        raise UsageError(f"--resume: no self-test was left in {folder}; leave it out to begin one")
    return known[-1]


def only_profile(options: Options) -> Profile:
    """The one profile that is tested.

    Raises:
        UsageError: there are several, or it shares its process, or it takes no fingerprint.
    """
    if len(options.profiles) != 1:
        raise UsageError(f"the self-test takes one profile, not {', '.join(options.profiles)}")
    profile = cases.PROFILES[registry.pick("profile", options.profiles[0], cases.PROFILES)]
    if profile.shared:
        raise UsageError(f"the profile {profile.name} shares one process: a planted fault would stay in it")
    if profile.lean:
        raise UsageError(f"the profile {profile.name} takes no fingerprint, by which most faults are seen: take quick")
    return profile


def _measure(options: Options, home: Path, show: Show) -> Measure:
    """Trials by the suite's own session, each set in a folder of its own below `home`."""

    def measure(regime: str, inject: str, label: str) -> Trials:
        folder = home / f"{label}-{regime}{_edition(inject)}"
        own = replace(
            options, regimes=(regime,), trials=options.trials or 1, inject=inject, results=str(folder),
            baselines=str(folder / "none"), resume=(folder / "latest").exists(), replay="", entries=(),
        )  # fmt: skip
        session = Session(own, lambda trial: show(f"{label}: {trial}"))
        (case,) = session.cases
        if why := session.ground.missing_gpu(case):
            raise SuiteError(why)
        session.preflight(session.cases)
        try:
            return Trials(case=case, records=session.records(case))
        finally:
            session.end()

    return measure


def _edition(inject: str) -> str:
    """A mark of the plant's file as it stands: a trial of an earlier edition is not to be taken for one of this."""
    file = Path(inject.rpartition(":")[0])
    return f"-{hashlib.sha256(file.read_bytes()).hexdigest()[:6]}" if file.is_file() else ""


def reference(measure: Measure, regime: str) -> Trials:
    """The clean trials that everything of a regime is held against.

    Raises:
        SuiteError: one of them did not go well.
    """
    made = measure(regime, "", CLEAN)
    if made.problem:
        raise SuiteError(f"the clean {regime} trial failed, so nothing can be held against it: {made.problem}")
    return made


def repeat(measure: Measure, against: Trials, regime: str, number: int, kinds: Kinds) -> Row:
    """One more clean measurement, judged."""
    made = measure(regime, "", f"{CLEAN}{number + 1}")
    return matrix.clean_row(regime, judge(against, made, kinds), made.problem)


def trial(measure: Measure, against: Trials, fault: Fault, regime: str, kinds: Kinds) -> Row:
    """One fault planted, measured and judged; one that spoils the inputs beyond measuring is told as a crash."""
    try:
        made = measure(regime, fault.where, fault.name)
    except SuiteError as error:
        return replace(matrix.not_run(fault, Result.CRASHED, str(error)), regime=regime)
    acted = bool(made.problem) or matrix.acted(against.records, made.records, registry.metrics())
    verdicts = [judge(against, side, kinds) for side in (made, _as_if(made, _upgraded), _as_if(made, _elsewhere))]
    return matrix.sift(fault, regime, *verdicts, acted=acted, problem=made.problem)


def _as_if(made: Trials, change: Callable[[Environment], Environment]) -> Trials:
    """The same trials, as if they came from another environment."""
    return replace(made, records=tuple(replace(r, environment=change(r.environment)) for r in made.records))


def _upgraded(found: Environment) -> Environment:
    """Each guarded library has another version than it has."""
    others = {name: f"{version}.post1" for name, version in environment.guarded(found.packages).items()}
    return replace(found, packages={**found.packages, **others})


def _elsewhere(found: Environment) -> Environment:
    """The processor is another model, with other instructions."""
    others = {name: f"not {found.hardware[name]}" for name in PROCESSOR if name in found.hardware}
    return replace(found, hardware={**found.hardware, **others})


def judge(against: Trials, made: Trials, kinds: Kinds = frozenset(Kind)) -> tuple[Verdict, ...]:
    """What the suite says of trials about metrics of these kinds, the reference in the baseline's place."""
    verdicts = judging.judge(made.case, _baseline(against), made.records, {})
    return tuple(verdict for verdict in verdicts if verdict.kind in kinds)


def _baseline(of: Trials) -> Baseline:
    return Baseline(
        schema=SCHEMA, machine=of.records[0].environment.machine, case=of.case, digest=cases.digest(of.case),
        trials=of.records, history=(), freeze=(),
    )  # fmt: skip
