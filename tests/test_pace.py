"""A slow host is no slow library: what a fixed piece of work says of the machine takes the blame off the stack."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import METRICS, gpu_baseline, gpu_case, gpu_record, result

from benchsuite.meters.yardstick import YARDSTICK, YardstickMeter, work
from benchsuite.nouns import Better, Measured, Outcome, Phase
from benchsuite.pace import REACH, SAME, shift
from benchsuite.scene import Clock

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
    assert outcome(1.0 + 0.9 * SAME, 1.8).outcome is Outcome.REGRESSED


def test_a_slow_host_is_not_called_a_regression():
    """Its own pace can have made the move, and the verdict says so, and how to find out."""
    found = outcome(1.48, 1.83)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.detail.startswith("+83 %, but the host was 48 % slower at a fixed piece of work (host.yardstick)")
    assert "benchsuite ab" in found.detail


def test_more_than_a_slow_host_can_do_is_the_stacks():
    """A host 20 % slower does not make training three times as long."""
    assert outcome(1.2, 3.0).outcome is Outcome.REGRESSED


def test_a_fast_host_excuses_no_slowdown():
    """Training takes longer though the host is faster; and what it gained on a fast host is no improvement."""
    assert outcome(0.7, 1.8).outcome is Outcome.REGRESSED
    assert outcome(0.7, 0.6).outcome is Outcome.INCONCLUSIVE
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
    for metric, value, wanted in ((rate, 70.0, Outcome.INCONCLUSIVE), (space, 150.0, Outcome.REGRESSED)):
        records = tuple(at(gpu_record(CASE, i), 1.4, throughput__x=value) for i in range(5))
        found = result(CASE, records, baseline, metrics=KNOWN | {metric.name: metric})
        assert [v.outcome for v in found.verdicts if v.metric == metric.name] == [wanted]


@given(st.floats(0.2, 5.0), st.floats(0.2, 5.0))
def test_nothing_is_excused_that_a_host_cannot_do(pace, slowdown):
    """No answer comes only of a pace that lies apart, in the move's own direction, and within reach of it."""
    found = outcome(pace, slowdown)
    if "fixed piece of work" in found.detail:
        assert abs(math.log(pace)) > math.log1p(SAME)
        assert 0 < math.log(slowdown) / math.log(pace) <= REACH * 1.01


def test_the_pace_is_the_median_of_trials():
    """One disturbed trial is not the host."""
    trials = [at(gpu_record(CASE, i), pace) for i, pace in enumerate((1.0, 1.0, 9.0))]
    assert shift(trials, trials[:1]) == 0.0
    assert shift(trials, [gpu_record(CASE)]) is None


def test_the_work_is_the_same_each_time():
    """It has one answer, and leaves nothing behind."""
    assert work() == work()


def test_the_work_is_done_beside_what_is_timed():
    """Before and after training and evaluation; in no other phase."""
    ticks = itertools.count()
    meter, scene = YardstickMeter(), SimpleNamespace(clock=Clock(now=lambda: float(next(ticks))))
    for phase in Phase:
        meter.start(phase, scene)
        found = meter.stop(phase, scene)
        assert bool(found) == (phase in (Phase.TRAIN, Phase.EVALUATE))
    assert found == {}
    assert meter.seconds == pytest.approx([1.0] * 20)
