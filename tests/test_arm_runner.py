"""A trial of one arm: another Python, the suite's own copy, what disturbed it, and what it costs the parent."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest
from replays import case_of, recorded

from benchsuite import codec, jobs, store, trial
from benchsuite.arms.python import Arm
from benchsuite.contest import conditions, watch
from benchsuite.meters._probing import ProbeMeter
from benchsuite.nouns import Job, Phase, Status
from benchsuite.registry import meters
from benchsuite.runners.ahead import Ahead
from benchsuite.runners.arm import ArmRunner


@pytest.fixture
def arm(tmp_path):
    """`arm(script)`: a runner whose python is a shell script; by default it leaves the recorded trial."""
    (tmp_path / "run" / "records").mkdir(parents=True)
    (tmp_path / "left.json").write_text(codec.dumps(codec.encode([replace(recorded("fp32"), pair=0, order=1)])))

    def make(script=f"cp {tmp_path / 'left.json'} $last"):
        python = tmp_path / "python"
        python.write_text(f"#!/bin/sh\ncat > {tmp_path / 'job'}\nfor last; do :; done\n{script}\n")
        python.chmod(0o755)
        environ = {**os.environ, "PYTHONPATH": "/suite"}
        return ArmRunner(
            arm=Arm(name="B", text="./venv", python=str(python)), environ=environ, gpu="",
            ahead=Ahead(tmp_path / "run" / "logs", wanted=False),
        )  # fmt: skip

    return make


def job(**more):
    """One trial of FP32 under `tiny`, the second of the first pair."""
    given = {
        "cases": (case_of("fp32"),), "trial": 0, "pair": 0, "order": 1, "model_folder": "", "data": "", "inject": "",
        "machine": "cpu-x86_64", "parent_cuda": False, "lean": True,
    }  # fmt: skip
    return Job(**given | more)


def run(made, folder, **more):
    """The record, and what is on disk."""
    record = made.run(job(**more), folder / "run", lambda _: None, timeout=30.0)
    (saved,) = store.load_run(folder / "run")
    return record, saved


def test_a_trial_runs_in_the_arms_python_and_is_stored_at_once(arm, tmp_path):
    """It is told that it is lean, and sees the arm's variables."""
    record, saved = run(arm(f'cp {tmp_path / "left.json"} $last; echo "$PYTHONPATH" > {tmp_path / "path"}'), tmp_path)
    assert record == saved
    assert record.status is Status.OK
    assert record.seconds > 0
    assert '"lean": true' in (tmp_path / "job").read_text()
    assert (tmp_path / "path").read_text() == "/suite\n"
    assert sorted(p.name for p in (tmp_path / "run" / "logs").iterdir()) == [
        f"{'toy--fp32--tiny--toy-bert--pretrained--cpu--s42'}--t00-1.log"
    ]


def test_a_trial_that_died_is_a_failed_record_of_its_pair(arm, tmp_path):
    """With its last words, and where the rest is."""
    record, saved = run(arm("echo no room >&2; exit 3"), tmp_path)
    assert record == saved
    assert (record.status, record.pair, record.order) == (Status.FAILED, 0, 1)
    assert "exit code 3" in record.problem
    assert record.problem.endswith("--t00-1.log")


def test_a_disturbed_trial_is_kept_as_invalid(arm, tmp_path, monkeypatch):
    """The record says what disturbed it; a trial that failed anyway keeps its own reason."""
    counts = iter(range(0, 2**40, 2**26))
    monkeypatch.setattr(watch, "_swapped", lambda: next(counts))
    record, saved = run(arm(), tmp_path)
    assert record == saved
    assert (record.status, record.problem) == (Status.INVALID, "swap: the system swapped 64 MiB during the trial")
    assert record.metrics
    assert run(arm("exit 3"), tmp_path)[0].status is Status.FAILED


def test_a_trial_costs_the_parent_under_a_tenth_of_a_second(arm, tmp_path):
    """Processor time beyond the trial's own process: the record read, checked and stored."""
    made = arm()
    run(made, tmp_path)  # what is imported once is no trial's
    began = time.process_time()
    run(made, tmp_path)
    assert time.process_time() - began < 0.1


def test_a_lean_trial_has_every_meter_but_the_probing_ones():
    """Device time is among those that stay."""
    lean, full = ({type(m) for m in jobs.meters_for(lean=way, timed=())} for way in (True, False))
    assert full == set(meters().values())
    assert full - lean == {kind for kind in full if issubclass(kind, ProbeMeter)} != set()
    assert {kind.name for kind in lean} >= {"steps", "host", "kernels", "latency", "durations", "nvml"}


@pytest.mark.parametrize("lean", [False, True])
def test_every_trial_of_a_lean_profile_is_lean(lean, tmp_path):
    """Whoever asks for it: no job needs to say so."""
    case = replace(case_of("fp32"), profile=replace(case_of("fp32").profile, lean=lean))
    scene = jobs.scene_of(job(cases=(case,), lean=False), case, tmp_path, print)
    assert any(isinstance(meter, ProbeMeter) for meter in scene.meters) is not lean


def test_a_trial_for_times_alone_leaves_out_what_none_of_them_needs():
    """Device time needs no saving, reloading and evaluating, which latency does."""
    early = jobs.meters_for(lean=True, timed=("device.kernel_time.step", "time.step", *conditions.READ))
    assert {meter.name for meter in early} == {"kernels", "steps", "nvml"}
    assert trial.needed(early) == (Phase.LOAD, Phase.PREPARE, Phase.TRAIN, Phase.TEARDOWN, Phase.PROBE)
    every = (*trial.FIRST_HALF, *trial.SECOND_HALF)
    assert trial.needed(jobs.meters_for(lean=True, timed=("time.step", "latency.batch"))) == every
    assert trial.needed(jobs.meters_for(lean=True, timed=())) == trial.needed(()) == every
