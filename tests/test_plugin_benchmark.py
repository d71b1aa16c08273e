"""pytest-benchmark and the suite: real durations, stable machine info, versions beside, and no say in a verdict."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fakes import BROKEN_NVML, NVML, nvml
from replays import Project, moved, recorded

from benchsuite import environment


def only(*arguments: str) -> tuple[str, ...]:
    """Our measured items alone."""
    return ("-k", "test_measures", *arguments)


def saved(project: Project) -> list[Path]:
    """Files in pytest-benchmark's own storage, oldest first."""
    return sorted((project.path / ".benchmarks").glob("*/*.json"))


def pretend(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    """Another version of a library is installed."""
    real = environment.packages()
    monkeypatch.setattr(environment, "packages", lambda: real | versions)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a driver, whatever this one has."""
    monkeypatch.setitem(sys.modules, "pynvml", nvml([]))


def test_the_json_holds_the_trials_own_times(judged: Project, no_gpu: None) -> None:
    """Rounds are the record's steps, batches and trials, in seconds; bytes and accuracy are beside."""
    assert judged.judge(*only("--benchmark-json=out.json")).ret == 0
    data = json.loads((judged.path / "out.json").read_text())
    found = {tuple(re.split(r"\[|-tiny", b["name"])[:2]): b for b in data["benchmarks"]}
    for regime in ("fp32", "qlora"):
        metrics = recorded(regime).metrics
        steps = found["test_step_time", regime]
        assert steps["stats"]["data"] == pytest.approx(metrics["time.step"].samples, abs=1e-9)
        assert steps["group"] == "step time"
        assert steps["options"]["timer"] == "trial_clock"
        assert found["test_latency", regime]["stats"]["rounds"] == len(metrics["latency.batch"].samples)
        training = found["test_training_time", regime]
        assert training["stats"]["median"] == pytest.approx(metrics["time.train"].value)
        assert training["extra_info"]["quality.accuracy.reloaded"] == metrics["quality.accuracy.reloaded"].value
        assert training["extra_info"]["ram.peak"] == metrics["ram.peak"].value


def test_machine_info_is_stable_hardware_and_versions_stand_beside(
    judged: Project, no_gpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade moves the key `benchsuite`, and nothing that makes a comparison warn."""
    files = []
    for version in ("5.23.0", "6.0.0"):
        pretend(monkeypatch, transformers=version)
        judged.judge(*only(f"--benchmark-json={version}.json"))
        files.append(json.loads((judged.path / f"{version}.json").read_text()))
    assert files[0]["machine_info"] == files[1]["machine_info"]
    assert set(files[0]["machine_info"]) == {"node", "machine", "system", "cpu", "gpu"}
    assert [f["benchsuite"]["packages"]["transformers"] for f in files] == ["5.23.0", "6.0.0"]
    assert files[0]["benchsuite"]["packages"].keys() == set(environment.GUARDED)
    assert files[0]["benchsuite"]["driver"] is None


def test_two_versions_under_warnings_as_errors_compare(
    judged: Project, no_gpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saved names carry machine and versions, nothing warns, and the bare compare shows both runs."""
    for version, compare in (("5.23.0", ()), ("6.0.0", ("--benchmark-compare",))):
        pretend(monkeypatch, torch="2.13.0+cpu", transformers=version)
        result = judged.judge(*only("--benchmark-autosave", *compare, "-W", "error"))
        assert result.ret == 0, result.stdout.str()
    names = [path.name for path in saved(judged)]
    machine = environment.machine_slug(None)
    assert [name.split("_", 1)[0] for name in names] == ["0001", "0002"]
    assert names[0].endswith(f"_{machine}_torch2.13.0_transformers5.23.0.json")
    assert names[1].endswith(f"_{machine}_torch2.13.0_transformers6.0.0.json")
    command = [sys.executable, "-m", "pytest_benchmark", "compare"]
    done = subprocess.run(command, cwd=judged.path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "trial" not in done.stderr
    for number in ("0001", "0002"):
        assert f"test_step_time[qlora-tiny-toy-bert] ({number}" in done.stdout


def test_benchmarks_of_other_peoples_keep_their_machine_info(bench: Project) -> None:
    """Where no case of ours runs, nothing is taken from it, and nothing of ours is added."""
    bench.pytester.makepyfile(test_other="def test_other(benchmark): benchmark.pedantic(int, rounds=2)")
    for compare in ((), ("--benchmark-compare",)):
        result = bench.pytester.runpytest_inprocess("test_other.py", "--benchmark-autosave", *compare, "-W", "error")
        assert result.ret == 0
    data = json.loads(saved(bench)[1].read_text())
    assert "python_version" in data["machine_info"]
    assert "benchsuite" not in data


def test_a_saved_name_carries_the_gpu(judged: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that would be used: by `--suite-device`, else the emptiest."""
    cards = [
        {"uuid": "GPU-a", "name": "Tesla T4", "memory": 15 << 30, "processes": 1},
        {"uuid": "GPU-b", "name": "NVIDIA H200", "memory": 140 << 30},
    ]
    monkeypatch.setitem(sys.modules, "pynvml", nvml(cards))
    judged.judge(*only("--benchmark-autosave"))
    judged.judge(*only("--benchmark-autosave", "--suite-device=GPU-a"))
    assert "_nvidia-h200-140gb_torch" in saved(judged)[0].name
    assert "_tesla-t4-15gb_torch" in saved(judged)[1].name
    assert json.loads(saved(judged)[1].read_text())["machine_info"]["gpu"] == "Tesla T4"


def test_a_broken_driver_is_no_matter_of_the_cpus_cases(judged: Project) -> None:
    """Files are saved, named for the CPU, and the run is green."""
    (judged.path / "fake").mkdir()
    (judged.path / "fake" / "pynvml.py").write_text(BROKEN_NVML)
    assert BROKEN_NVML != NVML
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(judged.path / "fake"), prepend=os.pathsep)
        result = judged.judge_apart(*only("--benchmark-autosave", "--benchmark-json=out.json", "-W", "error"))
    assert result.ret == 0, result.stdout.str()
    assert environment.machine_slug(None) in saved(judged)[0].name


def test_disabling_benchmarks_changes_no_verdict(judged: Project) -> None:
    """All is judged from the record: the same verdicts, the same code."""
    record = recorded("fp32")
    trainable = record.metrics["params.trainable"].value
    judged.record(moved(record, params__trainable=trainable - 1), recorded("qlora"))
    found: list[tuple[int, Any]] = []
    for extra in ((), ("--benchmark-disable",), ("-p", "no:benchmark", "-k", "memory or fingerprint")):
        result = judged.judge(*extra)
        found.append((int(result.ret), (judged.results / "verdicts.json").read_text()))
    assert found[0][0] == 1
    assert found[0] == found[1] == found[2]
