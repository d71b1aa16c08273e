"""What is to be measured: models, profiles, cases, plans, transforms, data, and the job of a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .kinds import JSON, Device, Weights


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
    lean: bool = False
    """No fingerprint is taken: what is asked is how regimes differ, not what the libraries changed."""


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
    widths: tuple[int, ...] = ()
    """Tokens that batches are padded to, ascending, each to the least that holds it; empty: to their longest row."""


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
    sealed = False
    """True where its steps run out of Python's sight; the probe, which looks into steps, goes without its Trainer."""

    def plan(self, plan: Plan, setting: Setting) -> Plan:
        """Return `plan` changed. Pure: no torch, no file."""
        return plan

    def loaded(self, model: Any, setting: Setting) -> Any:
        """Change a model that was just loaded, before training and after reload alike."""
        return model

    def prepare(self, model: Any, setting: Setting) -> Any:
        """Make a loaded model ready for training; may return another object."""
        return model

    def trainer(self, base: Any, setting: Setting) -> Any:
        """Return the class of Trainer to train with: `base`, or a subclass of it."""
        return base

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
    timed: tuple[str, ...] = ()
    """The metrics that are wanted, where it is not all: meters and phases that none of them needs are left out."""
