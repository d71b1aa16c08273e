"""How trials of one metric scatter on one machine, and what was recorded of it: `baselines/MACHINE/noise.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .kinds import JSON


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How trials of one metric differ on one machine, on the log scale."""

    within: float
    """Standard deviation between processes of one sitting."""
    freedom: float
    """Degrees of freedom of `within`; 0 where each sitting has one trial."""
    between: float
    """Standard deviation between sittings, beyond what `within` explains; 0 for one sitting."""
    nights: int
    """Sittings that it was seen in."""


@dataclass(frozen=True, kw_only=True)
class Noise:
    """What is known of one metric beside the values that are judged."""

    sittings: tuple[int, ...]
    """Which sitting each trial of the baseline belongs to, in their order."""
    known: Spread | None
    """Its calibrated spread, without what the baseline's own trials gave to it; None where there is none."""
    seeds: tuple[float, ...] = ()
    """Of an accuracy: what was approved of each seed of the case, where there are several."""


@dataclass(frozen=True, kw_only=True)
class Sitting:
    """Trials of one case that were made in one go."""

    trials: tuple[str, ...]
    """When each began (UTC, ISO 8601): what a trial is known by, so that none counts twice."""
    values: Mapping[str, tuple[float, ...]]
    """By metric, in base units, one a trial that has it."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What trials must share to tell of each other's scatter."""

    digest: str
    """Of the case."""
    packages: Mapping[str, str]
    """The guarded libraries."""
    hardware: Mapping[str, JSON]
    provenance: Mapping[str, str]
    readings: Mapping[str, int]
    """`Record.readings`."""


@dataclass(frozen=True, kw_only=True)
class CaseNoise:
    """One case's scatter on one machine."""

    stack: Stack
    seconds: float
    """Median wall time of a trial."""
    nightly: int
    """Trials that the case's profile makes in a run."""
    sittings: tuple[Sitting, ...]
    spreads: Mapping[str, Spread]
    """By metric, of all sittings together."""


@dataclass(frozen=True, kw_only=True)
class MachineNoise:
    """`noise.json`."""

    schema: int
    suite: str
    """Version of benchsuite that wrote it."""
    machine: str
    cases: Mapping[str, CaseNoise]
    """By slug."""
