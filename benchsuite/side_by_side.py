"""Regimes side by side: the figures of a run's cases that differ in their regime alone. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from .cases import alike
from .nouns import Case, Record, Status
from .units import is_number

MEASURES: Mapping[str, str] = {
    "time.train": "ratio", "time.step": "ratio", "device.kernel_time.step": "ratio", "latency.sample": "ratio",
    "energy.train": "ratio", "vram.peak.train": "difference", "vram.after_reload": "difference",
    "memory.peak.step": "difference", "model.bytes.loaded": "difference", "quality.accuracy.reloaded": "difference",
}  # fmt: skip
"""What is told of regimes side by side, and on which scale its parts add up."""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Figures of several regimes."""

    case: str
    """What they all share, in words."""
    figures: Mapping[str, Mapping[str, float]]
    """Median over trials in base units, by regime and metric."""


def matrices(records: Sequence[Record]) -> tuple[Matrix, ...]:
    """One for each set of cases that differ in their regime alone, and of which there are several."""
    found = []
    for group in groups(records):
        by_regime: dict[str, list[Record]] = {}
        for record in group:
            by_regime.setdefault(record.case.regime, []).append(record)
        if len(by_regime) > 1:
            figures = {name: medians(trials) for name, trials in by_regime.items()}
            found.append(Matrix(case=words(group[0].case), figures=figures))
    return tuple(found)


def groups(records: Iterable[Record]) -> list[list[Record]]:
    """Good trials of cases that differ in nothing but their regime, together."""
    found: list[list[Record]] = []
    for record in records:
        group = next((g for g in found if alike(g[0].case, record.case)), None)
        if record.status is Status.OK and group is not None:
            group.append(record)
        elif record.status is Status.OK:
            found.append([record])
    return found


def words(case: Case) -> str:
    """What all regimes of a group share."""
    return f"{case.task}, {case.profile.name}, {case.model.id} ({case.weights}), {case.device}, seed {case.seed}"


def medians(records: Sequence[Record]) -> dict[str, float]:
    """Median over trials of each metric that has a number; of a ratio's, only what has a logarithm."""
    found = {}
    for metric, scale in MEASURES.items():
        values = [r.metrics[metric].value for r in records if metric in r.metrics]
        numbers = [float(v) for v in values if is_number(v) and math.isfinite(v)]
        if numbers and (scale != "ratio" or min(numbers) > 0):
            found[metric] = median(numbers)
    return found
