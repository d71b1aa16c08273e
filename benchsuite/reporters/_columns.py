"""The eight published columns as data, shared by reporters. Not a reporter itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median

from benchsuite.nouns import JSON, CaseResult, Record, RunResult, Status, Weights
from benchsuite.units import is_number
from benchsuite.versions import moved

Figures = Mapping[str, float]
"""Metric name -> value in base units."""

MB = 2.0**20


def _scaled(metric: str, unit: float, decimals: int) -> Callable[[Figures], str]:
    def cell(figures: Figures) -> str:
        return f"{figures[metric] / unit:.{decimals}f}" if metric in figures else ""

    return cell


def _parameters(figures: Figures) -> str:
    if "params.trainable" not in figures or "params.total" not in figures:
        return ""
    return f"{figures['params.trainable']:,.0f} / {figures['params.total']:,.0f}"


def _minutes(figures: Figures) -> str:
    # The published two decimals would make a tiny run of five seconds "0.08".
    short = figures.get("time.train", 0.0) < 60  # noqa: PLR2004 - one minute
    return _scaled("time.train", 60.0, 4 if short else 2)(figures)


CELLS: Mapping[str, Callable[[Figures], str]] = {
    "Trainable / Total Params": _parameters,
    "Training Wall Time (min)": _minutes,
    "Peak VRAM (MB, train)": _scaled("vram.peak.train", MB, 2),
    "Val Acc": _scaled("quality.accuracy.reloaded", 1.0, 4),
    "Latency (ms/sample)": _scaled("latency.sample", 1e-3, 4),
    "VRAM after load (MB)": _scaled("vram.after_reload", MB, 2),
    "Peak VRAM (MB, eval)": _scaled("vram.peak.evaluate", MB, 2),
}
HEADERS = ("Model", *CELLS)


def good(records: Sequence[Record]) -> tuple[Record, ...]:
    """The trials that went well."""
    return tuple(r for r in records if r.status is Status.OK)


def figures(records: Sequence[Record]) -> dict[str, float]:
    """Median over the good trials of each metric that is a number in any of them."""
    found: dict[str, list[float]] = {}
    for record in good(records):
        for name, measured in record.metrics.items():
            if is_number(measured.value):
                found.setdefault(name, []).append(measured.value)
    return {name: median(values) for name, values in found.items()}


def rows(run: RunResult) -> Iterator[tuple[str, ...]]:
    """The table's rows: one a case, then the published ones; a cell that was not measured is empty."""
    for result in run.results:
        yield _row(_name(result), figures(result.records))
    labels = run.published.get("labels", {})
    for name, row in run.published.get("rows", {}).items():
        yield _row(labels.get(name, f"{name} (published)"), row)


def _row(name: str, row: Figures) -> tuple[str, ...]:
    return (name, *(cell(row) for cell in CELLS.values()))


def _name(result: CaseResult) -> str:
    case = result.case
    model = f"{case.model.id}, random weights" if case.weights is Weights.RANDOM else case.model.id
    return f"{case.regime} ({model}, {case.task}, {case.profile.name}, {case.device.value})"


def packages(result: CaseResult) -> dict[str, str]:
    """Packages of the first good trial that differ from the baseline's, as "NAME OLD -> NEW" by name."""
    new = next(iter(good(result.records) or result.records), None)
    old = next(iter(good(result.baseline.trials)), None) if result.baseline else None
    return moved(old.environment.packages, new.environment.packages) if old and new else {}


def text(value: JSON) -> str:
    """A value of an environment or a provenance in one line."""
    return "unknown" if value is None else str(value)
