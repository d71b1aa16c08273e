"""The fingerprint of a real, tiny trial: complete, the same twice, and moved by a fault."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from factories import make_baseline

from benchsuite import cases, codec, compare, fixtures, registry
from benchsuite.meters import model_map
from benchsuite.nouns import Job, Kind, Options, Outcome, Record, Role, Status

pytestmark = pytest.mark.slow

STEPS = 4
CUDA_ONLY = (
    "vram.",
    "nvml.",
    "device.",
    "kernels.",
    "count.kernels",
    "count.cuda",
    "cuda_calls.",
    "energy.",
    "train.graphs",
)
FAULTS = """
def layer_norm_drawn_anew():
    from transformers import AutoModelForSequenceClassification as Auto

    load = Auto.from_pretrained

    def broken(*args, **kwargs):
        model = load(*args, **kwargs)
        model.bert.encoder.layer[0].attention.output.LayerNorm.weight.data.normal_()
        return model

    Auto.from_pretrained = broken
"""
"""A fault of loading that no report of the library tells."""


def start(folder, *, inject=""):
    """A worker on the QLoRA case, on its way."""
    (case,) = cases.cases(Options(profiles=("tiny",), regimes=("qlora",), steps=STEPS))
    case = replace(case, profile=replace(case.profile, train_rows=320))
    job = Job(
        cases=(case,), trial=0, pair=None, order=None, model_folder="", data="", inject=inject, machine="m",
        parent_cuda=False,
    )  # fmt: skip
    folder.mkdir()
    env = {
        **os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONHASHSEED": "0", "CUDA_VISIBLE_DEVICES": "",
        "TOKENIZERS_PARALLELISM": "false",
    }  # fmt: skip
    with (folder / "log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "benchsuite.worker", "--out", str(folder / "out.json")],
            stdin=subprocess.PIPE, stdout=log, stderr=log, env=env,
        )  # fmt: skip
    worker.stdin.write(codec.dumps(codec.encode(job)).encode())
    worker.stdin.close()
    return worker


def finish(worker, folder) -> Record:
    """Its record."""
    assert worker.wait(timeout=300) == 0, (folder / "log").read_text()[-2000:]
    (record,) = codec.decode(tuple[Record, ...], codec.loads((folder / "out.json").read_text()))
    return record


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    """Two clean trials and one with a fault, at the same time."""
    root: Path = tmp_path_factory.mktemp("trials")
    (root / "faults.py").write_text(FAULTS)
    asked = {"one": "", "two": "", "broken": f"{root / 'faults.py'}:layer_norm_drawn_anew"}
    workers = {name: start(root / name, inject=inject) for name, inject in asked.items()}
    return {name: finish(worker, root / name) for name, worker in workers.items()}


def verdicts(old, new):
    """What is said of one record against another, by metric."""
    baseline = make_baseline(case=old.case, digest=old.digest, trials=(old,), machine="m")
    found = compare.judge_case(
        slug="x", case=old.case, digest=old.digest, baseline=baseline, trials=(new,), metrics=registry.metrics(),
        judges=registry.judges(), tolerances={},
    )  # fmt: skip
    return {verdict.metric: verdict for verdict in found}


def test_a_record_holds_every_metric_that_a_cpu_can_have(trials):
    """Nothing that is declared is missing, but what only a GPU can show."""
    record = trials["one"]
    assert record.status is Status.OK, record.problem
    wanted = {name for name in registry.metrics() if not name.startswith(CUDA_ONLY)} - {"quality.logits"}
    assert wanted - (record.metrics.keys() | record.fingerprint.keys()) == set()


def test_no_probe_crashed(trials):
    """A crash is a value only where defaults are tried out."""
    found = compare.measured(trials["one"])
    crashed = [n for n, m in found.items() if "crash:" in json.dumps(m.value) and not n.startswith("defaults.")]
    assert crashed == []


SCATTERS = {"memory.heap_left_by_step"}
"""What Python itself allocates differs from process to process, by far less than its tolerance."""


def test_two_clean_trials_are_the_same(trials):
    """Every exact, counted and allocated figure is identical, and nothing is said to have changed."""
    one, two = (compare.measured(trials[name]) for name in ("one", "two"))
    kinds = (Kind.EXACT, Kind.COUNT, Kind.BYTES, Kind.QUALITY)
    stable = {name for name, metric in registry.metrics().items() if metric.kind in kinds} - SCATTERS
    moved = [
        n
        for n in sorted(stable & (one.keys() | two.keys()))
        if codec.canonical(one[n].value) != codec.canonical(two[n].value)
    ]
    assert moved == []
    assert [v.metric for v in verdicts(trials["one"], trials["two"]).values() if v.fails] == []


def test_a_fault_is_named_by_the_tensor_it_moved(trials):
    """Weights drawn anew after a clean load report are seen, and told by name."""
    found = verdicts(trials["one"], trials["broken"])["weights.loaded"]
    assert found.fails
    assert "encoder.layer.0.attention.output.LayerNorm.weight" in found.detail


def test_fixtures_build_what_the_worker_built(trials):
    """Their model has the record's module map, trainable parameters and stored elements."""
    record = trials["one"]
    built = model_map.describe(fixtures.build(record.case, Options(), device="cpu", prepared=True))
    assert built["params.trainable"] == record.metrics["params.trainable"].value
    assert built["params.stored"] == record.metrics["params.stored"].value
    assert built["model.modules"] == record.fingerprint["model.modules"]


def test_records_are_small_and_name_no_folder(trials):
    """A fingerprint is about a hundred kilobytes, and says nothing of where it was made."""
    text = json.dumps(codec.encode(trials["one"].fingerprint))
    assert len(text) < 120_000
    assert "/tmp" not in text
    assert str(Path.home()) not in text or str(Path.home()) == "/"


def test_what_only_explains_fails_nothing(trials):
    """Names of work, versions and variables cannot fail a run, whatever they say."""
    gates = {n for n, m in registry.metrics().items() if m.role is Role.GATE}
    assert not {n for n in gates if n.startswith("stack.") or n.endswith(("by_name", "by_package"))}
    assert verdicts(trials["one"], trials["two"])["stack.packages"].outcome is Outcome.OK
