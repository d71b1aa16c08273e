"""Recorded processes: every arm in turns, on disk as recorded, and the gate's error rates on them."""

from __future__ import annotations

import gzip
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from benchsuite import cases
from benchsuite.cli import app
from benchsuite.nouns import SCHEMA, Device, Options, SuiteError
from benchsuite.power import record, recorder, script, sittings, table
from benchsuite.power.script import AGAIN, BLOCK, CLEAN, HOST, KERNEL, PROFILED, STEP, Mode, Place
from benchsuite.power.sittings import Sitting

ARMS = script.arms(Device.CUDA)
SHARE = {
    (KERNEL, Place.DEVICE): 1.0, (STEP, Place.DEVICE): 1.0, (HOST, Place.DEVICE): 0.5, (HOST, Place.HOST): 1.0,
}  # fmt: skip
"""Which part of a delay a metric shows on a step that is bound by its device, whose host waits half of the time."""
STEPS = {KERNEL: PROFILED, STEP: 2 * (BLOCK - 1), HOST: 2 * (BLOCK - 1)}


def sitting(processes=100, *, seed=1, spread=0.001, **more):
    """Processes of an H200 that scatter by so much, each arm slower by its share of what was planted."""
    rng = np.random.default_rng(seed)
    values = {}
    for name, steps in STEPS.items():
        scale = spread if name == KERNEL else 3 * spread
        own = np.exp(scale * rng.standard_normal((processes, 1, 1)))
        slow = np.array([1 + SHARE.get((name, arm.place), 0.0) * arm.effect for arm in ARMS])[None, :, None]
        inner = np.exp(0.0005 * rng.standard_normal((processes, len(ARMS), steps)))
        values[name] = tuple(tuple(map(tuple, each)) for each in (0.03 * own * slow * inner).tolist())
    fields = {
        "schema": SCHEMA, "machine": "nvidia-h200-140gb", "case": "sst2--fp32--quick--bert--random--cuda--s42",
        "started": "2026-11-24T18:00:00+00:00", "packages": {"torch": "2.11.0"}, "notes": {},
        "arms": tuple(arm.name for arm in ARMS), "effects": {arm.name: arm.effect for arm in ARMS},
        "places": {arm.name: arm.place.value for arm in ARMS}, "units": {"device": 0.03, "host": 0.03},
        "seconds": (12.0,) * processes, "values": values,
    }  # fmt: skip
    return Sitting(**fields | more)


# ---------------------------------------------------------------- what a process does


def test_every_arm_has_as_many_steps_of_each_kind():
    """Blocks that are timed, and steps that are profiled, whichever arm comes first."""
    for number in range(5):
        every = script.steps(len(ARMS), number=number, rounds=2, profiled=True)
        seen = Counter((step.arm, step.mode) for step in every if step.mode is not Mode.WARM)
        assert {seen[i, Mode.TIMED] for i in range(len(ARMS))} == {2 * BLOCK}
        assert {seen[i, Mode.PROFILED] for i in range(len(ARMS))} == {PROFILED}
    assert not any(s.mode is Mode.PROFILED for s in script.steps(3, number=0, rounds=1, profiled=False))


@pytest.mark.parametrize(("step", "rounds"), [(0.015, 8), (0.0315, 8), (0.07, 4), (0.1, 2), (5.0, 2)])
def test_a_process_has_as_many_rounds_as_fit(step, rounds):
    """Of twelve arms; the fewest where a step takes long."""
    assert script.rounds(len(ARMS), step) == rounds


def test_each_arm_has_each_place_in_some_process():
    """What a place does to times is no effect of an arm."""
    count = 5
    every = [script.steps(count, number=number, rounds=1, profiled=False) for number in range(count)]
    timed = [[step.arm for step in steps if step.mode is Mode.TIMED] for steps in every]
    assert all({order[place * BLOCK] for order in timed} == set(range(count)) for place in range(count))


def test_without_a_device_nothing_is_planted_on_it():
    """A CPU has the host's arms alone; clean comes first, twice."""
    assert {arm.place for arm in script.arms(Device.CPU)} == {Place.NOWHERE, Place.HOST}
    assert [arm.name for arm in ARMS[:3]] == [CLEAN, AGAIN, "device +0.25 %"]


def test_steps_of_a_profile_are_told_apart_by_the_delay_that_opens_them():
    """In the order of time; what precedes the first is no step's, copies are no kernels."""
    spin = "void at::cuda::(anonymous namespace)::spin_kernel(long)"
    kernels = [("gemm", 50, 1000), ("early", 5, 7), ("gemm", 30, 4000)]
    events = [*kernels, (spin, 10, 2000), ("Memcpy HtoD", 20, 9000), (spin, 40, 0)]
    assert recorder.delayed(events) == pytest.approx([6e-6, 1e-6])


def test_a_busy_host_is_busy_for_as_long():
    """At least; for 0 not at all."""
    import time

    began = time.perf_counter()
    recorder.busy(0.01)
    assert time.perf_counter() - began >= 0.01
    recorder.busy(0.0)


# ---------------------------------------------------------------- on disk


def test_a_sitting_comes_back_as_it_was_written(tmp_path):
    """And grows in its place."""
    short, long = sitting(2), sitting(3)
    path = sittings.write(tmp_path, short)
    assert path.parent == tmp_path / "nvidia-h200-140gb" / "power"
    assert sittings.write(tmp_path, long) == path
    assert sittings.every(tmp_path) == (long,)
    assert gzip.decompress(path.read_bytes()).startswith(b"{")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is damaged"),
        (b"no gzip", "is damaged"),
        (gzip.compress(b"{", mtime=0)[:-3], "is damaged"),
        (gzip.compress(b"{", mtime=0), "is damaged"),
        (gzip.compress(b"\xff", mtime=0), "is damaged"),
        (gzip.compress(b'{"schema": 99}', mtime=0), "has schema 99, and this benchsuite reads"),
        (gzip.compress(b'{"schema": 1}', mtime=0), "is no recorded sitting"),
    ],
)
def test_a_file_that_is_no_sitting_is_told_in_one_message(tmp_path, data, words):
    """Cut short, of something else, of a newer suite."""
    path = tmp_path / "m" / "power" / "x.json.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    with pytest.raises(SuiteError, match=words):
        sittings.every(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"seconds": (12.0,)}, "is not 1 processes"),
        ({"seconds": (), "values": {}}, "holds no process"),
        ({"arms": ("clean",)}, "its arms are not those"),
        ({"values": {STEP: (((0.1,) * 2,) * 11 + ((0.1,),),)}, "seconds": (1.0,)}, "as many steps each"),
        ({"values": {STEP: (((-0.1,),) * 12,)}, "seconds": (1.0,)}, "not above 0"),
    ],
)
def test_a_sitting_that_does_not_fit_together_is_refused(tmp_path, wrong, words):
    """Before anything is computed of it."""
    sittings.write(tmp_path, sitting(2, **wrong))
    with pytest.raises(SuiteError, match=words):
        sittings.every(tmp_path)


def test_without_a_sitting_it_is_said_how_to_record_one(tmp_path):
    """Exit code 2, one message."""
    with pytest.raises(SuiteError, match="benchsuite selftest --power --record 10"):
        sittings.every(tmp_path)


# ---------------------------------------------------------------- error rates


def found(rows, rule, near, name=""):
    """The only row of a rule, a metric, and an effect that is next to `near`."""
    (row,) = (r for r in rows if r.rule == rule and r.effect == pytest.approx(near, rel=0.2) and r.scene.endswith(name))
    return row


def test_the_gate_raises_no_alarm_and_finds_half_a_percent_of_device_time():
    """On processes 0.1 % apart; ten calls of a hundred processes."""
    rows = table.rows([sitting()])
    assert found(rows, "this gate, whole call", 0.0).found == 0
    assert found(rows, "this gate", 0.005, f"{KERNEL}, delay on the device").rate >= 0.9
    assert found(rows, "this gate", 0.05, f"{HOST}, delay on the host").rate == 1.0
    assert {row.alarms for row in rows if row.rule == "this gate"} == {0}
    assert {row.calls for row in rows} == {10}


def test_a_rows_effect_is_what_the_arm_made_of_its_metric():
    """A host that waits half of the time shows half of a device's delay; a device-bound step nothing of the host's."""
    rows = table.rows([sitting()])
    assert found(rows, "this gate", 0.025, f"{HOST}, delay on the device").rate == 1.0
    assert max(row.effect for row in rows if f"{STEP}, delay on the host" in row.scene) < 0.001


def test_tests_on_rounds_alarm_where_processes_differ():
    """A process's own offset is no effect, and they take it for one; they are shown a step's wall time, as they do."""
    rows = table.rows([sitting(spread=0.003)])
    other = found(rows, "t on rounds, 5 % level; 1 process a side", 0.0, f": {STEP}")
    assert other.rate > 0.5
    assert found(rows, "this gate, whole call", 0.0).found == 0


def test_other_stacks_and_short_sittings_stand_in_no_row_of_others():
    """An upgrade between two sittings is no noise, and one that was broken off is no reason to tell nothing."""
    other = sitting(20, seed=2, packages={"torch": "2.12.0"}, started="2026-11-25T18:00:00+00:00")
    rows = table.rows([sitting(20), other, sitting(4, case="sst2--qlora--quick--bert--random--cuda--s42")])
    assert {row.calls for row in rows} == {2}
    assert {row.scene.split()[0] for row in rows} == {"fp32"}


def test_sittings_of_a_case_are_counted_together_and_cases_apart():
    """A call takes no process of another sitting."""
    one, two = sitting(25), sitting(35, seed=2, started="2026-11-25T18:00:00+00:00")
    other = sitting(20, seed=3, case="sst2--qlora--quick--bert--random--cuda--s42")
    calls = {(row.scene.split()[0], row.calls) for row in table.rows([two, other, one])}
    assert calls == {("fp32", 2 + 3), ("qlora", 2)}


def test_sittings_with_other_numbers_of_steps_stand_in_rows_of_their_own():
    """The fastest of forty is faster than the fastest of ten."""
    long = sitting(20, seed=2, started="2026-11-25T18:00:00+00:00")
    more = {name: tuple(tuple(arm * 4 for arm in each) for each in values) for name, values in long.values.items()}
    assert {row.calls for row in table.rows([sitting(30), replace(long, values=more)])} == {3, 2}


def test_a_sitting_without_a_whole_call_is_said():
    """Nine processes are less than the ten of a call."""
    with pytest.raises(SuiteError, match="takes 10 processes, and the longest sitting has 9"):
        table.rows([sitting(9)])


def test_calls_are_simulated_from_the_recorded_noise():
    """Rates at the same effects, of as many calls as asked for."""
    rows = table.simulated([sitting(40)], count=200)
    assert found(rows, "this gate", 0.0, KERNEL).rate <= 0.02
    assert found(rows, "this gate", 0.01, KERNEL).rate == 1.0
    assert {row.calls for row in rows} == {200}
    assert "fitted to 40 processes" in rows[0].scene


# ---------------------------------------------------------------- the command


def test_the_command_prints_writes_and_draws(tmp_path):
    """From sittings alone, with no library of the stack."""
    sittings.write(tmp_path, sitting(20))
    page = tmp_path / "power.md"
    told = CliRunner().invoke(
        app, ["selftest", "--power", "--calls", "0", "--baselines", str(tmp_path), "--markdown", str(page)]
    )
    assert told.exit_code == 0
    assert "fp32 quick nvidia-h200-140gb" in told.stdout
    assert page.read_text().startswith("| scene | rule |")
    assert "<svg" in page.with_suffix(".svg").read_text()


def test_recording_without_the_table_is_a_usage_error():
    """--record belongs to --power."""
    told = CliRunner().invoke(app, ["selftest", "--record", "3"])
    assert isinstance(told.exception, SuiteError)
    assert "give both" in str(told.exception)


def test_recording_for_a_gpu_that_is_not_there_is_told(monkeypatch, tmp_path):
    """Before any process is started."""
    monkeypatch.setattr(record.environment, "gpus", tuple)
    options = Options(profiles=("quick",), regimes=("fp32",))
    with pytest.raises(SuiteError, match="no NVIDIA GPU here"):
        record.record_all(options, count=1, folder=tmp_path, say=print)


@pytest.mark.slow
def test_processes_are_recorded_on_a_cpu(tmp_path):
    """A real one, after one that sizes the delays; every arm has its blocks, and the sitting is on disk."""
    options = Options(profiles=("tiny",), regimes=("fp32",))
    (case,) = cases.cases(options)
    lines = []
    path = record.record(options, case, machine="tests", gpu="", count=1, folder=tmp_path, say=lines.append)
    (read,) = sittings.every(tmp_path)
    assert sittings.read(path) == read
    assert read.arms == tuple(arm.name for arm in script.arms(Device.CPU))
    processes, each, steps = np.asarray(read.values[STEP]).shape
    assert (processes, each) == (1, len(read.arms))
    assert steps in {rounds * (BLOCK - 1) for rounds in script.ROUNDS}
    assert min(np.asarray(read.values[HOST]).flat) > 0
    assert KERNEL not in read.values
    assert [line.split(",")[0] for line in lines[1:]] == ["fp32 tiny: process 1 of 1"]


def test_a_process_that_dies_is_told_with_its_last_words(tmp_path, monkeypatch):
    """Its end of stderr, and no sitting."""
    monkeypatch.setattr(record.codec, "encode", lambda _: {"no": "task"})
    options = Options(profiles=("tiny",), regimes=("fp32",))
    (case,) = cases.cases(options)
    with pytest.raises(SuiteError, match=r"(?s)a recorded process ended with 1:\n.*unknown") as caught:
        record.record(options, case, machine="tests", gpu="", count=1, folder=tmp_path, say=print)
    assert "no" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_hangs_is_killed(tmp_path, monkeypatch):
    """After what its profile allows; the message says so."""
    (case,) = cases.cases(Options(profiles=("tiny",), regimes=("fp32",)))
    task = recorder.Task(job=record._job(Options(), case, "tests"), number=0, rounds=1, units=None)
    monkeypatch.setattr(record.Process, "timeout", 0.2)
    process = record.Process(task=task, gpu="", log=tmp_path / "log")
    try:
        with pytest.raises(SuiteError, match="was killed after 0 s: it hung"):
            process.wait_ready()
    finally:
        process.end()
