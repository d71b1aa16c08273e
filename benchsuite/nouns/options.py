"""What a user asks for, what it will cost, and what is said where it cannot be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .kinds import Weights


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """How long a run will take, before it starts."""

    trials: int
    seconds: float
    source: str
    """Where the figure comes from: "baseline" or "guess"."""
    added: int = 0
    """Of `trials`, those that are made only where the others leave something open."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One wish for cases, as `[[tool.benchsuite.case]]` states it; what is left empty is as the run's options say."""

    profiles: tuple[str, ...] = ()
    """Those of the run's profiles that it joins."""
    regimes: tuple[str, ...] = ()
    task: str = ""
    data: str = ""
    """Folder of the task's data."""
    model: str = ""
    """A folder or a hub name."""
    revision: str = ""
    weights: Weights | None = None
    lora_targets: tuple[str, ...] = ()
    unquantised: tuple[str, ...] = ()
    pad_token: str = ""
    seeds: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Options:
    """Everything a user can ask for, parsed once."""

    profiles: tuple[str, ...] = ("tiny", "full")
    """Names, in their order; none is all that a replayed run holds. So with `regimes`."""
    regimes: tuple[str, ...] = ("fp32", "qlora")
    task: str = ""
    """A task's name; empty for the profile's own."""
    model: str = ""
    """A folder or a hub name; empty for the profile's own."""
    weights: Weights = Weights.PRETRAINED
    data: str = ""
    device: str = ""
    """A GPU's index or UUID; empty for the emptiest."""
    machine: str = ""
    trials: int = 0
    """Trials a case; 0 for the profile's own."""
    trials_max: int = 0
    """Trials up to which a case goes on by itself where a gate is inconclusive; 0 for never more than `trials`."""
    steps: int = 0
    """Training steps; 0 for the profile's own."""
    resume: bool = False
    baselines: str = "baselines"
    results: str = "results"
    require_gpu: bool = False
    require_baseline: bool = False
    inject: str = ""
    gate: bool = True
    replay: str = ""
    """A run's folder whose records are judged again; nothing is measured."""
    tolerances: Mapping[str, str] = field(default_factory=dict)
    """Metric glob -> tolerance text such as "1 %" or "2 MiB", from pyproject."""
    entries: tuple[Entry, ...] = ()
    """Cases that pyproject adds."""


class SuiteError(Exception):
    """A user's mistake or an unfit environment: one message that says what was seen and what to do."""

    exit_code = 2


class UsageError(SuiteError):
    """The words of the call are off: pytest's exit code for that is 4, the command's 2."""

    exit_code = 4
