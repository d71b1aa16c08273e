"""Before a GPU run: warnings are said, an error ends the run with 2 before anything is measured."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from broken_machines import HEALTHY
from fakes import nvml
from replays import Project

from benchsuite import cases, cli, environment, examine, preflight
from benchsuite.nouns import Options, SuiteError

GPU, CPU = Options(profiles=("quick",)), Options(profiles=("tiny",))
T4 = {"uuid": "GPU-a", "name": "Tesla T4", "memory": 16 << 30, "free": 15 << 30, "capability": (7, 5)}


def told(monkeypatch: pytest.MonkeyPatch, options: Options, machine: Any, *, context: bool = False) -> list[str]:
    """What is said before a run of `options` on such a machine."""
    monkeypatch.setattr(examine, "look", lambda *_, **__: machine)
    said: list[str] = []
    preflight.tell(options, cases.cases(options), said.append, context=context)
    return said


def test_a_healthy_machine_is_passed_over_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is well wants to get on."""
    assert told(monkeypatch, GPU, HEALTHY) == []


@pytest.mark.parametrize("options", [CPU, Options(profiles=("quick",), replay="latest")])
def test_what_measures_on_no_gpu_is_not_examined(monkeypatch: pytest.MonkeyPatch, options: Options) -> None:
    """None would survive being looked at."""
    assert told(monkeypatch, options, None) == []


def shown(monkeypatch: pytest.MonkeyPatch, card: dict[str, Any], **calls: Any) -> None:
    """A driver that shows this GPU, which torch can use."""
    monkeypatch.setitem(sys.modules, "pynvml", nvml([card], **calls))
    monkeypatch.setattr(environment, "check_torch", lambda _: None)


def test_only_what_is_selected_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two GB are enough for QLoRA, and nothing is known of a model of one's own."""
    shown(monkeypatch, T4 | {"free": 2 << 30})
    every = cases.cases(GPU)
    with pytest.raises(SuiteError, match="fp32 takes about"):
        preflight.tell(GPU, every, print, context=False)
    preflight.tell(GPU, [case for case in every if case.regime == "qlora"], print, context=False)
    own = Options(profiles=("quick",), model="mine")
    preflight.tell(own, cases.cases(own), print, context=False)


def test_an_error_ends_a_run_of_pytest_with_2(bench: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen and the command stand in the message; nothing is made."""
    shown(monkeypatch, T4 | {"free": 1 << 30})
    result = bench.pytester.runpytest_inprocess("bench", "-p", "no:cacheprovider", "-m", "gpu")
    assert result.ret == 2
    text = result.stdout.str()
    assert "benchsuite: this machine is not fit for a GPU run." in text
    assert "vram: 1.1 GB of 17.2 GB are free on Tesla T4, and fp32 takes about 3.8 GB" in text
    assert "  $ nvidia-smi" in text
    assert "Traceback" not in text
    assert not (bench.path / "results").exists()


def test_a_warning_is_said_and_the_run_goes_on(bench: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to what hinders it: here the model that is not there."""
    shown(monkeypatch, T4, DeviceGetPersistenceMode=lambda _: 0)
    result = bench.pytester.runpytest_inprocess(
        "bench", "-p", "no:cacheprovider", "-m", "gpu", "--suite-model=./none", "--suite-data=none"
    )
    text = result.stdout.str()
    assert "benchsuite: clocks: persistence mode is off on Tesla T4" in text
    assert "  $ sudo nvidia-smi -i GPU-a -pm 1" in text
    assert "not fit" not in text
    assert "none" in text
    assert result.ret == 2


def test_the_command_asks_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    """`benchsuite run` ends with 2 in the same words, and brackets are no markup there."""
    monkeypatch.chdir(tmp_path)
    shown(monkeypatch, T4 | {"free": 1 << 30}, DeviceGetPersistenceMode=lambda _: 0)
    monkeypatch.setattr("sys.argv", ["benchsuite", "run", "--profile", "quick"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr().err
    assert end.value.code == SuiteError.exit_code
    assert "benchsuite: clocks: persistence mode is off" in said
    assert "benchsuite: this machine is not fit for a GPU run.\nvram: 1.1 GB" in said


def test_a_context_in_the_parent_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every trial would be invalid: said before the first."""
    monkeypatch.setitem(sys.modules, "pynvml", nvml([T4]))
    with pytest.raises(SuiteError, match="this very process holds a CUDA context"):
        preflight.tell(GPU, cases.cases(GPU), print, context=True)
