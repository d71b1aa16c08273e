"""Turns options into cases: pure, and the only place that knows which model a profile uses by default."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import PurePosixPath, PureWindowsPath

from .nouns import JSON, Case, Device, Model, Options, Profile, Transform, UsageError
from .registry import pick, regimes, tasks

EMBEDDED = "toy-bert"
"""The model that ships inside the package; used with the task `toy`."""
PUBLISHED = "bert-base-uncased"
SEED = 42
BERT: Mapping[str, tuple[str, ...]] = {"lora_targets": ("query", "value"), "unquantised": ("classifier",)}
"""What a BERT needs said; other architectures are resolved by the worker."""

PROFILES: Mapping[str, Profile] = {
    p.name: p
    for p in (
        # The embedded BERT is 64 wide: with BERT-base's learning rates it would not move in one minute.
        Profile(
            name="tiny", device=Device.CPU, task="toy", trials=1, epochs=2, max_steps=-1, train_rows=1600,
            train_batch=16, eval_batch=32, max_length=32, logging_steps=10, lr_scale=25.0, latency_warmup=3,
            shared=False, timeout=600.0, guess=15.0,
        ),
        Profile(
            name="quick", device=Device.CUDA, task="sst2", trials=5, epochs=1, max_steps=60, train_rows=20_000,
            train_batch=16, eval_batch=32, max_length=128, logging_steps=10, lr_scale=1.0, latency_warmup=3,
            shared=False, timeout=900.0, guess=40.0,
        ),
        Profile(
            name="full", device=Device.CUDA, task="sst2", trials=1, epochs=2, max_steps=-1, train_rows=20_000,
            train_batch=16, eval_batch=32, max_length=128, logging_steps=100, lr_scale=1.0, latency_warmup=3,
            shared=False, timeout=7200.0, guess=900.0,
        ),
        Profile(
            name="notebook", device=Device.CUDA, task="sst2", trials=1, epochs=2, max_steps=-1, train_rows=20_000,
            train_batch=16, eval_batch=32, max_length=128, logging_steps=100, lr_scale=1.0, latency_warmup=0,
            shared=True, timeout=14_400.0, guess=900.0,
        ),
    )
}  # fmt: skip


def describe(transform: Transform) -> dict[str, JSON]:
    """A transform as data: its name and its parameters."""
    fields = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(transform).items()}
    return {"name": type(transform).__name__, **fields}


def short_id(model: str) -> str:
    """The name of a model without where it lies: a folder's base name, or the hub name as it is."""
    looks_like_path = model.startswith((".", "/", "~")) or "\\" in model or model.count("/") > 1
    if not looks_like_path:
        return model
    name = PureWindowsPath(model).name if "\\" in model else PurePosixPath(model).name
    return name or "model"


def model_of(options: Options, profile: Profile) -> Model:
    """The model a case uses: the user's, else the embedded one for `toy` and the published one for the rest."""
    default = EMBEDDED if profile.task == "toy" else PUBLISHED
    name = short_id(options.model) if options.model else default
    known = options.model == "" or "bert" in name.lower() or "minilm" in name.lower()
    if not known or "modernbert" in name.lower():
        return Model(id=name)
    return Model(id=name, lora_targets=BERT["lora_targets"], unquantised=BERT["unquantised"])


def cases(options: Options) -> tuple[Case, ...]:
    """Every case that the options ask for, profile by profile, regime by regime.

    Raises:
        UsageError: an unknown profile or regime, or a count that makes no sense.
    """
    if options.trials < 0 or options.steps < 0:
        raise UsageError("trials and steps cannot be negative; 0 means the profile's own")
    chosen = [PROFILES[pick("profile", name, PROFILES)] for name in dict.fromkeys(options.profiles)]
    known = regimes()
    names = [pick("regime", name, known) for name in dict.fromkeys(options.regimes)]
    return tuple(_case(options, profile, name, known[name]) for profile in chosen for name in names)


def _case(options: Options, profile: Profile, regime: str, transforms: tuple[Transform, ...]) -> Case:
    model = model_of(options, profile)
    sized = replace(
        profile,
        trials=options.trials or profile.trials,
        max_steps=options.steps or profile.max_steps,
        lr_scale=profile.lr_scale if model.id == EMBEDDED else 1.0,
    )
    # The embedded model knows no words but the toy's: data of the user's own goes with a model of the user's own.
    task = tasks()["sst2" if options.data and options.model else profile.task]
    return Case(
        task=task.name,
        task_revision=task.revision,
        regime=regime,
        transforms=tuple(describe(t) for t in transforms),
        profile=sized,
        model=model,
        weights=options.weights,
        device=profile.device,
        seed=SEED,
    )


def digest(case: Case) -> str:
    """Digest of what decides a case's numbers: transforms, profile and task revision.

    How many trials are made, how long they may take and what they are guessed to cost decide nothing.
    """
    what = asdict(replace(case, profile=replace(case.profile, trials=0, timeout=0.0, guess=0.0)))
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def difference(old: Case, new: Case) -> str:
    """What tells two cases apart, in words: "profile.max_steps 120 -> 60; transforms[0].lr 2e-05 -> 3e-05"."""
    a, b = _flat(asdict(old)), _flat(asdict(new))
    hidden = {"profile.trials", "profile.timeout", "profile.guess"}
    moved = [k for k in sorted(a.keys() | b.keys()) if a.get(k) != b.get(k) and k not in hidden]
    return "; ".join(f"{k} {a.get(k, 'absent')} -> {b.get(k, 'absent')}" for k in moved)


def _flat(value: JSON, path: str = "") -> dict[str, JSON]:
    if isinstance(value, Mapping):
        return {
            k: v for key, sub in value.items() for k, v in _flat(sub, f"{path}.{key}" if path else str(key)).items()
        }
    if isinstance(value, list | tuple):
        return {k: v for i, sub in enumerate(value) for k, v in _flat(sub, f"{path}[{i}]").items()}
    return {path: value}


def slug(case: Case) -> str:
    """A file name for a case, safe on every system, one to one for names that are already safe.

    A name that had to be cleaned or cut ends in a digest of the original, so that two never meet.
    """
    parts = [case.task, case.regime, case.profile.name, case.model.id, case.weights, case.device, f"s{case.seed}"]
    raw = "--".join(str(p) for p in parts)
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", raw)
    safe = re.sub(r"\.\.+", ".", safe).strip(".-")[:120]
    if safe == raw:
        return safe
    return f"{safe.strip('.-')}-{hashlib.sha256(raw.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
