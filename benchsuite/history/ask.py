"""Answers a question about a metric: its points from the index, its promotions from the baselines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from benchsuite import registry, store
from benchsuite.nouns import Baseline, SuiteError, UsageError

from . import index
from .entries import Entry, Point
from .series import Series, series


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What there is of a metric."""

    series: tuple[Series, ...]
    left_out: tuple[str, ...]
    """A line for each case of a run that is not shown, with the reason."""


def ask(
    metric: str, *, results: Path, baselines: Path, case: str = "*", machine: str = "*", injected: bool = False
) -> Answer:
    """The runs of a metric, or of all that a glob matches.

    Args:
        metric: Its name, or a glob.
        results: Folder of the runs.
        baselines: Folder of the baselines: they tell promotions and what is approved.
        case: Glob on slugs.
        machine: Glob on machines.
        injected: Whether to show runs with a planted fault too.

    Raises:
        UsageError: no run has such a metric, or none of the cases has it; a near name is offered.
        SuiteError: the index or a baseline is damaged.
    """
    points = index.points(results, metric, case=case, machine=machine)
    if not points:
        raise UsageError(_nothing(metric, case, machine, results))
    shown = [point for point in points if injected or not point.injected]
    entries = [e for e in index.entries(results) if fnmatchcase(e.case, case) and fnmatchcase(e.machine, machine)]
    return Answer(
        series=series(shown, registry.metrics(), _baselines(shown, baselines)),
        left_out=tuple(_left_out(entries, injected=injected)),
    )


def _left_out(entries: Iterable[Entry], *, injected: bool) -> Iterable[str]:
    for entry in entries:
        if entry.problem:
            yield f"{entry.run}, {entry.case}: no trial went well: {entry.problem}"
        elif entry.injected and not injected:
            yield f"{entry.run}, {entry.case}: a fault was planted, {entry.injected} (--injected shows it)"


def _nothing(metric: str, case: str, machine: str, results: Path) -> str:
    known = index.metrics(results)
    if not known:
        return f"no run is in the history of {results} yet: measure, or benchsuite history --add RUN, or --rebuild"
    if not any(fnmatchcase(name, metric) for name in known):
        return f"no run measured {metric!r}.{registry.near(metric, known)} benchsuite history lists what there is."
    have = sorted({point.case for point in index.points(results, metric)})
    on = "" if machine == "*" else f" on {machine!r}"
    return f"no case {case!r}{on} has {metric!r}.{registry.near(case, have)} It is measured in: {', '.join(have)}."


def _baselines(points: Iterable[Point], folder: Path) -> dict[tuple[str, str], Baseline]:
    found = {}
    for machine, case in sorted({(point.machine, point.case) for point in points}):
        try:
            path = store.baseline_path(folder, machine, case)
        except SuiteError:
            # A downloaded record may call its machine anything; it has no baselines then.
            continue
        if path.exists():
            found[machine, case] = store.load_baseline(path)
    return found
