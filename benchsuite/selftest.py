"""The self-test: plants every fault, one trial each, and holds it against a clean trial.

The clean trial stands in memory for a baseline; nothing is promoted and no baseline is read. Runs
and judges; what the outcome means is `matrix`'s to say. Not covered: how large a fault must be to be
seen, since each is planted at one size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from . import cases, judging, matrix, registry, store
from .faults._fault import Fault
from .matrix import Result, Row
from .nouns import SCHEMA, Baseline, Case, Device, Options, Profile, Record, Status, SuiteError, UsageError, Verdict
from .session import Session, Show

CLEAN = "clean"


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


# ---------------------------------------------------------------- which faults


def faults() -> Mapping[str, Fault]:
    """Every planted fault by name, of our own and of other packages.

    Raises:
        SuiteError: two have one name.
    """
    found: Mapping[str, Fault] = registry.collect("benchsuite.faults", "FAULTS", _by_name)
    return found


def _by_name(them: Iterable[Fault]) -> Iterable[tuple[str, Fault]]:
    return ((fault.name, fault) for fault in them)


def choose(known: Mapping[str, Fault], globs: str, *, reduced: bool) -> tuple[Fault, ...]:
    """The faults that any of the comma-separated globs matches; of these the reduced set where wanted.

    Raises:
        UsageError: a glob matches nothing, or nothing is left.
    """
    wanted = [glob.strip() for glob in globs.split(",") if glob.strip()] or ["*"]
    for glob in wanted:
        if not any(fnmatchcase(name, glob) for name in known):
            registry.pick("fault", glob, known)
    chosen = (fault for name, fault in known.items() if any(fnmatchcase(name, glob) for glob in wanted))
    found = tuple(fault for fault in chosen if fault.reduced or not reduced)
    if not found:
        raise UsageError(f"none of the faults {globs!r} is in the reduced set; leave --reduced out")
    return found


def regime_for(fault: Fault, regimes: Sequence[str]) -> str:
    """The regime to plant it in: the most telling one of those that are tested; empty for none."""
    return next((regime for regime in fault.regimes if regime in regimes), "")


def _left_out(fault: Fault, options: Options, device: Device) -> Row | None:
    if fault.needs is Device.CUDA and device is not Device.CUDA:
        return matrix.not_run(fault, Result.NEEDS_CUDA, "nothing would move on a CPU: run it with --profile quick")
    if not regime_for(fault, options.regimes):
        regimes = ",".join(fault.regimes)
        return matrix.not_run(fault, Result.OTHER_REGIME, f"acts in other regimes only: --regimes {regimes}")
    return None


# ---------------------------------------------------------------- running


def run(chosen: Sequence[Fault], options: Options, *, clean: int, jobs: int, show: Show) -> tuple[Row, ...]:
    """Measure the references, `clean` repeats in all, and each fault; one row for each but the references.

    Args:
        chosen: The faults.
        options: As for a run, with one profile; its baselines and results' `latest` stay untouched.
        clean: Repeats with nothing planted, taking turns among the regimes.
        jobs: Trials at once.
        show: Shows a trial's progress.

    Raises:
        SuiteError: a reference could not be measured.
    """
    device = only_profile(options).device
    left = {fault.name: row for fault in chosen if (row := _left_out(fault, options, device))}
    planted = [(fault, regime_for(fault, options.regimes)) for fault in chosen if fault.name not in left]
    repeats = [options.regimes[i % len(options.regimes)] for i in range(clean)]
    measure = _measure(options, store.new_run(Path(options.results), now=datetime.now(UTC)), show)
    regimes = sorted({regime for _, regime in planted} | set(repeats))
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        made = pool.map(lambda regime: reference(measure, regime), regimes)
        references = dict(zip(regimes, made, strict=True))
        again = pool.map(lambda i: repeat(measure, references[repeats[i]], repeats[i], i), range(clean))
        rows = pool.map(lambda pair: trial(measure, references[pair[1]], *pair), planted)
        return (*rows, *again, *left.values())


def only_profile(options: Options) -> Profile:
    """The one profile that is tested.

    Raises:
        UsageError: there are several, or it shares its process.
    """
    if len(options.profiles) != 1:
        raise UsageError(f"the self-test takes one profile, not {', '.join(options.profiles)}")
    profile = cases.PROFILES[registry.pick("profile", options.profiles[0], cases.PROFILES)]
    if profile.shared:
        raise UsageError(f"the profile {profile.name} shares one process: a planted fault would stay in it")
    return profile


def _measure(options: Options, home: Path, show: Show) -> Measure:
    """Trials by the suite's own session, each set in a folder of its own below `home`."""

    def measure(regime: str, inject: str, label: str) -> Trials:
        folder = home / f"{label}-{regime}"
        own = replace(
            options, regimes=(regime,), trials=options.trials or 1, inject=inject, results=str(folder),
            baselines=str(folder / "none"), resume=False, replay="", entries=(),
        )  # fmt: skip
        session = Session(own, lambda trial: show(f"{label}: {trial}"))
        (case,) = session.cases
        if why := session.missing_gpu(case):
            raise SuiteError(why)
        session.preflight(session.cases)
        return Trials(case=case, records=session.records(case))

    return measure


def reference(measure: Measure, regime: str) -> Trials:
    """The clean trials that everything of a regime is held against.

    Raises:
        SuiteError: one of them did not go well.
    """
    made = measure(regime, "", CLEAN)
    if made.problem:
        raise SuiteError(f"the clean {regime} trial failed, so nothing can be held against it: {made.problem}")
    return made


def repeat(measure: Measure, against: Trials, regime: str, number: int) -> Row:
    """One more clean measurement, judged."""
    made = measure(regime, "", f"{CLEAN}{number + 1}")
    return matrix.clean_row(regime, judge(against, made), made.problem)


def trial(measure: Measure, against: Trials, fault: Fault, regime: str) -> Row:
    """One fault planted, measured and judged; inputs that it spoils beyond measuring are told, and missed."""
    try:
        made = measure(regime, fault.where, fault.name)
    except SuiteError as error:
        return replace(matrix.not_run(fault, Result.MISSED, str(error)), regime=regime)
    acted = bool(made.problem) or matrix.acted(against.records, made.records, registry.metrics())
    return matrix.sift(fault, regime, judge(against, made), acted=acted, problem=made.problem)


def judge(against: Trials, made: Trials) -> tuple[Verdict, ...]:
    """What the suite says of trials, the reference in the baseline's place, causes told."""
    return judging.judge(made.case, _baseline(against), made.records, {})


def _baseline(of: Trials) -> Baseline:
    return Baseline(
        schema=SCHEMA, machine=of.records[0].environment.machine, case=of.case, digest=cases.digest(of.case),
        trials=of.records, history=(), freeze=(),
    )  # fmt: skip
