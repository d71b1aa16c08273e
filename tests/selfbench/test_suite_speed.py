"""Benchmarks of the suite itself, not of what it measures: `tox -e selfbench`, kept out of the other tests.

Figures are recorded and compared, never asserted: shared machines move them by a factor of ten. What is asserted
is that each process did what it was timed for, and that none imported torch.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from factories import make_baseline, make_case, make_metrics, make_record

from benchsuite import cases, codec, compare, registry, store
from benchsuite.nouns import Job, Measured, Predictions, Record
from benchsuite.runners import local

ROOT = Path(__file__).parent.parent.parent
ROUNDS = 5
ROWS = 872
"""Validation rows of a real record, which weigh most in its file and its judging."""

COLLECT = """
import pytest, sys
code = pytest.main(["bench", "--collect-only", "-q", "-p", "no:cacheprovider"])
sys.exit("torch was imported" if "torch" in sys.modules else int(code))
"""
IMPORT = """
import sys, benchsuite
sys.exit("torch was imported" if "torch" in sys.modules else 0)
"""
HELP = """
import sys
from benchsuite.cli import app
app(["--help"], standalone_mode=False)
sys.exit("torch was imported" if "torch" in sys.modules else 0)
"""
BARE = "pass"
# Where bytecode may not be written, a start measures the compiler.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@pytest.mark.benchmark(group="start")
@pytest.mark.parametrize(
    "code",
    [
        pytest.param(BARE, id="python alone"),
        pytest.param(IMPORT, id="import benchsuite"),
        pytest.param(HELP, id="benchsuite --help"),
        pytest.param(COLLECT, id="pytest bench --collect-only"),
    ],
)
def test_start(benchmark, code):
    """A fresh process gets there without torch; `python alone` is what all of them pay."""

    def fresh() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False
        )

    done = benchmark.pedantic(fresh, rounds=ROUNDS, warmup_rounds=1)
    assert done.returncode == 0, done.stdout + done.stderr


# ---------------------------------------------------------------- around a trial


def big_record(**overrides: Any) -> Record:
    """A record of a real one's size: predictions of all rows, a step time each, a map of a hundred modules."""
    logits = tuple((round(0.001 * i - 0.4, 7), round(0.4 - 0.001 * i, 7)) for i in range(ROWS))
    steps = tuple(0.012 + 1e-5 * (i % 7) for i in range(200))
    modules = {f"bert.encoder.layer.{i}": {"type": "Linear", "dtype": "float32", "shape": [64, 64]} for i in range(100)}
    metrics = {**make_metrics(), "time.step": Measured(value=0.012, samples=steps)}
    return make_record(
        metrics=metrics,
        fingerprint={"model.modules": modules},
        predictions=Predictions(labels=tuple(i % 2 for i in range(ROWS)), logits=logits),
        **overrides,
    )


def silent(event: Mapping[str, Any]) -> None:
    """Progress that nobody looks at."""


def job() -> Job:
    """One CPU case."""
    return Job(
        cases=(make_case(),), trial=0, pair=None, order=None, model_folder="", data="", inject="",
        machine="cpu-x86_64", parent_cuda=False,
    )  # fmt: skip


@pytest.fixture
def instant_worker(tmp_path):
    """A program that takes a worker's arguments and leaves a finished record at once."""
    ready = tmp_path / "ready.json"
    ready.write_text(codec.dumps(codec.encode([big_record()])))
    program = tmp_path / "worker"
    program.write_text(f'#!/bin/sh\ncat > {os.devnull}\nfor last; do :; done\ncp "{ready}" "$last"\n')
    program.chmod(0o755)
    return str(program)


@pytest.mark.benchmark(group="trial overhead")
def test_parent_side_of_a_trial(benchmark, monkeypatch, tmp_path, instant_worker):
    """What the parent spends on a trial beyond the trial: start, follow, read, write the record."""
    monkeypatch.setattr(sys, "executable", instant_worker)
    run = store.new_run(tmp_path / "results", now=datetime.now(UTC))
    runner = local.LocalRunner(gpu="")
    (record,) = benchmark.pedantic(lambda: runner.run(job(), run, silent), rounds=ROUNDS, warmup_rounds=1)
    assert len(record.predictions.logits) == ROWS


# ---------------------------------------------------------------- after the trials


@pytest.mark.benchmark(group="judging")
def test_judging_one_case(benchmark):
    """Five trials against a baseline of five, every metric judged."""
    case = make_case()
    trials = tuple(big_record(trial=i) for i in range(5))
    baseline = make_baseline(trials=trials)
    known = {"metrics": registry.metrics(), "judges": registry.judges(), "tolerances": {}}

    def judge() -> Any:
        return compare.judge_case(
            slug=cases.slug(case), case=case, digest=cases.digest(case), baseline=baseline, trials=trials, **known
        )

    verdicts = benchmark.pedantic(judge, rounds=ROUNDS, warmup_rounds=1)
    assert not [verdict for verdict in verdicts if verdict.fails]
    assert {verdict.metric for verdict in verdicts} >= {"params.trainable", "quality.logits", "model.modules"}


@pytest.mark.benchmark(group="judging")
def test_reading_a_baseline(benchmark, tmp_path):
    """A sealed baseline of five trials, read and checked."""
    path = tmp_path / "baseline.json"
    store.save_baseline(path, make_baseline(trials=tuple(big_record(trial=i) for i in range(5))))
    read = benchmark.pedantic(lambda: store.load_baseline(path), rounds=ROUNDS, warmup_rounds=1)
    assert len(read.trials) == 5
