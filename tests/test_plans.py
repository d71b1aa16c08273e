"""Plans: what a regime tells the Trainer and bitsandbytes, spelled out; the arithmetic of steps."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite import plans, registry
from benchsuite.cases import PROFILES, SEED
from benchsuite.nouns import JSON, Device, Model, Plan, Setting

BERT = Model(id="bert-base-uncased", lora_targets=("query", "value"), unquantised=("classifier",))
FULL = Setting(model=BERT, profile=PROFILES["full"], device=Device.CUDA, capability=(7, 5), seed=SEED)


def plan(regime: str, setting: Setting = FULL) -> Plan:
    """A regime's plan."""
    return plans.plan_for(registry.regimes()[regime], setting)


PUBLISHED: Mapping[str, JSON] = {
    "optim": "adamw_torch_fused", "adam_beta1": 0.9, "adam_beta2": 0.999, "adam_epsilon": 1e-8, "max_grad_norm": 1.0,
    "gradient_accumulation_steps": 1, "label_smoothing_factor": 0.0, "bf16": False, "fp16": False,
    "dataloader_num_workers": 0, "dataloader_pin_memory": True, "dataloader_drop_last": False,
    "remove_unused_columns": True, "logging_strategy": "steps", "logging_nan_inf_filter": False,
    "eval_strategy": "epoch", "save_strategy": "no", "report_to": "none", "disable_tqdm": True,
    "full_determinism": False, "per_device_train_batch_size": 16, "per_device_eval_batch_size": 32,
    "num_train_epochs": 2, "max_steps": -1, "logging_steps": 100, "seed": 42, "data_seed": 42,
    "learning_rate": 2e-5, "weight_decay": 0.0, "warmup_share": 0.0, "lr_scheduler_type": "linear",
}  # fmt: skip
"""FP32's arguments under `full`: the published protocol."""
ADAPTER = {"learning_rate": 2e-4, "weight_decay": 0.01, "warmup_share": 0.1}


def test_fp32_is_the_published_protocol() -> None:
    """Everything that decides a number is named, and nothing else is."""
    assert plan("fp32") == Plan(
        dtype="float32", quantisation={}, max_length=128, padding="fixed", autocast="", arguments=dict(PUBLISHED)
    )


def test_qlora_is_the_published_run_as_it_really_was() -> None:
    """nf4 with double quantisation and fp16 compute, the rest in fp16, the adapter's recipe."""
    assert plan("qlora") == Plan(
        dtype="float16",
        quantisation={
            "load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True,
            "bnb_4bit_compute_dtype": "float16", "llm_int8_skip_modules": ["classifier"],
        },
        max_length=128, padding="fixed", autocast="", arguments={**PUBLISHED, **ADAPTER},
    )  # fmt: skip


def test_lora_takes_qloras_recipe_on_an_fp32_base() -> None:
    """Nothing is quantised."""
    assert plan("lora") == replace(plan("fp32"), arguments={**PUBLISHED, **ADAPTER})


def test_lora_half_is_lora_on_a_half_precision_base() -> None:
    """Nothing else of the plan differs."""
    assert plan("lora-half") == replace(plan("lora"), dtype="float16")


def test_int8_names_its_threshold_and_what_it_keeps() -> None:
    """LLM.int8, the rest in the dtype in which qlora has it."""
    config = {"load_in_8bit": True, "llm_int8_threshold": 6.0, "llm_int8_skip_modules": ["classifier"]}
    assert plan("int8-lora") == replace(plan("lora"), dtype="float16", quantisation=config)


@pytest.mark.parametrize("regime", ["fp32", "amp", "qlora", "int8-lora"])
def test_a_dynamic_twin_trains_by_the_same_arguments(regime: str) -> None:
    """Rows, epochs, batch size, learning rate: the protocol stays, but for the padding."""
    widths = (16, 32, 48, 64, 96, 128)
    assert plan(f"{regime}-dyn") == replace(plan(regime), padding="longest", widths=widths)
    assert plan("amp-fast") == plan("amp-dyn")


@pytest.mark.parametrize(
    ("device", "capability", "dtype", "flag"),
    [
        (Device.CUDA, (7, 0), "float16", "fp16"),
        (Device.CUDA, (7, 5), "float16", "fp16"),
        (Device.CUDA, (8, 0), "bfloat16", "bf16"),
        (Device.CUDA, (9, 0), "bfloat16", "bf16"),
        (Device.CUDA, (12, 0), "bfloat16", "bf16"),
        (Device.CPU, None, "bfloat16", "bf16"),
    ],
)
def test_amp_takes_fp32s_recipe_in_the_half_that_the_device_has(
    device: Device, capability: tuple[int, int] | None, dtype: str, flag: str
) -> None:
    """fp16 on 7.x, bf16 from 8.0 on and on the CPU; weights stay 32-bit."""
    setting = replace(FULL, device=device, capability=capability)
    assert plan("amp", setting) == replace(plan("fp32"), autocast=dtype, arguments={**PUBLISHED, flag: True})


def test_a_profile_scales_the_rate_and_cuts_the_length() -> None:
    """`tiny` trains a narrow model: a greater rate, shorter texts, its own batches; its steps are the profile's."""
    tiny = plan("fp32", replace(FULL, profile=PROFILES["tiny"], device=Device.CPU, capability=None))
    assert tiny.arguments["learning_rate"] == pytest.approx(2e-5 * PROFILES["tiny"].lr_scale)
    assert tiny.max_length == min(128, PROFILES["tiny"].max_length)
    short = plan("fp32", replace(FULL, profile=replace(PROFILES["tiny"], max_steps=7)))
    assert short.arguments["max_steps"] == 7


def test_the_modules_kept_are_the_models() -> None:
    """Resolved names reach bitsandbytes' list."""
    setting = replace(FULL, model=replace(BERT, unquantised=("score", "pooler")))
    assert plan("qlora", setting).quantisation["llm_int8_skip_modules"] == ["score", "pooler"]


def test_planning_leaves_the_pinned_base_as_it_is() -> None:
    """Making plans is pure: the same twice, and nothing shared is written."""
    before = dict(plans.BASE_ARGUMENTS)
    assert plan("qlora") == plan("qlora")
    plan("amp")
    assert before == plans.BASE_ARGUMENTS


def test_planning_imports_no_torch() -> None:
    """All regimes are planned in a process that never sees it."""
    code = (
        "import sys\nfrom benchsuite import cases, plans, registry\nfrom benchsuite.nouns import *\n"
        "for case in cases.cases(Options(regimes=tuple(registry.regimes()))):\n"
        "    s = Setting(model=case.model, profile=case.profile, device=case.device, capability=None, seed=case.seed)\n"
        "    plans.plan_for(registry.regimes()[case.regime], s)\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------- steps


@pytest.mark.parametrize(
    ("rows", "epochs", "batch", "limit", "steps"),
    [(20_000, 2, 16, -1, 2500), (1600, 2, 16, -1, 200), (17, 1, 16, -1, 2), (20_000, 2, 16, 60, 60), (1, 1, 16, -1, 1)],
)
def test_steps_of_a_training(rows: int, epochs: int, batch: int, limit: int, steps: int) -> None:
    """Epochs of whole batches, the last one short; a limit wins."""
    profile = replace(PROFILES["full"], epochs=epochs, train_batch=batch, max_steps=limit)
    assert plans.total_steps(profile, rows) == steps


@pytest.mark.parametrize(("share", "steps", "warmup"), [(0.1, 2500, 250), (0.1, 12, 2), (0.0, 2500, 0), (0.1, 1, 1)])
def test_warm_up_is_whole_steps_rounded_up(share: float, steps: int, warmup: int) -> None:
    """As the Trainer's `warmup_ratio` did."""
    assert plans.warmup_steps(share, steps) == warmup


@given(st.integers(0, 100_000))
def test_some_steps_are_always_counted(steps: int) -> None:
    """The first tenth, at most 20, at least one is warm-up; a single step counts."""
    uncounted = plans.uncounted_steps(steps)
    assert 0 <= uncounted <= 20
    assert uncounted <= max(1, steps // 10)
    assert uncounted < max(steps, 1)
