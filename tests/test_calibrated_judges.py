"""Judging against stored trials: how often it alarms with nothing changed, and what calibration adds."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.ab.prediction import spread
from benchsuite.judges import bytes as bytes_judge
from benchsuite.judges import device, wall
from benchsuite.judges._predicted import by_prediction
from benchsuite.nouns import Better, Kind, Measured, Metric, Noise, Outcome, Role, Spread

TIME = Metric(name="m", unit="s", kind=Kind.WALL, concern="c", title="m", better=Better.LOWER)
CALM = Spread(within=0.01, freedom=4.0, between=0.0, nights=1)
FIVE = [1.0, 1.01, 0.99, 1.005, 0.995]
O = Outcome  # noqa: E741 - tables below stay readable
trials = st.lists(st.floats(0.5, 2.0), min_size=2, max_size=6)


def normal(rng: random.Random) -> float:
    """A process's offset on the log scale."""
    return rng.gauss(0, 0.01)


def heavy(rng: random.Random) -> float:
    """Student's t with 3 degrees of freedom, of the same standard deviation."""
    chi = sum(rng.gauss(0, 1) ** 2 for _ in range(3)) / 3
    return 0.01 * rng.gauss(0, 1) / math.sqrt(chi) / math.sqrt(3)


def disturbed(rng: random.Random) -> float:
    """One process of five is slower by 2.5 offsets, as in the recorded trials."""
    return rng.gauss(0, 0.01) + 0.025 * (rng.random() < 0.2)


def known(within: float | None, *, between: float = 0.0, nights: int = 1, old: int = 5) -> Metric:
    """The metric, calibrated to a spread, or not."""
    seen = None if within is None else Spread(within=within, freedom=4.0, between=between, nights=nights)
    return replace(TIME, noise=Noise(sittings=(0,) * old, known=seen))


def values(found: list[float]) -> tuple[Measured, ...]:
    """One trial a value."""
    return tuple(Measured(value=v) for v in found)


# ---------------------------------------------------------------- rates


@pytest.mark.parametrize(("noise", "bound"), [(normal, 0.015), (heavy, 0.02), (disturbed, 0.02)])
@pytest.mark.parametrize(("old", "new"), [(5, 1), (5, 5), (3, 2)])
@pytest.mark.parametrize("calibrated", [False, True])
def test_an_unchanged_stack_is_rarely_called_worse(noise, bound, old, new, calibrated):
    """Of 800 calls in which any move counts, at most so many: 1 %, and what 800 calls leave open."""
    rng, found = random.Random(8), Counter()
    for _ in range(800):
        a, b, c = ([math.exp(noise(rng)) for _ in range(n)] for n in (old, new, 5))
        metric = replace(TIME, noise=Noise(sittings=(0,) * old, known=spread([c]) if calibrated else None))
        found[by_prediction(metric, a, b, 1e-9).outcome] += 1
    assert found[O.REGRESSED] <= bound * 800


def test_another_night_is_rarely_called_worse_where_nights_were_calibrated():
    """Nights 2 % apart, offsets of 1 %: of one night's five trials a fifth of the runs seem worse; of five, few do."""
    rng, alarms = random.Random(9), Counter()
    for _ in range(400):
        nights = [[math.exp(rng.gauss(0, 0.01) + night) for _ in range(5)] for night in _nights(rng, 7)]
        for calibrated in (False, True):
            noise = Noise(sittings=(0,) * 5, known=spread(nights[2:]) if calibrated else None)
            outcome = by_prediction(replace(TIME, noise=noise), nights[0], nights[1], 1e-9).outcome
            alarms[calibrated] += outcome is O.REGRESSED
    assert alarms[False] > 0.15 * 400
    assert alarms[True] < 0.04 * 400


def _nights(rng: random.Random, count: int) -> list[float]:
    return [rng.gauss(0, 0.02) for _ in range(count)]


def test_what_could_be_seen_is_not_called_ok():
    """A move as large as `detectable` is ok in about 1 of 20 runs, in whichever way it is known."""
    rng, missed = random.Random(10), 0
    reach = by_prediction(known(0.01), FIVE, [1.0] * 5, 0.02).detectable
    assert reach is not None
    for _ in range(400):
        a, b = ([math.exp(normal(rng)) for _ in range(5)] for _ in range(2))
        missed += by_prediction(known(0.01), a, [v * (1 + reach) for v in b], 0.02).outcome is O.OK
    assert missed <= 0.08 * 400


# ---------------------------------------------------------------- properties


@given(trials, trials, st.floats(0.001, 1000.0))
@settings(max_examples=60, deadline=None)
def test_units_do_not_matter(old, new, factor):
    """In milliseconds the verdict, effect and reach are those in seconds."""
    here = by_prediction(TIME, old, new, 0.1)
    there = by_prediction(TIME, [v * factor for v in old], [v * factor for v in new], 0.1)
    assert here.effect == pytest.approx(there.effect, abs=1e-9)
    assert here.detectable == pytest.approx(there.detectable, rel=1e-6)
    at_an_edge = abs(math.log1p(here.effect or 0.0)) > 0.05
    assert here.outcome is there.outcome or at_an_edge


@given(st.integers(2, 8), st.integers(1, 8), st.floats(0.001, 0.1))
@settings(max_examples=60, deadline=None)
def test_more_trials_see_more(old, new, within):
    """At one spread, another trial on either side never sees less."""

    def reach(a: int, b: int) -> float:
        found = by_prediction(known(within, old=a), [1.0] * a, [1.0] * b, 1e-6).detectable
        assert found is not None
        return found

    assert reach(old + 1, new) <= reach(old, new) * (1 + 1e-9)
    assert reach(old, new + 1) <= reach(old, new) * (1 + 1e-9)


@given(trials, trials, st.floats(0.0, 0.3), st.floats(0.0, 0.3))
@settings(max_examples=60, deadline=None)
def test_nights_and_noise_only_widen(old, new, less, more):
    """A wilder calibration never sees more."""
    a, b = sorted((less, more))
    calm, wild = (by_prediction(known(w, old=len(old)), old, new, 0.05).detectable for w in (a, b))
    assert calm <= wild * (1 + 1e-9)
    apart = by_prediction(known(a, between=b, nights=4, old=len(old)), old, new, 0.05).detectable
    together = by_prediction(known(a, between=0.0, nights=4, old=len(old)), old, new, 0.05).detectable
    assert together <= apart * (1 + 1e-9)


@given(trials, trials)
@settings(max_examples=60, deadline=None)
def test_time_and_throughput_agree(old, new):
    """A rate that is better higher is judged as its inverse that is better lower."""
    time = by_prediction(TIME, old, new, 0.1)
    rate = by_prediction(replace(TIME, better=Better.HIGHER), [1 / v for v in old], [1 / v for v in new], 0.1)
    assert time.outcome is rate.outcome


# ---------------------------------------------------------------- what is called


@pytest.mark.parametrize(
    ("old", "new", "metric", "outcome"),
    [
        (FIVE, [1.02], known(None), O.OK),
        (FIVE, [1.09], known(None), O.INCONCLUSIVE),
        (FIVE, [1.15], known(None), O.INCONCLUSIVE),
        (FIVE, [1.30], known(None), O.REGRESSED),
        (FIVE, [0.85], known(None), O.IMPROVED),
        (FIVE, [1.15, 1.15], known(None), O.REGRESSED),
        (FIVE, [1.15, 1.01], known(None), O.INCONCLUSIVE),
        (FIVE, [1.0, 2.0], known(None), O.INCONCLUSIVE),
        ([1.0, 1.01], [1.02], known(None, old=2), O.OK),
        ([1.0, 1.01], [1.06], known(None, old=2), O.INCONCLUSIVE),
        ([1.0], [1.02], known(None, old=1), O.INCONCLUSIVE),
        ([1.0], [1.02], known(0.01, old=1), O.OK),
        ([1.0], [1.30], known(0.01, old=1), O.REGRESSED),
        (FIVE, [1.09], known(0.01), O.OK),
        (FIVE, [1.09], known(0.1), O.OK),
        (FIVE, [1.15], known(0.1), O.INCONCLUSIVE),
        (FIVE, [1.00], known(0.5), O.INCONCLUSIVE),
        (FIVE, [1.15] * 5, known(0.01, between=0.08, nights=4), O.INCONCLUSIVE),
        (FIVE, [1.30], replace(known(None), role=Role.EXPLAIN), O.INCONCLUSIVE),
        (FIVE, [0.80], replace(known(None), role=Role.EXPLAIN), O.INCONCLUSIVE),
        (FIVE, [1.02], replace(known(None), role=Role.EXPLAIN), O.OK),
        (FIVE, [1.30], replace(known(0.01), role=Role.EXPLAIN), O.REGRESSED),
        (FIVE, [1.30, 1.31], replace(known(None), role=Role.EXPLAIN), O.REGRESSED),
    ],
)
def test_outcomes(old, new, metric, outcome):
    """10 % counts. What is inside a calibrated spread is ok, unless that spread hides a doubling.

    What only explains needs more than one process's word, or a calibrated machine.
    """
    found = wall.JUDGE(metric, values(old), values(new))
    assert found.outcome is outcome, found.detail


@pytest.mark.parametrize(("metric", "marked"), [(known(None), True), (known(0.01), False)])
def test_what_counts_is_marked_where_nothing_was_calibrated(metric, marked):
    """The built-in percentage stays the floor; the verdict says whether more is known."""
    for new in ([1.0], [1.15], [1.5]):
        assert ("10 % (uncalibrated)" in wall.JUDGE(metric, values(FIVE), values(new)).detail) is marked


def test_every_verdict_says_what_could_have_been_seen():
    """As a number and in words; a verdict of few trials says why its reach is short."""
    found = wall.JUDGE(known(None), values(FIVE), values([1.0] * 5))
    assert found.detectable == pytest.approx(0.111, abs=0.005)
    assert found.detail == (
        "+0.0025 %; with nothing changed, 5 trials lie within +-1.5 % of the baseline's 5; smallest effect that counts "
        "10 % (uncalibrated), that could be seen 11 %; one sitting: how far nights lie apart is not in it"
    )
    few = wall.JUDGE(known(None, old=3), values(FIVE[:3]), values([1.0]))
    assert "only 2 degrees of freedom" in few.detail


def test_what_never_moved_is_unchanged_to_the_last_bit():
    """A clock that read the same in every trial differs by nothing, not by a rounding of its mean."""
    found = wall.JUDGE(known(None), values([1980.0] * 5), values([1980.0] * 3))
    assert (found.outcome, found.old, found.new, found.effect) == (O.OK, 1980.0, 1980.0, 0.0)


def test_a_baseline_of_two_nights_is_wider_than_one_of_one():
    """The nights of the baseline's own trials count too."""
    together, apart = [1.0, 1.01, 1.1, 1.11], Noise(sittings=(0, 0, 1, 1), known=None)
    one = wall.JUDGE(known(None, old=4), values(together), values([1.05, 1.05]))
    two = wall.JUDGE(replace(TIME, noise=apart), values(together), values([1.05, 1.05]))
    assert two.detectable > 2 * one.detectable


def test_device_time_takes_what_was_calibrated_for_what_was_built_in():
    """Six processes of one H200 lie 0.1 % apart; another machine's may lie further."""
    wild = Spread(within=0.01, freedom=8.0, between=0.0, nights=1)
    metric = replace(TIME, kind=Kind.DEVICE)
    calibrated = replace(metric, noise=Noise(sittings=(0,), known=wild))
    assert device.JUDGE(metric, values([1.0]), values([1.01])).outcome is O.REGRESSED
    assert device.JUDGE(calibrated, values([1.0]), values([1.01])).outcome is not O.REGRESSED


@pytest.mark.parametrize(
    ("within", "outcome"), [(None, O.REGRESSED), (0.0, O.REGRESSED), (0.005, O.OK)]
)  # fmt: skip
def test_bytes_that_scatter_here_are_given_room(within, outcome):
    """An allocator's figure that moves by 0.8 % between processes of an unchanged stack is no regression."""
    metric = replace(known(within), kind=Kind.BYTES)
    size = 2.0**30
    found = bytes_judge.JUDGE(metric, values([size] * 5), values([size * 1.008]))
    assert found.outcome is outcome
    assert found.detectable is not None
    assert (found.detectable > 0.008) is (outcome is O.OK)
