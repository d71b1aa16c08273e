"""Planted faults x signals: what a self-test saw, as rows and as an exit code. Pure; its words are `matrix_words`'.

Does not run or judge: verdicts come in, rows go out. A fault is caught only where one of the metrics
that ought to see it fails; an alarm in another part alone is a wrong answer, and told as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from .compare import measured
from .faults._fault import UNPLANTED, Fault
from .nouns import JSON, Kind, Metric, Record, Role, Verdict
from .wording import causes

STILL = frozenset({Kind.EXACT, Kind.COUNT, Kind.QUALITY})
"""Kinds that repeat to the last bit on one CPU: where no gate of them moved, a plant did nothing."""
TIMED = frozenset({Kind.WALL, Kind.DEVICE})
"""Kinds that whatever runs beside a trial moves."""
CLEAN_NAME = "(clean)"


class Result(StrEnum):
    """How one trial of the self-test came out; what is bad comes first."""

    MISSED = "missed"
    ELSEWHERE = "wrong part"
    CRASHED = "crashed"
    UNPLANTED = "not planted"
    SILENT = "nothing moved"
    ALARM = "false alarm"
    CAUGHT = "caught"
    CLEAN = "clean"
    NEEDS_CUDA = "needs cuda"
    NEEDS_QUIET = "needs quiet"
    OTHER_REGIME = "other regime"


BAD = frozenset(
    {Result.MISSED, Result.ELSEWHERE, Result.CRASHED, Result.UNPLANTED, Result.SILENT, Result.ALARM}
)  # fmt: skip
NOT_RUN = frozenset({Result.NEEDS_CUDA, Result.NEEDS_QUIET, Result.OTHER_REGIME})


@dataclass(frozen=True, kw_only=True)
class Row:
    """One fault, or one clean repeat, and what became of it."""

    fault: str
    about: str
    listed: bool
    """Whether it is one that reached users."""
    threads: tuple[str, ...]
    libraries: tuple[str, ...]
    regime: str
    result: Result
    expected: tuple[str, ...]
    """Globs of the metrics that ought to fail."""
    by: tuple[str, ...]
    """Those that did."""
    besides: tuple[str, ...]
    """Other metrics that failed."""
    upgrade: tuple[str, ...]
    """Those of both that fail where the guarded libraries' versions differ too, so that their insides may."""
    processor: tuple[str, ...]
    """Those of both that fail where the baseline is of another model of processor too, with other instructions."""
    explanation: str
    explained: bool
    """Whether the explanation contains the fault's word."""
    problem: str
    """What went wrong, in words."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole self-test."""

    suite: str
    """Version of benchsuite."""
    when: str
    """UTC, ISO 8601."""
    profile: str
    machine: str
    hardware: Mapping[str, JSON]
    packages: Mapping[str, str]
    """Versions of the guarded libraries."""
    jobs: int
    """Trials that ran at once."""
    rows: tuple[Row, ...]


# ---------------------------------------------------------------- rows


def not_run(fault: Fault, result: Result, problem: str) -> Row:
    """The row of a fault that was left out, or whose trial could not be made."""
    return _row(fault, regime="", result=result, problem=problem)


def sift(
    fault: Fault,
    regime: str,
    verdicts: Sequence[Verdict],
    upgraded: Sequence[Verdict] = (),
    elsewhere: Sequence[Verdict] = (),
    *,
    acted: bool,
    problem: str,
) -> Row:
    """The row of a fault whose trial was judged.

    Args:
        fault: What was planted.
        regime: Where.
        verdicts: What was said of it, causes told.
        upgraded: What would be said of it, had the guarded libraries other versions.
        elsewhere: What would be said of it, had it run on another processor.
        acted: Whether anything that repeats to the last bit differs from the clean trial.
        problem: Why the trial failed; empty where it went well. A crash catches where the fault says so.
    """
    failing = [v for v in verdicts if v.fails]
    wanted = [v for v in failing if _matches(v.metric, fault.seen_by)]
    explanation, explained = _explanation(wanted, fault.word)
    return _row(
        fault, regime=regime, result=_result(wanted, failing, acted=acted, problem=problem), problem=problem,
        by=tuple(v.metric for v in wanted), besides=tuple(v.metric for v in failing if v not in wanted),
        upgrade=tuple(v.metric for v in upgraded if v.fails), processor=tuple(v.metric for v in elsewhere if v.fails),
        explanation=explanation, explained=explained,
    )  # fmt: skip


def _result(wanted: Sequence[Verdict], failing: Sequence[Verdict], *, acted: bool, problem: str) -> Result:
    if problem.startswith(UNPLANTED):
        return Result.UNPLANTED
    if wanted:
        return Result.CAUGHT
    if problem:
        return Result.CRASHED
    if failing:
        return Result.ELSEWHERE
    return Result.MISSED if acted else Result.SILENT


def clean_row(regime: str, verdicts: Sequence[Verdict], problem: str) -> Row:
    """The row of a repeat with nothing planted: whatever fails is a false alarm."""
    failing = tuple(v.metric for v in verdicts if v.fails)
    return Row(
        fault=CLEAN_NAME, about="nothing is planted", listed=False, threads=(), libraries=(), regime=regime,
        result=Result.ALARM if failing else Result.CLEAN, expected=(), by=(), besides=failing, upgrade=(),
        processor=(), explanation="", explained=True, problem=problem,
    )  # fmt: skip


def _row(
    fault: Fault,
    *,
    regime: str,
    result: Result,
    problem: str,
    by: tuple[str, ...] = (),
    besides: tuple[str, ...] = (),
    upgrade: tuple[str, ...] = (),
    processor: tuple[str, ...] = (),
    explanation: str = "",
    explained: bool = False,
) -> Row:
    return Row(
        fault=fault.name, about=fault.about, listed=bool(fault.listed), threads=fault.threads,
        libraries=fault.libraries, regime=regime, result=result, expected=fault.seen_by, by=by, besides=besides,
        upgrade=upgrade, processor=processor, explanation=explanation, explained=explained, problem=problem,
    )  # fmt: skip


def _matches(metric: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(metric, glob) for glob in globs)


def _explanation(verdicts: Iterable[Verdict], word: str) -> tuple[str, bool]:
    """The line that holds the word, else the first there is; and whether the word was found."""
    lines = [line for v in verdicts for line in (causes(v) or v.detail.splitlines())]
    telling = [line for line in lines if word.lower() in line.lower()]
    return (telling or lines or [""])[0], bool(telling)


def acted(clean: Sequence[Record], planted: Sequence[Record], metrics: Mapping[str, Metric]) -> bool:
    """Whether two sides differ in anything that repeats to the last bit on one CPU."""
    return bool(clean and planted) and _bits(clean[0], metrics) != _bits(planted[0], metrics)


def _bits(record: Record, metrics: Mapping[str, Metric]) -> dict[str, object]:
    return {
        name: value.value
        for name, value in measured(record).items()
        if name in metrics and metrics[name].kind in STILL and metrics[name].role is Role.GATE
    }


def timed_only(fault: Fault, metrics: Mapping[str, Metric]) -> bool:
    """Whether nothing but times can tell a fault."""
    kinds = {metric.kind for name, metric in metrics.items() if _matches(name, fault.seen_by)}
    return bool(kinds) and kinds <= TIMED


def exit_code(rows: Iterable[Row]) -> int:
    """1 where a fault went unseen, was not planted or did nothing, or where a clean repeat alarmed; else 0."""
    return int(any(row.result in BAD for row in rows))
