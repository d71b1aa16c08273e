"""Regimes: tuples of transforms exactly as the design spells them, and what each transform does to a model."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from types import SimpleNamespace
from typing import Any

import pytest

from benchsuite import cases, codec, registry
from benchsuite.cases import PROFILES, SEED
from benchsuite.nouns import Device, Model, Options, Plan, Setting, Transform
from benchsuite.regimes.autocast import Autocast
from benchsuite.regimes.buckets import Buckets
from benchsuite.regimes.checkpointing import Checkpointing
from benchsuite.regimes.cuda_graphs import CudaGraphs
from benchsuite.regimes.fixed_padding import FixedPadding
from benchsuite.regimes.half import Half
from benchsuite.regimes.int8 import Int8
from benchsuite.regimes.lora import Lora
from benchsuite.regimes.nf4 import Nf4
from benchsuite.regimes.recipe import Recipe

SETTING = Setting(
    model=Model(id="bert"), profile=PROFILES["tiny"], device=Device.CPU, capability=None, seed=SEED
)  # fmt: skip
NF4, LORA = Nf4(double_quant=True, compute="float16", unquantised="float16"), Lora(r=16, alpha=32, dropout=0.1)
PLAIN_NF4 = replace(NF4, double_quant=False)
ADAPTERS = Recipe(lr=2e-4, decay=0.01, warmup=0.1)

SPELLED: dict[str, tuple[Transform, ...]] = {
    "fp32": (FixedPadding(128), Recipe(lr=2e-5)),
    "qlora": (NF4, Checkpointing(reentrant=True), LORA, FixedPadding(128), ADAPTERS),
    "lora": (LORA, FixedPadding(128), ADAPTERS),
    "amp": (Autocast(), FixedPadding(128), Recipe(lr=2e-5)),
    "lora-half": (Half("float16"), LORA, FixedPadding(128), ADAPTERS),
    "int8-lora": (Int8(threshold=6.0, unquantised="float16"), LORA, FixedPadding(128), ADAPTERS),
    "qlora-nodq": (PLAIN_NF4, Checkpointing(reentrant=True), LORA, FixedPadding(128), ADAPTERS),
    "qlora-nogc": (NF4, LORA, FixedPadding(128), ADAPTERS),
    "qlora-nodq-nogc": (PLAIN_NF4, LORA, FixedPadding(128), ADAPTERS),
    "amp-fast": (Autocast(), CudaGraphs(), Buckets(128), Recipe(lr=2e-5)),
}


@pytest.mark.parametrize("regime", SPELLED)
def test_a_regime_is_what_the_design_says(regime: str) -> None:
    """The same transforms with the same parameters in the same order."""
    assert registry.regimes()[regime] == SPELLED[regime]


@pytest.mark.parametrize("regime", sorted(SPELLED.keys() - {"amp-fast"}))
def test_a_dynamic_twin_differs_in_its_padding_alone(regime: str) -> None:
    """`NAME-dyn` has buckets where NAME has a fixed length, and all else in its place."""
    twin = registry.regimes()[f"{regime}-dyn"]
    assert Buckets(128) in twin
    assert tuple(FixedPadding(128) if part == Buckets(128) else part for part in twin) == SPELLED[regime]


@pytest.mark.parametrize("regime", sorted(registry.regimes()))
def test_a_regime_is_data(regime: str) -> None:
    """Every transform of it goes into the case with all of its parameters, as JSON that comes back."""
    (case,) = cases.cases(Options(profiles=("tiny",), regimes=(regime,)))
    assert [t["name"] for t in case.transforms] == [type(t).__name__ for t in registry.regimes()[regime]]
    assert codec.decode(type(case), codec.loads(codec.dumps(case))) == case


def test_transforms_cannot_be_changed_after_they_were_made() -> None:
    """A regime is shared by every case of a run."""
    with pytest.raises(FrozenInstanceError):
        LORA.r = 8  # type: ignore[misc]


def test_only_adapters_save_an_adapter() -> None:
    """What is saved decides how it is reloaded."""
    adapters = {name for name, transforms in registry.regimes().items() if any(t.adapter for t in transforms)}
    assert {"qlora", "lora"} <= adapters
    assert not adapters & {"fp32", "amp"}


def test_a_transform_does_nothing_unless_it_says_so() -> None:
    """Every hook of the base passes through what it is given."""
    plain, model = Transform(), object()
    plan = Plan(dtype="float32", quantisation={}, max_length=1, padding="fixed", autocast="", arguments={})
    assert plain.plan(plan, SETTING) is plan
    assert plain.trainer(dict, SETTING) is dict
    assert plain.sealed is False
    assert plain.loaded(model, SETTING) is plain.prepare(model, SETTING) is plain.restore(model, "", SETTING) is model


@pytest.mark.parametrize(("length", "limit", "padded"), [(128, 32, 32), (128, 128, 128), (16, 32, 16)])
def test_padding_is_the_shorter_of_its_length_and_the_profiles(length: int, limit: int, padded: int) -> None:
    """Every example to one length."""
    setting = replace(SETTING, profile=replace(PROFILES["tiny"], max_length=limit))
    plan = Plan(dtype="float32", quantisation={}, max_length=limit, padding="longest", autocast="", arguments={})
    made = FixedPadding(length).plan(plan, setting)
    assert (made.padding, made.max_length) == ("fixed", padded)


class Recorder:
    """A model that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def enable_input_require_grads(self) -> None:
        """Note it."""
        self.told.append("inputs")

    def gradient_checkpointing_enable(self, gradient_checkpointing_kwargs: dict[str, Any]) -> None:
        """Note it."""
        self.told.append(gradient_checkpointing_kwargs)


@pytest.mark.parametrize(
    ("reentrant", "told"), [(True, ["inputs", {"use_reentrant": True}]), (False, [{"use_reentrant": False}])]
)
def test_checkpointing_says_its_form_and_lets_gradients_in(reentrant: bool, told: list[Any]) -> None:
    """The reentrant form passes none through a segment whose inputs need none."""
    model = Recorder()
    assert Checkpointing(reentrant=reentrant).prepare(model, SETTING) is model
    assert model.told == told


def test_nf4_switches_the_cpu_fast_path_off() -> None:
    """It repacks weights in place in evaluation, and training after it breaks."""
    quantised, plain = SimpleNamespace(support_avx512bf16_for_cpu=True), SimpleNamespace()
    model = SimpleNamespace(modules=lambda: [quantised, plain])
    assert NF4.loaded(model, SETTING) is model
    assert quantised.support_avx512bf16_for_cpu is False
    assert not hasattr(plain, "support_avx512bf16_for_cpu")


@pytest.mark.parametrize(
    ("limit", "widths"), [(32, (16, 32)), (128, (16, 32, 48, 64, 96, 128)), (512, (16, 32, 48, 64, 96, 128)), (8, (8,))]
)
def test_buckets_are_few_and_end_at_the_shorter_limit(limit: int, widths: tuple[int, ...]) -> None:
    """At most six shapes, none beyond what a row may have."""
    setting = replace(SETTING, profile=replace(PROFILES["tiny"], max_length=limit))
    plan = Plan(dtype="float32", quantisation={}, max_length=limit, padding="fixed", autocast="", arguments={})
    made = Buckets(128).plan(plan, setting)
    assert (made.padding, made.max_length, made.widths) == ("longest", widths[-1], widths)


def test_graphs_are_for_a_gpu_and_kept_from_the_probe() -> None:
    """On a CPU the Trainer stays as it is; on CUDA it is a subclass that replays."""
    assert CudaGraphs().trainer(dict, SETTING) is dict
    assert issubclass(CudaGraphs().trainer(dict, replace(SETTING, device=Device.CUDA)), dict)
    assert CudaGraphs.sealed
