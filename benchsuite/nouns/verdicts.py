"""What is said of what was measured: findings, verdicts, the results of a case and of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .inputs import Case
from .kinds import JSON, Kind, Outcome, Role
from .records import Baseline, Record


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A judge's answer on one metric, before it is told to anybody."""

    outcome: Outcome
    old: JSON
    """The baseline's value as a person should see it (a number in base units, or a short text)."""
    new: JSON
    effect: float | None
    """Relative difference new / old - 1 (absolute for shares); None where it means nothing."""
    interval: tuple[float, float] | None
    """Confidence interval of the effect."""
    detectable: float | None
    """Smallest effect that this comparison could have seen."""
    detail: str
    """What differs or why there is no answer, in words; may have several lines."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is said of one metric of one case."""

    case: str
    """The case's slug."""
    metric: str
    title: str
    unit: str
    kind: Kind
    role: Role
    concern: str
    outcome: Outcome
    old: JSON
    new: JSON
    effect: float | None
    interval: tuple[float, float] | None
    detectable: float | None
    detail: str
    cause: str
    advice: str

    @property
    def fails(self) -> bool:
        """True where this verdict alone makes a run end with 1."""
        return self.role is Role.GATE and self.outcome in FAILING


FAILING = frozenset({Outcome.REGRESSED, Outcome.CHANGED, Outcome.INVALID})
JUDGED = frozenset({Outcome.OK, Outcome.IMPROVED, Outcome.REGRESSED, Outcome.CHANGED, Outcome.KNOWN})
"""Outcomes that are an answer; the others say why there is none."""


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """One case of a run: what was measured and what is said of it."""

    slug: str
    case: Case
    records: tuple[Record, ...]
    baseline: Baseline | None
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """A whole run, as reporters see it."""

    run: str
    """Name of the run's folder."""
    machine: str
    results: tuple[CaseResult, ...]
    published: Mapping[str, JSON]
    """The published figures (`baselines/published/tesla-t4.json`), or empty."""
    remarks: tuple[str, ...] = ()
    """What else the run's owner should hear, a line each."""
