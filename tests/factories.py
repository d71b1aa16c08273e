"""Makes plausible cases, records and baselines for tests.

The figures look like a tiny CPU trial's; trials differ a little in their times and in nothing else,
as same-seed reruns do. Override any field by name, e.g. `make_record(trial=3, status=Status.FAILED)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchsuite.cases import PROFILES, digest
from benchsuite.nouns import (
    JSON,
    SCHEMA,
    Approval,
    Baseline,
    Case,
    Device,
    Environment,
    Measured,
    Model,
    Predictions,
    Provenance,
    Record,
    Status,
    Weights,
)

MACHINE = "cpu-x86_64"
PACKAGES: Mapping[str, str] = {
    "accelerate": "1.14.0",
    "benchsuite": "0.1.0",
    "bitsandbytes": "0.50.2",
    "datasets": "5.0.0",
    "peft": "0.21.2",
    "pytest": "9.2.0",
    "tokenizers": "0.23.0",
    "torch": "2.13.0+cpu",
    "transformers": "5.23.0",
}
FREEZE = tuple(f"{n}=={v.split('+')[0]}" for n, v in sorted(PACKAGES.items()) if n != "benchsuite")


def make_case(**overrides: Any) -> Case:
    """FP32 under `tiny`, with any field replaced."""
    fields: dict[str, Any] = {
        "task": "toy",
        "task_revision": "1",
        "regime": "fp32",
        "transforms": (
            {"name": "FixedPadding", "length": 128},
            {"name": "Recipe", "lr": 2e-05, "decay": 0.0, "warmup": 0.0},
        ),
        "profile": PROFILES["tiny"],
        "model": Model(id="toy-bert", lora_targets=("query", "value"), unquantised=("classifier",)),
        "weights": Weights.PRETRAINED,
        "device": Device.CPU,
        "seed": 42,
    }
    return Case(**fields | overrides)


def make_environment(**overrides: Any) -> Environment:
    """A two-threaded CPU machine with today's libraries, with any field replaced."""
    fields: dict[str, Any] = {
        "machine": MACHINE,
        "hardware": {
            "cpu_model": "Example CPU @ 2.00GHz",
            "cpu_capability": "AVX512",
            "threads": 2,
            "python": "3.12",
        },
        "packages": dict(PACKAGES),
        "notes": {"torch_build": "2.13.0+cpu", "variables": {"OMP_NUM_THREADS": "2"}},
    }
    return Environment(**fields | overrides)


def make_provenance(**overrides: Any) -> Provenance:
    """The embedded toy's inputs, with any field replaced."""
    fields: dict[str, Any] = {
        "data": "synthetic",
        "data_digest": "5f1d0c3b9a7e4420",
        "weights": "synthetic",
        "weights_digest": "c2a96e01b7f34d58",
    }
    return Provenance(**fields | overrides)


def make_metrics(trial: int = 0) -> dict[str, Measured]:
    """One metric or more of each kind; times move by about 1 % from trial to trial, the rest not at all."""
    steps = tuple(round(0.0121 + 0.0001 * ((trial + step) % 5), 6) for step in range(12))
    return {
        "params.trainable": Measured(value=120_386),
        "count.operators.step": Measured(value=742.0),
        "memory.peak.train": Measured(value=461_373_440),
        "time.train": Measured(value=round(4.81 + 0.03 * trial, 4)),
        "time.step": Measured(value=sorted(steps)[len(steps) // 2], samples=steps),
        "quality.accuracy.reloaded": Measured(value=0.96),
        "quality.loss.train": Measured(value=0.2336),
    }


def make_fingerprint() -> dict[str, JSON]:
    """Structures as a trial records them: a module map, optimizer groups, a learning-rate series."""
    return {
        "model.modules": {
            "bert.embeddings.word_embeddings": {"type": "Embedding", "dtype": "float32", "shape": [256, 64]},
            "classifier": {"type": "Linear", "dtype": "float32", "shape": [2, 64]},
        },
        "optimizer.groups": [{"lr": 0.0005, "weight_decay": 0.0, "parameters": 39}],
        "optimizer.lr": [0.0005, 0.00025, 0.0],
        "data.tokens": "9be1f7c4d02a6e53",
    }


def make_record(**overrides: Any) -> Record:
    """A trial of `make_case()` that went well, with any field replaced; `trial` moves the times a little."""
    case = overrides.get("case") or make_case()
    trial = overrides.get("trial", 0)
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "suite": "0.1.0",
        "case": case,
        "digest": digest(case),
        "trial": trial,
        "pair": None,
        "order": None,
        "started": f"2025-11-03T10:{trial % 60:02d}:00+00:00",
        "seconds": 12.5,
        "status": Status.OK,
        "problem": "",
        "environment": make_environment(),
        "provenance": make_provenance(),
        "injected": "",
        "metrics": make_metrics(trial),
        "fingerprint": make_fingerprint(),
        "predictions": Predictions(
            labels=(0, 1, 1, 0),
            logits=((1.25, -0.75), (-0.5, 0.625), (0.125, 0.25), (2.0, -1.5)),
        ),
    }
    return Record(**fields | overrides)


def make_approval(**overrides: Any) -> Approval:
    """A first promotion, with any field replaced."""
    fields: dict[str, Any] = {
        "when": "2025-11-03T12:00:00+00:00",
        "reason": "first figures of this machine",
        "runs": ("20251103-100000-ab12cd",),
        "suite": "0.1.0",
        "only": "",
        "changes": (),
    }
    return Approval(**fields | overrides)


def make_baseline(*, count: int = 5, **overrides: Any) -> Baseline:
    """`count` approved trials of one case, with any field replaced."""
    case = overrides.get("case") or make_case()
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "machine": MACHINE,
        "case": case,
        "digest": digest(case),
        "trials": tuple(make_record(case=case, trial=i) for i in range(count)),
        "history": (make_approval(),),
        "freeze": FREEZE,
    }
    return Baseline(**fields | overrides)
