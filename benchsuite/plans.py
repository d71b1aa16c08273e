"""A regime's transforms, folded into one plan: pure."""

from __future__ import annotations

import math
from collections.abc import Iterable

from .nouns import Plan, Profile, Setting, Transform

BASE_ARGUMENTS = {
    # Everything of TrainingArguments that decides a number and has a default that moved, or could.
    "optim": "adamw_torch_fused",  # the published run's default under torch 2.8; "adamw_torch" before
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
    "adam_epsilon": 1e-8,
    "max_grad_norm": 1.0,
    "gradient_accumulation_steps": 1,
    "label_smoothing_factor": 0.0,
    "bf16": False,
    "fp16": False,
    "dataloader_num_workers": 0,
    "dataloader_pin_memory": True,
    "dataloader_drop_last": False,
    "remove_unused_columns": True,
    "logging_strategy": "steps",
    "logging_nan_inf_filter": False,  # a NaN loss is to be seen, not replaced
    "eval_strategy": "epoch",
    "save_strategy": "no",
    "report_to": "none",
    "disable_tqdm": True,
    "full_determinism": False,
}


def plan_for(transforms: Iterable[Transform], setting: Setting) -> Plan:
    """The plan of a regime under a setting: the pinned base, then each transform in its order."""
    profile = setting.profile
    plan = Plan(
        dtype="float32",
        quantisation={},
        max_length=profile.max_length,
        padding="fixed",
        autocast="",
        arguments={
            **BASE_ARGUMENTS,
            "per_device_train_batch_size": profile.train_batch,
            "per_device_eval_batch_size": profile.eval_batch,
            "num_train_epochs": profile.epochs,
            "max_steps": profile.max_steps,
            "logging_steps": profile.logging_steps,
            "seed": setting.seed,
            "data_seed": setting.seed,
        },
    )
    for transform in transforms:
        plan = transform.plan(plan, setting)
    return plan


def total_steps(profile: Profile, rows: int) -> int:
    """Optimizer steps of a training run over `rows` examples."""
    if profile.max_steps > 0:
        return profile.max_steps
    return profile.epochs * math.ceil(rows / profile.train_batch)


def warmup_steps(share: float, steps: int) -> int:
    """A share of warm-up as whole steps, rounded up as the Trainer's `warmup_ratio` did."""
    return math.ceil(share * steps)


def uncounted_steps(steps: int) -> int:
    """Leading steps whose time is warm-up: the first 10 %, at most 20."""
    return min(20, max(1, steps // 10)) if steps > 1 else 0
