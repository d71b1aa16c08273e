"""What a metric is, and what was measured: environments, records, baselines. Only late fields have a default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .inputs import Case
from .kinds import JSON, Better, Kind, Role, Status
from .noise import Noise


@dataclass(frozen=True, kw_only=True)
class Metric:
    """The declaration of one measured quantity."""

    name: str
    """Dotted and stable, e.g. "vram.peak.train"."""
    unit: str
    """Base unit of the value: "s", "B", "J", "1/s", "1" or "" for structured values."""
    kind: Kind
    concern: str
    """The bench test that shows it: "training", "step", "latency", "load", "memory", ..."""
    title: str
    """What people call it, in a few words."""
    better: Better = Better.NEITHER
    role: Role = Role.GATE
    judge: str = ""
    """Name of the judge; empty for the kind's own."""
    relative: float | None = None
    """Smallest relative effect that counts; None for the judge's own."""
    absolute: float | None = None
    """Smallest absolute effect that counts, in the base unit; None for the judge's own."""
    depends_on: tuple[str, ...] = ()
    """Fields of `Environment.hardware` whose difference makes this metric incomparable."""
    same_stack: bool = False
    """True where a difference is news only on the same versions of the guarded libraries, and else explains."""
    reading: int = 1
    """Raised with every change of the meter that moves the value on an unchanged stack; two readings never compare."""
    may_lack: str = ""
    """Why a trial of an unchanged stack may be without it; empty where every trial has it."""
    noise: Noise | None = None
    """How its trials scatter; declared by no meter, filled in for judges before they are asked."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One metric's value in one trial, in the metric's base unit."""

    value: JSON
    samples: tuple[float, ...] = ()
    """Its repetitions inside the trial, where it has any; never independent trials."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Where a trial ran."""

    machine: str
    """Slug of GPU name and memory, or of the CPU's architecture."""
    hardware: Mapping[str, JSON]
    """Stable facts that metrics may depend on: gpu, gpu_memory, cpu_capability, cpu_model, threads, ..."""
    packages: Mapping[str, str]
    """Installed distributions and their versions."""
    notes: Mapping[str, JSON]
    """Driver, clocks, torch build, variables: shown, never compared."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What the inputs really were. Digests are over rows and tensors, not over files."""

    data: str
    """"real", "synthetic"."""
    data_digest: str
    weights: str
    """"real", "synthetic" (trained by us on generated text) or "random"."""
    weights_digest: str


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Per-example results of the reloaded model on the validation rows, in their order."""

    labels: tuple[int, ...]
    logits: tuple[tuple[float, ...], ...]
    """One row an example, one column a class."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What one trial measured."""

    schema: int
    suite: str
    """Version of benchsuite that measured."""
    case: Case
    digest: str
    """Digest of the case's resolved transforms, profile and task revision."""
    trial: int
    pair: int | None
    order: int | None
    started: str
    """UTC, ISO 8601."""
    seconds: float
    """Wall time of the whole trial process, as the parent saw it."""
    status: Status
    problem: str
    """Why it failed or is invalid, in words for a person; empty when ok."""
    environment: Environment
    provenance: Provenance
    injected: str
    """The planted fault as FILE:FUNCTION; empty for none."""
    metrics: Mapping[str, Measured]
    fingerprint: Mapping[str, JSON]
    """Exact and explaining parts that are structures rather than numbers, by metric name."""
    predictions: Predictions
    readings: Mapping[str, int] = field(default_factory=dict)
    """`Metric.reading` of what was measured, by metric name; those of 1 are left out."""


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One act of promotion, kept in a baseline's history."""

    when: str
    reason: str
    runs: tuple[str, ...]
    suite: str
    only: str
    """The glob that limited it, or empty."""
    changes: tuple[str, ...]
    """Each changed metric as a line "metric: old -> new"."""


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The approved trials of one case on one machine."""

    schema: int
    machine: str
    case: Case
    digest: str
    trials: tuple[Record, ...]
    history: tuple[Approval, ...]
    freeze: tuple[str, ...]
    """Packages it was measured with, as "name==version" with public versions."""
