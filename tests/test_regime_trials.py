"""Every regime of the matrix really trained on the embedded task, a few steps each, on the CPU.

One process trains them all without looking into them; another looks into the fast one.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchsuite import cases, checkpoints, codec, registry
from benchsuite.nouns import Job, Options, Record, Status

pytestmark = pytest.mark.slow

STEPS = 4
GRAPHS = '''"""Plays CUDA's graphs on a CPU: one does again, on the same tensors, what was recorded."""

from contextlib import nullcontext

import torch
from benchsuite import graphs
from benchsuite.regimes.cuda_graphs import CudaGraphs

recording = []


class Stream:
    def wait_stream(self, other):
        pass


class Graph:
    def replay(self):
        self.loss.copy_(self.again())


class Recording:
    def __init__(self, graph, **_):
        self.graph = graph

    def __enter__(self):
        recording.append(self.graph)

    def __exit__(self, *_):
        recording.clear()


def without_dropout():
    """Nothing is drawn, so that a step can be done twice."""
    torch.nn.Dropout.forward = lambda self, inputs: inputs
    attention = torch.nn.functional.scaled_dot_product_attention
    torch.nn.functional.scaled_dot_product_attention = lambda *a, **k: attention(*a, **{**k, "dropout_p": 0.0})


def plant():
    """Graphs on whatever device there is."""
    without_dropout()
    fakes = {"Stream": Stream, "current_stream": Stream, "stream": lambda _: nullcontext(), "CUDAGraph": Graph,
             "graph": Recording, "graph_pool_handle": object}
    for name, fake in fakes.items():
        setattr(torch.cuda, name, fake)
    CudaGraphs.trainer = lambda self, base, setting: graphs.replaying(base)
    run = graphs.Replays._run

    def noted(self, *step):
        loss = run(self, *step)
        for graph in recording:
            graph.loss, graph.again = loss, lambda: run(self, *step)
        return loss

    graphs.Replays._run = noted
'''
ADAPTED = ("lora", "lora-half", "int8-lora", "qlora", "qlora-nodq", "qlora-nogc", "qlora-nodq-nogc")
FULL = ("fp32", "amp")
ALL = (*(name for base in (*FULL, *ADAPTED) for name in (base, f"{base}-dyn")), "amp-fast")


def measured(
    regimes: Iterable[str], folder: Path, *, lean: bool, steps: int = STEPS, inject: str = ""
) -> Mapping[str, Record]:
    """Records by regime, from one process."""
    job = Job(
        cases=cases.cases(Options(profiles=("tiny",), regimes=tuple(regimes), steps=steps)), trial=0, pair=None,
        order=None, model_folder="", data="", inject=inject, machine="here", parent_cuda=False, lean=lean,
    )  # fmt: skip
    out = folder / "records.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchsuite.worker", "--out", str(out)], input=codec.dumps(job), text=True,
        env={**checkpoints.child_environment(), "OMP_NUM_THREADS": "1"}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    records = codec.decode(tuple[Record, ...], codec.loads(out.read_text()))
    return {record.case.regime: record for record in records}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Record]:
    """One lean trial of every regime."""
    return measured(ALL, tmp_path_factory.mktemp("lean"), lean=True)


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A whole trial of the fast regime."""
    return measured(["amp-fast"], tmp_path_factory.mktemp("whole"), lean=False)["amp-fast"]


def test_every_regime_is_tried_here() -> None:
    """None was added without a trial."""
    assert set(ALL) == set(registry.regimes())


@pytest.mark.parametrize("regime", ALL)
def test_a_regime_trains(records: Mapping[str, Record], regime: str) -> None:
    """To the end, with finite losses, by the fused optimizer, and its model comes back from its file."""
    record = records[regime]
    assert record.status is Status.OK, record.problem
    assert record.metrics["optimizer.updates"].value == STEPS
    assert len(record.predictions.logits) == 872
    assert [group["fused"] for group in record.fingerprint["optimizer.groups"]["groups"]] == [True] * 2


@pytest.mark.parametrize("regime", ALL)
def test_a_regime_trains_as_many_parameters_as_it_says(records: Mapping[str, Record], regime: str) -> None:
    """All of them, or LoRA's and the head."""
    alike = records["lora" if regime.removesuffix("-dyn") in ADAPTED else "fp32"]
    assert records[regime].metrics["params.trainable"] == alike.metrics["params.trainable"]
    assert records[regime].metrics["params.total"] == records["fp32"].metrics["params.total"]


def linear(record: Record) -> set[tuple[Any, ...]]:
    """Class, dtype and quantisation of the linear layers of the base."""
    layers = {k: v for k, v in record.fingerprint["model.modules"].items() if "Linear" in v["class"] and "dtype" in v}
    base = [v for k, v in layers.items() if "lora_" not in k and "classifier" not in k]
    return {(v["class"], v["dtype"], v.get("quant"), v["trains"]) for v in base}


BASES = {
    "fp32": ("Linear", "float32", None, True),
    "amp": ("Linear", "float32", None, True),
    "amp-fast": ("Linear", "float32", None, True),
    "lora": ("Linear", "float32", None, False),
    "lora-half": ("HalfLinear", "float16", None, False),
    "int8-lora": ("Linear8bitLt", "int8", None, False),
    "qlora": ("Linear4bit", "uint8", "nf4", False),
    "qlora-nodq": ("Linear4bit", "uint8", "nf4", False),
    "qlora-nogc": ("Linear4bit", "uint8", "nf4", False),
    "qlora-nodq-nogc": ("Linear4bit", "uint8", "nf4", False),
}


@pytest.mark.parametrize("regime", BASES)
def test_the_base_is_kept_as_the_regime_says(records: Mapping[str, Record], regime: str) -> None:
    """Class, dtype and whether it trains; what is not a matrix of the base is float32 in training everywhere."""
    assert linear(records[regime]) == {BASES[regime]}
    rest = set(records[regime].fingerprint["model.dtypes"]) - {BASES[regime][1]}
    assert rest <= {"float32"}


@pytest.mark.parametrize("regime", [name for name in ADAPTED if name.startswith("qlora")])
def test_double_quantisation_and_checkpointing_are_where_they_are_named(
    records: Mapping[str, Record], regime: str
) -> None:
    """Constants of constants, and recomputing."""
    record = records[regime]
    assert bool(record.fingerprint["model.quantised_bytes"]["nested"]) is ("nodq" not in regime)
    assert record.metrics["model.checkpointing"].value == ("nogc" not in regime)


def test_half_precision_alone_is_what_four_bits_round(records: Mapping[str, Record]) -> None:
    """`lora-half` starts between `lora` and `qlora-nodq-nogc`: the same draws, nearly the same losses."""
    first = {name: records[name].fingerprint["quality.validation_loss"][0] for name in ("lora", "lora-half", "qlora")}
    assert first["lora-half"] == pytest.approx(first["lora"], abs=0.002)
    assert first["lora-half"] != first["lora"]
    assert first["qlora"] == pytest.approx(first["lora"], abs=0.05)


def test_the_fast_regime_sees_every_row_once_in_few_widths(fast: Record) -> None:
    """An epoch of as many batches as any, in two shapes below the limit of 32, another order the next epoch."""
    assert fast.status is Status.OK, fast.problem
    order, shapes = fast.fingerprint["input.order"], fast.fingerprint["input.batches"]
    assert (order["rows"], order["batches"], order["as_trained"]) == (1600, 100, True)
    assert order["second_epoch"] != order["digest"]
    widths = {shape.split("input_ids int64 ")[1].split(",")[0] for shape in shapes}
    assert widths == {"16x16", "16x32"}
    assert fast.metrics["input.padding"].value == 0


def test_the_fast_regime_is_looked_into_step_by_step(fast: Record) -> None:
    """In the probe nothing is replayed: autocast, operators and gradients are seen."""
    assert fast.fingerprint["model.modes"]["training"]["autocast"] == "bfloat16"
    assert fast.metrics["count.operators.step"].value > 100
    assert fast.fingerprint["optimizer.gradient"]["gradient"] == pytest.approx(1, abs=0.01)
    assert "train.graphs" not in fast.fingerprint


def test_a_trainer_trains_the_same_by_replayed_steps(tmp_path: Path) -> None:
    """Losses, gradient norms and logits are those of steps that run as they are, to the last bit."""
    (tmp_path / "played.py").write_text(GRAPHS)
    found = measured(
        ["amp-dyn", "amp-fast"], tmp_path, lean=True, steps=40, inject=f"{tmp_path / 'played.py'}:plant"
    )  # fmt: skip
    plain, fast = found["amp-dyn"], found["amp-fast"]
    assert fast.status is Status.OK, fast.problem
    assert fast.fingerprint["train.graphs"]["recorded"] == ["16x16", "16x32"]
    assert sum(fast.fingerprint["train.graphs"]["steps"].values()) == 40
    assert "train.graphs" not in plain.fingerprint
    for name in ("quality.loss", "quality.grad_norm", "quality.validation_loss", "optimizer.lr"):
        assert fast.fingerprint[name] == plain.fingerprint[name]
    assert fast.predictions == plain.predictions
