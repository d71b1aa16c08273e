"""`benchsuite ab`: an earlier call's records decided again, bad input, exit codes, files. Nothing is measured here."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from contests import CASE, Field, numbers, played
from judging import gpu_case
from replays import recorded

from benchsuite import cases, checkpoints, cli, registry, store
from benchsuite.contest import call, conditions, field
from benchsuite.contest.rounds import Standing
from benchsuite.nouns import Device, Entry, Measured, Options, Record, Status, SuiteError, UsageError
from benchsuite.settings import SETTINGS


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """`command(...)`: exit code, stdout and stderr of `benchsuite ab ...` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def say(*words):
        monkeypatch.setattr("sys.argv", ["benchsuite", "ab", *words])
        code: Any = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        said = capsys.readouterr()
        return code, said.out, " ".join(said.err.split())

    return say


def kept(field_of_trials, *cases, name="call", budget=300.0):
    """A finished call's records below results/, by its name."""
    run = store.new_run(Path("results"), now=datetime(2025, 11, 3, tzinfo=UTC))
    end = played(field_of_trials, cases or (CASE,), budget=budget)
    for at in end.standings:
        for record in at.records:
            store.save_record(run, record)
    return run.rename(run.with_name(name)).name


@pytest.mark.parametrize(
    ("scale", "budget", "code", "line"),
    [
        ({}, 300, 0, "NOTHING REGRESSED"),
        ({"device.kernel_time.step": 1.01}, 300, 1, "DO NOT UPGRADE YET: 1 regressed"),
        ({"device.kernel_time.step": 0.99}, 300, 0, "NOTHING REGRESSED"),
        ({"time.host.step": 1.2}, 300, 1, "DO NOT UPGRADE YET: 1 regressed"),
        ({}, 20, 3, "NOT DECIDED"),
    ],
    ids=["same", "slower device", "faster device", "slower host", "too little time"],
)
def test_recorded_calls_are_decided_again(command, scale, budget, code, line):
    """Exit code, the line on top, JSON and Markdown agree; nothing is measured and the run is left as it is."""
    name = kept(Field(scale=scale), budget=budget)
    before = sorted(Path("results").rglob("*"))
    ended, out, _ = command("--replay", name, "--budget", f"{budget}s", "--json", "c.json", "--markdown", "c.md")
    assert (ended, out.split(":")[0]) == (code, line.split(":")[0])
    assert " ".join(out.split()).startswith(line)
    data = json.loads(Path("c.json").read_text())
    assert data["exit_code"] == code
    assert data["headline"] in Path("c.md").read_text().replace("\\", "")
    assert sorted(Path("results").rglob("*")) == before


def test_a_power_capped_machines_records_are_decided(command):
    """Clocks between 900 and 1590 MHz in every trial, a cap in all: a verdict, and the condition is told."""

    def capped(record, arm, attempt):
        return numbers(
            record, nvml__throttle_reasons=4, nvml__sm_clock=[900.0, 1590.0, 1200.0][(attempt + len(arm)) % 3]
        )

    name = kept(Field(spoil=capped))
    code, out, _ = command("--replay", name)
    assert code == 0
    assert "a power cap acted in " in out
    assert "dropped" not in out


def test_a_real_record_against_itself_is_the_same(command):
    """Recorded trials of the tiny profile: 0, whatever their times, which on a CPU only explain."""
    run = store.new_run(Path("results"), now=datetime(2025, 11, 3, tzinfo=UTC))
    for regime in ("fp32", "qlora"):
        for attempt, pair, place in ((0, 0, 0), (0, 0, 1), (1, 1, 0), (1, 1, 1)):
            store.save_record(run, replace(recorded(regime), trial=attempt, pair=pair, order=place))
    code, out, _ = command("--replay", run.name)
    assert code == 0, out
    assert "no package differs" in out


def test_a_real_record_that_lost_something_is_refused(command):
    """A frozen layer in arm B: 1, and the figure is named."""
    run = store.new_run(Path("results"), now=datetime(2025, 11, 3, tzinfo=UTC))
    record = recorded("fp32")
    frozen = replace(record, metrics={**record.metrics, "params.trainable": Measured(value=1)})
    for place, made in enumerate((record, frozen)):
        store.save_record(run, replace(made, trial=0, pair=0, order=place))
    code, out, _ = command("--replay", run.name, "--timed", "none")
    assert code == 1
    assert "CHANGED params.trainable" in out
    assert "time.step" not in out


def test_an_arm_that_keeps_failing_is_told_and_its_records_kept(command):
    """2, one message, where the records are."""
    failed = {"status": Status.FAILED, "problem": "RuntimeError in train: no room\nLog: x", "metrics": {}}
    run = store.new_run(Path("results"), now=datetime(2025, 11, 3, tzinfo=UTC))
    for attempt in range(3):
        for record in Field()(Standing(case=CASE)):
            spoilt = replace(record, **failed) if record.order == 1 and attempt != 1 else record
            # The pair after a good one runs B A: that B fails there, its place is the first.
            place = 1 - spoilt.order if attempt == 2 else spoilt.order
            store.save_record(run, replace(spoilt, trial=attempt, pair=int(attempt == 2), order=place))
    code, _, err = command("--replay", run.name)
    assert code == 2
    assert "environment B cannot be measured in sst2--fp32--quick" in err
    assert "A in 0 of 3 and B in 2 of 3" in err
    assert f"Records: results/{run.name}" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "both arms are needed: --a SPEC --b SPEC"),
        (("--a", "./none", "--b", "./none"), "no environment './none': it is not there"),
        (("--a", "venv-new", "--b", "./none"), "there is no environment 'venv-new'"),
        (("--a", "x", "--b", "y", "--budget", "soon"), "'soon' is no duration; write for example 300s, 5min or 1h"),
        (("--a", "x", "--b", "y", "--timed", "time.stp"), "--timed: no figure 'time.stp'. Did you mean 'time.step'?"),
        (("--a", "x", "--b", "y", "--timed", "params.total"), "--timed: 'params.total' is no figure that pairs decide"),
        (
            ("--a", "x", "--b", "y", "--smallest", "time.step"),
            "--smallest 'time.step': write a timed figure and a share",
        ),
        (("--a", "x", "--b", "y", "--smallest", "vram=1 %"), "--smallest 'vram=1 %': write a timed figure"),
        (("--a", "x", "--b", "y", "--profile", "notebook"), "the profile notebook shares one process"),
        (("--a", "x", "--b", "y", "--profile", "quick"), "no NVIDIA GPU here"),
        (("--replay", "none"), "no run 'none'"),
    ],
)
def test_a_mistake_ends_with_2_and_one_message(command, monkeypatch, words, said):
    """Before anything is built or measured; nothing is written."""
    monkeypatch.setattr("benchsuite.environment.gpus", lambda: ())
    before = sorted(Path().rglob("*"))
    code, _, err = command(*words)
    assert code == 2
    assert said in err
    assert "Traceback" not in err
    assert sorted(Path().rglob("*")) == before


def test_a_run_of_no_pairs_is_not_replayed(command):
    """It says what is."""
    run = store.new_run(Path("results"), now=datetime(2025, 11, 3, tzinfo=UTC))
    store.save_record(run, recorded("fp32"))
    code, _, err = command("--replay", run.name)
    assert code == 2
    assert "takes the run of an earlier `benchsuite ab`" in err


def test_trials_of_pairs_are_no_baseline(command, monkeypatch):
    """`promote` refuses them: most have no fingerprint, and half are another stack's."""
    name = kept(Field())
    monkeypatch.setattr("sys.argv", ["benchsuite", "promote", name, "--reason", "x"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert not Path("baselines").exists()


@pytest.mark.parametrize(("text", "seconds"), [("300", 300), ("300s", 300), (" 5 min", 300), ("0.5h", 1800)])
def test_durations(text, seconds):
    """Bare numbers are seconds."""
    assert call.seconds(text) == seconds


def test_the_smallest_effects_that_somebody_set():
    """What was asked for beats the file, in which what is no share is left alone."""
    known = registry.metrics()
    names = ("time.step", "latency.batch", "time.train")
    found = call.smallest_effects({"time.*": "5 %", "latency.*": "2 ms"}, ("time.train=1 %",), names, known)
    assert found == {"time.step": 0.05, "time.train": 0.01}


def test_what_no_trial_measured_is_never_silent(command):
    """A figure that was asked for and that no record holds: undecided, said, and no pair is made for it."""
    name = kept(Field(), budget=300)
    code, out, _ = command("--replay", name, "--timed", "energy.train", "--json", "c.json")
    assert (code, out.split(":")[0]) == (3, "NOT DECIDED")
    assert "no trial measured it" in out


@pytest.mark.parametrize(
    ("tolerance", "words"), [("1 %", "no metric matches"), ("5 furlongs", "furlongs")], ids=["misspelt", "no unit"]
)
def test_tolerances_that_make_no_sense_are_refused_before_anything_is_made(command, tolerance, words):
    """As a run refuses them."""
    Path("pyproject.toml").write_text(f'[tool.benchsuite.tolerance]\n"no.such.figure" = "{tolerance}"\n')
    code, _, err = command("--a", sys.executable, "--b", sys.executable)
    assert code == 2
    assert not Path("results").exists()
    assert "no.such.figure" in err or words in err


def test_options_of_a_run_mean_the_same_here():
    """Those that both commands have are of the same table, and of one type."""
    import typer.main

    group: Any = typer.main.get_command(cli.app)
    mine, theirs = ({p.opts[0]: p for p in group.commands[name].params} for name in ("ab", "run"))
    shared = {f"--{s.name}" for s in SETTINGS} & mine.keys()
    assert {"--profile", "--regimes", "--model", "--weights", "--data", "--device", "--steps", "--results"} <= shared
    assert all(type(mine[name].default) is type(theirs[name].default) for name in shared)


# ---------------------------------------------------------------- measured, by a stand-in


class Runner:
    """Stands for an arm: hands out a record of the job it is given."""

    def __init__(self, jobs: list[Any], arm: str = "") -> None:
        self.jobs, self.arm = jobs, arm

    def seat(self, job: Any) -> str:
        """Any two are told apart."""
        return self.arm

    def run(self, job: Any, run: Path, tell: Any, *, timeout: float) -> Record:
        """A good trial."""
        self.jobs.append((job, timeout))
        return replace(
            Field()(Standing(case=job.cases[0]))[0], trial=job.trial, pair=job.pair, order=job.order, seconds=20.0
        )


def live(jobs, **more):
    """A field whose arms are stand-ins."""
    from contextlib import nullcontext

    given: dict[str, Any] = {
        "runners": {"A": Runner(jobs), "B": Runner(jobs)}, "folders": {"sst2--" + "x": ""}, "options": Options(),
        "machine": lambda _: "m", "run": Path(), "show": lambda _: nullcontext(lambda _: None), "timeout": 0.0,
    }  # fmt: skip
    given["folders"] = type("Any", (dict,), {"__missing__": lambda *_: ""})()
    return field.Live(**given | more)


def test_only_an_arms_first_trial_takes_the_fingerprint():
    """The others are lean, and are given ten times what the longest took, at least a minute."""
    jobs: list[Any] = []
    played(_timed(live(jobs)), (CASE,), budget=200)
    lean = [job.lean for job, _ in jobs]
    assert lean == [False, False, *[True] * (len(lean) - 2)]
    assert [timeout for _, timeout in jobs][:3] == [CASE.profile.timeout, 200.0, 200.0]
    assert [job.order for job, _ in jobs][:4] == [0, 1, 0, 1]
    assert [job.pair for job, _ in jobs][:4] == [0, 0, 1, 1]


def test_what_repeats_is_measured_once_and_times_by_every_trial():
    """An arm's first sound trial has all; the others have what is timed, and what tells whether a pair may be used."""
    jobs: list[Any] = []
    timed = ("time.step", *conditions.READ)
    played(_timed(live(jobs, timed=timed)), (CASE,), budget=200)
    assert [job.timed for job, _ in jobs][:4] == [(), (), timed, timed]


class Waiting:
    """Stands for those that wait: nothing is started."""

    wanted = True

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seats: list[str] = []
        self.began: list[str] = []
        monkeypatch.setattr(field, "room", lambda: 4)

    def missing(self, seats: Any) -> list[str]:
        """Whom nobody waits for."""
        there = list(self.seats)
        return [seat for seat in seats if seat not in there or there.remove(seat)]

    def fill(self, seats: Any) -> None:
        """Start them."""
        fresh = self.missing(seats)
        self.began.append("".join(fresh))
        self.seats += fresh

    def gather(self, timeout: float) -> None:
        """They have imported."""
        self.began.append("ready")

    def end(self) -> None:
        """None is left."""
        self.seats.clear()


def test_processes_import_together_before_a_pair_and_not_beside_one(monkeypatch):
    """As many as there is room for, in the order of the pairs; then nobody until they are used up."""
    ahead = Waiting(monkeypatch)
    jobs: list[Any] = []
    made = live(jobs, ahead=ahead, timed=("time.step",), runners={"A": Runner(jobs, "A"), "B": Runner(jobs, "B")})
    for arm in "AB":
        monkeypatch.setattr(made.runners[arm], "run", _used(made.runners[arm], ahead))
    played(_timed(made), (CASE,), budget=200)
    assert len(jobs) >= 6
    assert ahead.began[:4] == ["ABBA", "ready", "ABBA", "ready"]


def test_no_more_import_than_are_planned(monkeypatch):
    """The last ones of a call have nobody to wait for."""
    ahead = Waiting(monkeypatch)
    made = live([], ahead=ahead, timed=("time.step",), runners={"A": Runner([], "A"), "B": Runner([], "B")})
    made(Standing(case=CASE, planned=1))
    assert ahead.began == ["AB", "ready"]


def test_what_pairs_import_together_each_has_its_share_of(monkeypatch):
    """Else a plan made after them would hold more pairs than there is time for."""
    ahead = Waiting(monkeypatch)
    now = iter([0.0, 20.0, *[99.0] * 9])
    monkeypatch.setattr(field, "clock", lambda: next(now))
    arms = {name: Runner([], name) for name in "AB"}
    made = live([], ahead=ahead, timed=("time.step",), runners=arms)
    made(Standing(case=CASE))
    assert made.imports.ahead == 10.0, "four processes in 20 s, of which the second pair has two"
    made(Standing(case=CASE))
    assert made.imports.ahead == -10.0


def test_where_nothing_is_timed_one_pair_imports(monkeypatch):
    """The only one that is made."""
    ahead = Waiting(monkeypatch)
    live([], ahead=ahead, runners={"A": Runner([], "A"), "B": Runner([], "B")})(Standing(case=CASE))
    assert ahead.began == ["AB", "ready"]


def test_where_the_driver_shows_those_that_wait_none_does(monkeypatch):
    """They hold memory of the device, or pass for strangers."""
    ahead = Waiting(monkeypatch)
    monkeypatch.setattr(field.watch, "compute_processes", lambda _: (17,))
    jobs: list[Any] = []
    arms = {"A": Runner(jobs, "A"), "B": Runner(jobs, "B")}
    made = live(jobs, ahead=ahead, timed=("time.step",), gpu="GPU-1", runners=arms)
    played(_timed(made), (CASE,), budget=200)
    assert ahead.began == ["ABBA", "ready"]
    assert ahead.seats == []


def _used(runner, ahead):
    """A run that takes the process that waits."""
    real = runner.run

    def run(*given: Any, **more: Any) -> Record:
        ahead.seats.remove(runner.arm)
        return real(*given, **more)

    return run


def _timed(made):
    """The field with a clock that its trials move."""

    class Timed:
        now = 0.0

        def __call__(self, at):
            Timed.now += 40.0
            return made(at)

        def clock(self):
            return Timed.now

    return Timed()


def test_no_trial_reads_rows_that_its_steps_never_reach(command, monkeypatch):
    """Both arms take the same few."""
    seen = []

    def live(wanted, *_, **__):
        seen.extend(wanted)
        raise SuiteError("far enough")

    monkeypatch.setattr(field, "live", live)
    assert command("--a", ".", "--b", ".", "--steps", "5", "--regimes", "fp32")[0] == 2
    assert [case.profile.train_rows for case in seen] == [80]


def test_the_users_timeout_holds_for_every_trial():
    """Given is given."""
    jobs: list[Any] = []
    live(jobs, timeout=5.0)(Standing(case=CASE))
    assert [timeout for _, timeout in jobs] == [5.0, 5.0]


def test_a_case_of_ones_own_is_measured_on_its_own_data():
    """In both arms: its entry says where they lie, the options do not."""
    jobs: list[Any] = []
    mine = Entry(profiles=("quick",), regimes=("fp32",), model="mine/bert", data="mine/data")
    options = Options(profiles=("quick",), regimes=("fp32",), data="sst2", entries=(mine,))
    for case in cases.cases(options):
        live(jobs, options=options)(Standing(case=case))
    assert [job.data for job, _ in jobs] == ["sst2", "sst2", "mine/data", "mine/data"]


def test_a_case_without_its_gpu_or_in_a_shared_process_is_refused():
    """Before an environment is built."""
    with pytest.raises(SuiteError, match="no NVIDIA GPU here"):
        field.check_cases([CASE], [])
    shared = replace(CASE, profile=replace(CASE.profile, shared=True))
    with pytest.raises(UsageError, match="no pairs there"):
        field.check_cases([shared], [])
    assert CASE.device is Device.CUDA
    assert gpu_case("qlora").device is Device.CUDA


# ---------------------------------------------------------------- what it costs

OVERHEAD = """
import sys, time
sys.argv = ["benchsuite", "ab", "--replay", {run!r}, "--budget", "300s"]
from benchsuite.cli import main
try:
    main()
except SystemExit as end:
    assert end.code == 0, end.code
heavy = {{"torch", "transformers", "datasets"}} & set(sys.modules)
sys.exit(f"imported {{sorted(heavy)}}" if heavy else 0)
"""


def test_the_parent_imports_no_torch(command):
    """Neither to judge nor to explain nor to render a whole call."""
    source = OVERHEAD.format(run=str(Path("results", kept(Field())).absolute()))
    environ = checkpoints.child_environment()
    done = subprocess.run([sys.executable, "-c", source], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_trial_costs_the_parent_little():
    """Under a tenth of a second of processor time a trial, decisions at each pair included."""
    made = Field()
    played(Field(), budget=100)  # what is imported once is no trial's
    began = time.process_time()
    end = played(made, budget=600)
    assert (time.process_time() - began) / len(end.standings[0].records) < 0.1
