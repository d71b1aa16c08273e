"""A run with one verdict of each outcome, for tests of comparing and reporting. Pure, nothing measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from factories import make_baseline, make_case, make_environment, make_provenance, make_record

from benchsuite.cases import PROFILES, digest, slug
from benchsuite.compare import judge_case
from benchsuite.nouns import (
    Better,
    Case,
    CaseResult,
    Device,
    Kind,
    Measured,
    Metric,
    Model,
    Predictions,
    Record,
    Role,
    RunResult,
    Status,
)
from benchsuite.registry import judges

GOLDEN = Path(__file__).parent / "golden"
PUBLISHED = Path(__file__).parents[1] / "baselines" / "published" / "tesla-t4.json"
GPU = "nvidia-h100-80gb"
MIB = 2**20


def _metric(name: str, unit: str, kind: Kind, title: str, **more: Any) -> Metric:
    return Metric(name=name, unit=unit, kind=kind, concern="test", title=title, **more)


LOWER, HIGHER = {"better": Better.LOWER}, {"better": Better.HIGHER}
METRICS = {
    m.name: m
    for m in (
        _metric("params.trainable", "1", Kind.EXACT, "trainable parameters"),
        _metric("params.total", "1", Kind.EXACT, "all parameters"),
        _metric("model.modules", "", Kind.EXACT, "modules and dtypes"),
        _metric("model.dtypes", "", Kind.EXACT, "elements by dtype"),
        _metric("optimizer.lr", "", Kind.EXACT, "learning rate by step"),
        _metric("kernels.by_name", "", Kind.EXACT, "kernels by name", role=Role.EXPLAIN),
        _metric("count.kernels.step", "1", Kind.COUNT, "kernel launches a step", **LOWER),
        _metric("vram.peak.train", "B", Kind.BYTES, "peak VRAM, training", **LOWER),
        _metric("vram.after_reload", "B", Kind.BYTES, "VRAM after reload", **LOWER),
        _metric("vram.peak.evaluate", "B", Kind.BYTES, "peak VRAM, evaluation", **LOWER),
        _metric("device.kernel_time.step", "s", Kind.DEVICE, "kernel time a step", **LOWER),
        _metric("time.train", "s", Kind.WALL, "training wall time", **LOWER),
        _metric("latency.sample", "s", Kind.WALL, "latency per sample", **LOWER),
        _metric("quality.accuracy.reloaded", "1", Kind.QUALITY, "accuracy after reload", **HIGHER),
        _metric("quality.logits", "", Kind.QUALITY, "logits", judge="distance", depends_on=("cpu_capability",)),
    )
}


def values(**moved: Any) -> dict[str, Measured]:
    """A GPU trial's metrics, with any replaced by value; dots of names are written as two underscores."""
    found: dict[str, Any] = {
        "params.trainable": 591_362,
        "params.total": 109_483_778,
        "count.kernels.step": 1678,
        "vram.peak.train": 432 * MIB,
        "vram.after_reload": 94_581_555,
        "vram.peak.evaluate": 512 * MIB,
        "device.kernel_time.step": 0.00957,
        "time.train": 120.5,
        "latency.sample": 0.00181,
        "quality.accuracy.reloaded": 0.906,
    }
    found |= {name.replace("__", "."): value for name, value in moved.items()}
    return {name: value if isinstance(value, Measured) else Measured(value=value) for name, value in found.items()}


def structures(dtype: str = "float16", kernels: int = 96) -> dict[str, Any]:
    """A fingerprint: twelve quantised layers, the rest in `dtype`, a constant learning rate, two kernels by name."""
    packed = {"class": "Linear4bit", "dtype": "uint8", "quant": "nf4", "trains": False}
    layers = [f"bert.encoder.layer.{i}" for i in range(12)]
    modules = {
        "bert.embeddings.word_embeddings": {"class": "Embedding", "dtype": dtype, "trains": False},
        **{f"{layer}.attention.self.query": packed for layer in layers},
        **{f"{layer}.output.LayerNorm": {"class": "LayerNorm", "dtype": dtype, "trains": False} for layer in layers},
        "classifier": {"class": "Linear", "dtype": dtype, "trains": True},
    }
    return {
        "model.modules": modules,
        "model.dtypes": {dtype: 23_959_961, "uint8": 42_467_328},
        "optimizer.lr": [2e-4] * 10,
        "kernels.by_name": {"gemm": 300, "dequantise": kernels},
    }


def accuracy(lost: int = 0) -> Measured:
    """872 examples, 790 of them right but for the first `lost`."""
    samples = (0.0,) * lost + (1.0,) * (790 - lost) + (0.0,) * 82
    return Measured(value=sum(samples) / 872, samples=samples)


def gpu_case(regime: str = "qlora") -> Case:
    """A `quick` case on a GPU."""
    return make_case(
        task="sst2",
        regime=regime,
        profile=PROFILES["quick"],
        device=Device.CUDA,
        model=Model(id="bert-base-uncased"),
        transforms=({"name": "Recipe", "lr": 2e-4},),
    )


def gpu_record(case: Case, trial: int = 0, **overrides: Any) -> Record:
    """A good trial on a GPU whose times move by 1 % from trial to trial."""
    environment = make_environment(machine=GPU, hardware={"gpu": "NVIDIA H100", "cpu_capability": "AVX512"})
    moved = {"time.train": 120.5 * (1 + trial / 100), "latency.sample": 0.00181 * (1 + trial / 100)}
    fields: dict[str, Any] = {
        "case": case,
        "trial": trial,
        "environment": environment,
        "provenance": make_provenance(data="real", weights="real"),
        "metrics": values()
        | {n: Measured(value=v) for n, v in moved.items()}
        | {"quality.accuracy.reloaded": accuracy()},
        "fingerprint": structures(),
        "predictions": Predictions(labels=(0, 1), logits=((1.0, -1.0), (-0.5, 0.5))),
    }
    return make_record(**fields | overrides)


def result(case: Case, records: tuple[Record, ...], baseline: Any, **more: Any) -> CaseResult:
    """The case judged as the suite judges it."""
    given = {"metrics": METRICS, "judges": judges(), "tolerances": {}} | more
    name = slug(case)
    verdicts = judge_case(slug=name, case=case, digest=digest(case), baseline=baseline, trials=records, **given)
    return CaseResult(slug=name, case=case, records=records, baseline=baseline, verdicts=verdicts)


def gpu_baseline(case: Case, count: int = 5) -> Any:
    """Approved trials of `gpu_record`."""
    return make_baseline(case=case, machine=GPU, trials=tuple(gpu_record(case, i) for i in range(count)))


def upgraded() -> CaseResult:
    """QLoRA after an upgrade that went wrong in several ways at once; one trial failed."""
    case = gpu_case()
    packages = dict(make_environment().packages) | {"transformers": "6.0.0"}
    environment = make_environment(
        machine=GPU, hardware={"gpu": "NVIDIA H100", "cpu_capability": "AVX2"}, packages=packages
    )
    metrics = values(
        vram__after_reload=142_501_478,
        count__kernels__step=1600,
        device__kernel_time__step=0.00957,
        time__train=138.0,
        quality__accuracy__reloaded=accuracy(lost=20),
        energy__train=Measured(value=1234.5),
    )
    del metrics["vram.peak.evaluate"]
    good = gpu_record(case, environment=environment, metrics=metrics, fingerprint=structures("float32", 120))
    bad = gpu_record(
        case, 1, environment=environment, status=Status.FAILED, problem="the worker died of signal 9\n(out of memory?)"
    )
    return result(case, (good, bad), gpu_baseline(case))


def run(*results: CaseResult) -> RunResult:
    """A run of these cases with the published figures beside."""
    return RunResult(run="20251104-070000-0a1b2c", machine=GPU, results=results, published=published())


def published() -> dict[str, Any]:
    """The published file."""
    loaded: dict[str, Any] = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    return loaded


def cpu_result() -> CaseResult:
    """The tiny case on the CPU, first time: nothing to compare with, no VRAM, a run of five seconds."""
    case = make_case()
    metrics = values(time__train=4.81)
    for name in [n for n in metrics if n.startswith(("vram", "device", "count"))]:
        del metrics[name]
    return result(case, (make_record(case=case, metrics=metrics, fingerprint=structures()),), None)


def unchanged() -> CaseResult:
    """FP32 on the GPU, five trials like the baseline's."""
    case = gpu_case("fp32")
    return result(case, tuple(gpu_record(case, i) for i in range(5)), gpu_baseline(case))
