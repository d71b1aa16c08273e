"""A slow host is no slow library: what a fixed piece of work says of the machine takes the blame off the stack."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import METRICS, gpu_baseline, gpu_case, gpu_record, result

from benchsuite import registry
from benchsuite.meters import host_pace
from benchsuite.meters.host_pace import YARDSTICK, PaceMeter
from benchsuite.nouns import Better, Measured, Outcome, Phase
from benchsuite.pace import REACH, shift
from benchsuite.yardwork import work

CASE = gpu_case()
KNOWN = METRICS | {YARDSTICK.name: YARDSTICK}


def at(record, pace, **metrics):
    """The trial on a host of a pace, with some times of its own."""
    more = {name.replace("__", "."): Measured(value=value) for name, value in metrics.items()}
    return replace(record, metrics=record.metrics | more | {YARDSTICK.name: Measured(value=0.005 * pace)})


def outcome(pace, slowdown, *, base=1.0, trials=5):
    """What is said of a training time after a slowdown, on a host of a pace."""
    baseline = gpu_baseline(CASE)
    if base:
        baseline = replace(baseline, trials=tuple(at(trial, base) for trial in baseline.trials))
    records = tuple(at(gpu_record(CASE, i), pace, time__train=120.5 * (1 + i / 100) * slowdown) for i in range(trials))
    found = result(CASE, records, baseline, metrics=KNOWN)
    (verdict,) = (v for v in found.verdicts if v.metric == "time.train")
    return verdict


def test_a_slowdown_on_the_same_host_is_the_stacks():
    """The work takes as long as ever, training does not."""
    assert outcome(1.0, 1.8).outcome is Outcome.REGRESSED
    assert outcome(1.09, 1.8).outcome is Outcome.REGRESSED


def test_a_slow_host_is_not_called_a_regression():
    """Its own pace can have made the move, and the verdict says so, and how to find out."""
    found = outcome(1.48, 1.83)
    assert found.outcome is Outcome.INCOMPARABLE
    assert found.detail.startswith("+83 %, but the host was 48 % slower at a fixed piece of work (host.yardstick)")
    assert "benchsuite ab" in found.advice


def test_more_than_a_slow_host_can_do_is_the_stacks():
    """A host 20 % slower does not make training three times as long."""
    assert outcome(1.2, 3.0).outcome is Outcome.REGRESSED


def test_a_fast_host_excuses_no_slowdown():
    """Training takes longer though the host is faster; and what it gained on a fast host is no improvement."""
    assert outcome(0.7, 1.8).outcome is Outcome.REGRESSED
    assert outcome(0.7, 0.6).outcome is Outcome.INCOMPARABLE
    assert outcome(1.0, 0.6).outcome is Outcome.IMPROVED


def test_a_baseline_that_knows_no_pace_is_judged_as_ever():
    """What was approved before there was a yardstick."""
    assert outcome(1.48, 1.83, base=0.0).outcome is Outcome.REGRESSED


def test_throughput_falls_where_time_rises():
    """Of a rate the move is the other way round; bytes are none of the host's."""
    baseline = replace(
        gpu_baseline(CASE), trials=tuple(at(t, 1.0, throughput__x=100.0) for t in gpu_baseline(CASE).trials)
    )
    rate = replace(KNOWN["time.train"], name="throughput.x", unit="1/s", better=Better.HIGHER)
    space = replace(KNOWN["time.train"], name="throughput.x", unit="B")
    for metric, value, wanted in ((rate, 70.0, Outcome.INCOMPARABLE), (space, 150.0, Outcome.REGRESSED)):
        records = tuple(at(gpu_record(CASE, i), 1.4, throughput__x=value) for i in range(5))
        found = result(CASE, records, baseline, metrics=KNOWN | {metric.name: metric})
        assert [v.outcome for v in found.verdicts if v.metric == metric.name] == [wanted]


@given(st.floats(0.2, 5.0), st.floats(1e-20, 5.0))
def test_nothing_is_excused_that_a_host_cannot_do(pace, slowdown):
    """A host excuses only a move in its own direction, and within reach of its own."""
    found = outcome(pace, slowdown)
    if found.outcome is Outcome.INCOMPARABLE:
        assert 0 < math.log(slowdown) / math.log(pace) <= REACH * 1.01


def test_a_side_that_measured_it_in_part_excuses_nothing():
    """The middle of the times is that of other trials then."""
    with_, without = at(gpu_record(CASE, 0), 1.48), gpu_record(CASE, 1)
    assert shift([with_, without], [with_]) is None
    assert shift([with_], [without]) is None


def test_another_python_is_another_yardstick():
    """Its own speed is no host's."""
    old, new = at(gpu_record(CASE), 1.0), at(gpu_record(CASE), 1.48)
    hardware = {**new.environment.hardware, "python": "3.13"}
    assert shift([old], [replace(new, environment=replace(new.environment, hardware=hardware))]) is None


def test_the_pace_is_the_median_of_trials():
    """One disturbed trial is not the host."""
    trials = [at(gpu_record(CASE, i), pace) for i, pace in enumerate((1.0, 1.0, 9.0))]
    assert shift(trials, trials[:1]) == 0.0


def test_the_work_is_the_same_each_time():
    """It has one answer, and leaves nothing behind."""
    assert work() == work()


def test_the_work_is_done_beside_what_is_timed(monkeypatch):
    """Before and after training and evaluation; in no other phase."""
    monkeypatch.setattr(host_pace, "measured", lambda: [1.0, 2.0, 3.0])
    meter = PaceMeter()
    for phase in Phase:
        meter.start(phase, None)
        found = meter.stop(phase, None)
        assert bool(found) == (phase in (Phase.TRAIN, Phase.EVALUATE))
    assert meter.seconds == [1.0, 2.0, 3.0] * 4


def test_the_work_is_done_in_an_interpreter_of_its_own(monkeypatch):
    """A thread that holds this one's lock, or a hook of a library, has no part in it."""
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    seconds = host_pace.measured()
    assert len(seconds) == host_pace.REPEATS
    assert all(1e-4 < each < 10 for each in seconds)


@pytest.mark.parametrize("program", ["/nowhere/python", "/bin/false"])
def test_where_none_can_be_started_the_trial_goes_on(monkeypatch, program):
    """Without the figure, which only explains."""
    monkeypatch.setattr(host_pace.sys, "executable", program)
    meter = PaceMeter()
    meter.start(Phase.TRAIN, None)
    assert meter.stop(Phase.TRAIN, None) == {}


def test_it_spans_the_meters_that_watch_training():
    """Meters begin by name: what is spent on it is in no other's window."""
    names = list(registry.meters())
    assert names.index("host_pace") < names.index("nvml")
