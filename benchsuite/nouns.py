"""The words of the suite, as frozen values.

Every other module speaks in these. Nothing here computes beyond its own fields, touches a file or
imports anything of ours; results (`Record`, `Verdict`) have no defaults, so that whoever makes one
must say everything it claims.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

JSON = Any
"""None, bool, int, float, str, list or dict of these: what a JSON file can hold."""

SCHEMA = 1
"""Version of the record and baseline files; a file with a greater one is refused, not guessed at."""


class Kind(StrEnum):
    """How a number repeats, and so which judge is honest about it."""

    EXACT = "exact"
    COUNT = "count"
    BYTES = "bytes"
    DEVICE = "device"
    WALL = "wall"
    QUALITY = "quality"


class Role(StrEnum):
    """Whether a metric can fail a run, or only helps to say why another one did."""

    GATE = "gate"
    EXPLAIN = "explain"


class Better(StrEnum):
    """Which way a metric improves; `NEITHER` where any move is news."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"


class Outcome(StrEnum):
    """What a judge can say of one metric of one case."""

    OK = "ok"
    IMPROVED = "improved"
    REGRESSED = "regressed"
    CHANGED = "changed"
    KNOWN = "known"
    INCONCLUSIVE = "inconclusive"
    NO_BASELINE = "no-baseline"
    INCOMPARABLE = "incomparable"
    INVALID = "invalid"


class Phase(StrEnum):
    """The stages of a trial, in their order; `PROBE` comes after every time and memory metric closed."""

    LOAD = "load"
    PREPARE = "prepare"
    TRAIN = "train"
    SAVE = "save"
    RELOAD = "reload"
    EVALUATE = "evaluate"
    TEARDOWN = "teardown"
    PROBE = "probe"


class Status(StrEnum):
    """How a trial ended."""

    OK = "ok"
    FAILED = "failed"
    INVALID = "invalid"


class Device(StrEnum):
    """What a case runs on."""

    CPU = "cpu"
    CUDA = "cuda"


class Weights(StrEnum):
    """Where a case's weights come from: a checkpoint's, or drawn under the pinned seed."""

    PRETRAINED = "pretrained"
    RANDOM = "random"


# ---------------------------------------------------------------- what is to be measured


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model as a case names it. Empty tuples are resolved from the architecture by the worker."""

    id: str
    """Short name: a folder's base name or a hub name. Never a path."""
    revision: str = ""
    """Hub revision; empty for a folder and for the embedded model."""
    lora_targets: tuple[str, ...] = ()
    """Names of the linear layers that get an adapter."""
    unquantised: tuple[str, ...] = ()
    """Names of the modules kept out of 4-bit quantisation."""
    pad_token: str = ""
    """The tokenizer's pad token, where the checkpoint has none."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The size of a job, and its device."""

    name: str
    device: Device
    task: str
    """Name of the task that is used unless the user gives data."""
    trials: int
    epochs: int
    max_steps: int
    """Optimizer steps after which training stops; -1 trains all epochs."""
    train_rows: int
    train_batch: int
    eval_batch: int
    max_length: int
    logging_steps: int
    lr_scale: float
    """Factor on every recipe's learning rate; 1 but for models far narrower than BERT."""
    latency_warmup: int
    """Evaluation batches whose latency is not counted."""
    shared: bool
    """All cases in one process, in the published order, nothing freed between them."""
    timeout: float
    """Seconds after which a trial is killed."""
    guess: float
    """Seconds a trial takes, for the estimate while there is no baseline to ask."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One thing to measure: task x regime x profile x model x weights x device x seed."""

    task: str
    task_revision: str
    regime: str
    transforms: tuple[Mapping[str, JSON], ...]
    """Each transform of the regime with its parameters, as data."""
    profile: Profile
    model: Model
    weights: Weights
    device: Device
    seed: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a trial builds and how it trains. Transforms rewrite it; pure data, no torch object."""

    dtype: str
    """Dtype of the weights that are not quantised, e.g. "float32"."""
    quantisation: Mapping[str, JSON]
    """Fields of `BitsAndBytesConfig`, dtypes as names; empty for none."""
    max_length: int
    """Tokens after which a text is cut."""
    padding: str
    """"fixed": every example to `max_length`; "longest": every batch to its longest example."""
    autocast: str
    """Dtype of autocast in training and evaluation, or empty."""
    arguments: Mapping[str, JSON]
    """Fields of `TrainingArguments`."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a transform may look at: the case's model and profile, and the device under it."""

    model: Model
    profile: Profile
    device: Device
    capability: tuple[int, int] | None
    """CUDA compute capability; None on the CPU."""
    seed: int


@dataclass(frozen=True)
class Transform:
    """One change to how a model is loaded, prepared or trained. Subclass, one file each.

    A subclass is a frozen dataclass; its fields are its parameters, go into the case's digest and
    must be JSON. Every hook defaults to doing nothing.
    """

    adapter = False
    """True where training leaves the base as it was: what is saved then is an adapter."""

    def plan(self, plan: Plan, setting: Setting) -> Plan:
        """Return `plan` changed. Pure: no torch, no file."""
        return plan

    def loaded(self, model: Any, setting: Setting) -> Any:
        """Change a model that was just loaded, before training and after reload alike."""
        return model

    def prepare(self, model: Any, setting: Setting) -> Any:
        """Make a loaded model ready for training; may return another object."""
        return model

    def restore(self, model: Any, folder: str, setting: Setting) -> Any:
        """Put what `folder` holds onto a freshly loaded base. Called where `adapter` is true."""
        return model


@dataclass(frozen=True, kw_only=True)
class Split:
    """Rows of a task, in their original order."""

    texts: tuple[str, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Examples:
    """A task's data, read and checked."""

    train: Split
    validation: Split
    provenance: str
    """"real" or "synthetic"."""
    digest: str
    """Over rows (text and label, in order), not over files."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What one worker process is told: cases, and where on this machine their inputs lie."""

    cases: tuple[Case, ...]
    trial: int
    pair: int | None
    order: int | None
    model_folder: str
    """Local folder of the checkpoint; empty for the embedded model."""
    data: str
    """The user's data folder; empty for the task's own source."""
    inject: str
    machine: str
    parent_cuda: bool
    """True where the parent process holds a CUDA context, which makes every trial invalid."""
    lean: bool = False
    """True where the fingerprint is left out: another trial of the same stack has it, only times are wanted."""


# ---------------------------------------------------------------- what a metric is


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


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One metric's value in one trial, in the metric's base unit."""

    value: JSON
    samples: tuple[float, ...] = ()
    """Its repetitions inside the trial, where it has any; never independent trials."""


# ---------------------------------------------------------------- what was measured


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


# ---------------------------------------------------------------- what is said of it


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


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """How long a run will take, before it starts."""

    trials: int
    seconds: float
    source: str
    """Where the figure comes from: "baseline" or "guess"."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Everything a user can ask for, parsed once."""

    profiles: tuple[str, ...] = ("tiny", "full")
    regimes: tuple[str, ...] = ("fp32", "qlora")
    model: str = ""
    """A folder or a hub name; empty for the profile's own."""
    weights: Weights = Weights.PRETRAINED
    data: str = ""
    device: str = ""
    """A GPU's index or UUID; empty for the emptiest."""
    machine: str = ""
    trials: int = 0
    """Trials a case; 0 for the profile's own."""
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


class SuiteError(Exception):
    """A user's mistake or an unfit environment: one message that says what was seen and what to do."""

    exit_code = 2


class UsageError(SuiteError):
    """The words of the call are off: pytest's exit code for that is 4, the command's 2."""

    exit_code = 4
