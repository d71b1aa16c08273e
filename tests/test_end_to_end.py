"""Real trials of the embedded task on the CPU, a few steps each: what no recorded trial can show.

Each run is made once and looked at by several tests.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchsuite import checkpoints, registry, store
from benchsuite.compare import measured
from benchsuite.nouns import Kind, Record, Status

pytestmark = pytest.mark.slow

FAULTS = '''"""Faults to plant: each is called in a trial, after the libraries were imported."""

import os
import signal


def freeze_and_exhaust():
    """Freeze the embeddings of every BERT, and run out of memory in every 4-bit layer."""
    import bitsandbytes
    import torch
    import transformers

    factory = transformers.AutoModelForSequenceClassification
    load = factory.from_pretrained

    def frozen(*args, **kwargs):
        model = load(*args, **kwargs)
        model.bert.embeddings.requires_grad_(False)
        return model

    def exhausted(self, x):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    factory.from_pretrained = frozen
    bitsandbytes.nn.Linear4bit.forward = exhausted


def not_a_number():
    """Make every loss NaN."""
    import torch

    loss = torch.nn.functional.cross_entropy
    torch.nn.functional.cross_entropy = lambda *args, **kwargs: loss(*args, **kwargs) * float("nan")


def killed():
    """Die in the first step, as the system's out-of-memory killer would have it."""
    import transformers

    transformers.Trainer.training_step = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
'''


class Runs:
    """`benchsuite run` in one folder, each run under a name of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "faults.py").write_text(FAULTS)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The command, in a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "benchsuite", *words], cwd=self.folder, env=checkpoints.child_environment(),
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def run(self, *words: str) -> tuple[subprocess.CompletedProcess[str], dict[str, tuple[Record, ...]]]:
        """A run of 12 steps, and its records by regime."""
        done = self.command("run", "--steps", "12", "--json", "verdicts.json", *words)
        records: dict[str, tuple[Record, ...]] = {}
        for record in store.load_run((self.folder / "results" / "latest").resolve()):
            records[record.case.regime] = (*records.get(record.case.regime, ()), record)
        return done, records

    def verdicts(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """The last run's verdicts by regime and metric."""
        data = json.loads((self.folder / "verdicts.json").read_text())
        return {(v["case"].split("--")[1], v["metric"]): v for v in data}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """One folder for all runs of this file."""
    return Runs(tmp_path_factory.mktemp("runs"))


Twice = tuple[subprocess.CompletedProcess[str], dict[str, tuple[Record, ...]]]


@pytest.fixture(scope="module")
def twice(runs: Runs) -> Twice:
    """Two trials of FP32, promoted."""
    made = runs.run("--regimes", "fp32", "--trials", "2")
    promoted = runs.command("promote", "latest", "--reason", "first figures")
    assert promoted.returncode == 0, promoted.stderr
    return made


@pytest.fixture(scope="module")
def faulty(runs: Runs, twice: Twice) -> tuple[Twice, dict[tuple[str, str], Mapping[str, Any]]]:
    """FP32 with frozen embeddings, judged against its baseline, and QLoRA without memory."""
    made = runs.run("--regimes", "qlora,fp32", "--inject", "faults.py:freeze_and_exhaust")
    return made, runs.verdicts()


def repeatable(record: Record) -> dict[str, Any]:
    """Values of a record that must come out alike, by metric."""
    kinds = {name: metric.kind for name, metric in registry.metrics().items()}
    return {n: m for n, m in measured(record).items() if kinds[n] in (Kind.EXACT, Kind.QUALITY, Kind.COUNT)}


def test_the_same_trial_twice_is_the_same(twice: Twice) -> None:
    """Every exact and quality value is identical, to the last bit of the logits."""
    done, records = twice
    assert done.returncode == 0, done.stderr
    one, two = records["fp32"]
    assert one.status is two.status is Status.OK
    assert repeatable(one) == repeatable(two)
    assert one.predictions == two.predictions
    assert len(one.predictions.logits) == 872
    assert {"params.trainable", "quality.loss", "quality.logits", "model.modules"} <= repeatable(one).keys()


def test_a_trial_measures_what_is_declared_and_nothing_else(twice: Twice) -> None:
    """Every metric of a record is owned by a meter; samples are there where rounds are."""
    _, records = twice
    for record in records["fp32"]:
        assert set(record.metrics) | set(record.fingerprint) <= registry.metrics().keys()
        assert len(record.metrics["time.step"].samples) == 11
        assert record.metrics["time.train"].value > 0
        assert record.seconds > record.metrics["time.train"].value


def test_a_trial_leaves_nothing_but_its_record_and_log(runs: Runs, twice: Twice) -> None:
    """Neither a checkpoint nor a half-written file."""
    first = min(p for p in (runs.folder / "results").iterdir() if not p.is_symlink())
    names = sorted(p.name for p in first.rglob("*") if p.is_file())
    records = [n for n in names if n.endswith(".json") and n != "verdicts.json"]
    logs = [n for n in names if n.endswith(".log")]
    assert len(records) == len(logs) == 2
    assert set(names) - set(records) - set(logs) == {"verdicts.json", "summary.csv", "report.md", "report.html"}


def test_progress_and_estimate_are_told(twice: Twice) -> None:
    """On stderr, so that stdout is the report."""
    done, _ = twice
    assert "2 trials, about 30 s (guess)" in done.stderr
    assert "fp32 tiny (toy-bert), trial 2 of 2: " in done.stderr
    assert "trial 2 of 2" not in done.stdout


def test_a_planted_fault_changes_a_verdict(faulty: Any) -> None:
    """Frozen embeddings are seen as parameters that do not train."""
    (done, records), verdicts = faulty
    assert done.returncode == 1
    assert records["fp32"][0].injected == "faults.py:freeze_and_exhaust"
    assert verdicts["fp32", "params.trainable"]["outcome"] == "changed"
    assert verdicts["fp32", "params.total"]["outcome"] == "ok"
    assert "CHANGED params.trainable" in done.stdout


def test_out_of_memory_in_one_trial_leaves_the_other_case_running(faulty: Any) -> None:
    """The one that failed says where and what to do, and its log has the rest."""
    (done, records), _ = faulty
    (qlora,), (fp32,) = records["qlora"], records["fp32"]
    assert (qlora.status, fp32.status) == (Status.FAILED, Status.OK)
    assert qlora.problem.startswith(
        "out of memory in train: CUDA out of memory. Tried to allocate 20.00 GiB. Free the device, or take a smaller"
    )
    assert "Log: " in qlora.problem
    assert "Traceback" not in done.stdout + done.stderr
    assert "INVALID trial" in done.stdout


def test_an_injected_run_is_never_a_baseline(runs: Runs, faulty: Any) -> None:
    """Not even the part of it that went well."""
    before = {p: p.read_bytes() for p in (runs.folder / "baselines").rglob("*") if p.is_file()}
    done = runs.command("promote", "latest", "--reason", "no", "--only", "*fp32*")
    assert done.returncode == 2
    assert "a fault was planted: faults.py:freeze_and_exhaust" in " ".join(done.stderr.split())
    assert before == {p: p.read_bytes() for p in (runs.folder / "baselines").rglob("*") if p.is_file()}


def test_a_loss_that_is_no_number_fails_the_trial(runs: Runs) -> None:
    """One clear message, and a record on disk that any JSON reader reads."""
    done, records = runs.run("--regimes", "fp32", "--inject", "faults.py:not_a_number")
    assert done.returncode == 3
    (record,) = records["fp32"]
    assert record.status is Status.FAILED
    assert record.problem.startswith("training diverged: the loss is nan from logged value 1 of ")
    assert "training diverged" in done.stdout
    (file,) = (runs.folder / "results" / "latest" / "records").glob("*.json")
    assert json.loads(file.read_text(), parse_constant=pytest.fail)["status"] == "failed"


def test_a_trial_that_is_killed_is_told_of(runs: Runs) -> None:
    """The signal, the likely reason, and a record in its place."""
    done, records = runs.run("--regimes", "fp32", "--inject", "faults.py:killed")
    assert done.returncode == 3
    (record,) = records["fp32"]
    assert record.status is Status.FAILED
    assert record.problem.startswith("the trial process was killed by SIGKILL. The system's out-of-memory killer")
    assert record.injected == "faults.py:killed"
    assert "killed by SIGKILL" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_an_environment_against_itself_is_the_same(runs: Runs) -> None:
    """`ab` really run, with this Python in both arms: 0, the records paired, in one process a trial."""
    done = runs.command(
        "ab", "--a", sys.executable, "--b", sys.executable, "--regimes", "fp32", "--steps", "12", "--timed", "none",
        "--json", "card.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("NOTHING REGRESSED: ")
    card = json.loads((runs.folder / "card.json").read_text())
    assert card["packages"] == {}
    assert card["cases"][0]["pairs"] == 1
    records = store.load_run(runs.folder / "results" / card["run"])
    assert [(record.pair, record.order, record.status) for record in records] == [(0, 0, Status.OK), (0, 1, Status.OK)]
    assert {"ab.json", "ab.md", "ab.txt"} <= {path.name for path in (runs.folder / "results" / card["run"]).iterdir()}


def test_an_arm_whose_library_is_broken_is_refused(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """2, the library is named, and no run was begun."""
    broken = runs.folder / "broken"
    broken.mkdir()
    (broken / "peft.py").write_text("raise ImportError('built for another torch')")
    before = sorted((runs.folder / "results").iterdir())
    monkeypatch.setenv("PYTHONPATH", str(broken))
    done = runs.command("ab", "--a", sys.executable, "--b", sys.executable)
    assert done.returncode == 2
    assert "is broken: peft does not import (ImportError: built for another torch)" in " ".join(done.stderr.split())
    assert sorted((runs.folder / "results").iterdir()) == before
