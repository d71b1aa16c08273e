"""Intervals against stored trials, and what paired predictions show, hold what their names say."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.ab import quality
from benchsuite.ab.prediction import Spread, place, predict, spread
from benchsuite.ab.quality import Turned
from benchsuite.nouns import Better, Outcome
from benchsuite.stats import mcnemar

positive = st.floats(0.5, 2.0)
FLOOR = 0.0025
KNOWN = Spread(within=0.01, freedom=8.0, between=0.0, nights=1)


def half(*sittings, **more):
    """The half width of a prediction for one trial."""
    return predict(sittings, **({"new": 1, "floor": 1e-9} | more)).half


# ---------------------------------------------------------------- prediction


def test_one_sitting_gives_the_textbook_interval():
    """Student's t times s times sqrt(1 + 1/n), on logarithms."""
    from scipy.stats import t

    trials = [1.0, 1.02, 0.99, 1.01, 1.03]
    sd = np.log(trials).std(ddof=1)
    assert math.log1p(half(trials)) == pytest.approx(t.ppf(0.995, 4) * sd * math.sqrt(1 + 1 / 5))


@pytest.mark.parametrize("nights", [1, 4])
def test_intervals_miss_as_often_as_they_say(nights):
    """Of 1,500 unchanged runs about 1 % lie outside, on the night of the baseline or, of several, another."""
    rng, misses = random.Random(3), 0
    for _ in range(1_500):
        offsets = [rng.gauss(0, 0.02) if nights > 1 else 0.0 for _ in range(nights + 1)]
        *old, new = ([math.exp(night + rng.gauss(0, 0.01)) for _ in range(4)] for night in offsets)
        found = predict(old, new=4, floor=1e-9)
        misses += place(found, new, Better.NEITHER) is not Outcome.OK
    assert 0.003 < misses / 1_500 < 0.02


@given(st.lists(positive, min_size=3, max_size=8), st.floats(0.01, 100.0))
def test_units_do_not_matter(trials, factor):
    """Widths are relative; the centre scales."""
    here, there = (predict([[v * f for v in trials]], new=2, floor=FLOOR) for f in (1.0, factor))
    assert here.half == pytest.approx(there.half, rel=1e-6)
    assert there.centre == pytest.approx(here.centre * factor)


def test_fewer_trials_widen():
    """At one spread, five trials are wider than twenty, and two far wider than five."""
    two, five, twenty = ([0.99, 1.01], [0.99, 1.01, 0.99, 1.01, 1.0], [0.99, 1.01] * 10)
    assert half(two) > 10 * half(five) > 10 * half(twenty)


def test_one_trial_leaves_the_floor_uncalibrated():
    """And says so."""
    found = predict([[1.0]], new=1, floor=0.02)
    assert found.half == pytest.approx(0.02)
    assert not found.calibrated
    assert found.note == "one trial shows no spread between processes: the built-in 2.0 %, uncalibrated"


@pytest.mark.parametrize(
    ("sittings", "calibrated", "note"),
    [
        ([[1.0, 1.01, 1.0]], False, ("only 2 degrees of freedom for the spread between processes, uncalibrated; "
         "one sitting: how far nights lie apart is not in it")),
        ([[1.0, 1.01, 1.0, 1.0, 1.0]], True, "one sitting: how far nights lie apart is not in it"),
        ([[1.0, 1.01, 1.0], [1.0, 1.0, 1.01]], True, "2 sittings: how far nights lie apart is hardly known"),
        ([[1.0, 1.01]] * 4, True, ""),
        ([[1.0], [1.01], [1.02], [1.0], [1.01]], True, ""),
    ],
)  # fmt: skip
def test_notes_say_what_is_not_known(sittings, calibrated, note):
    """Few trials, and one night."""
    found = predict(sittings, new=1, floor=FLOOR)
    assert (found.calibrated, found.note) == (calibrated, note)


def test_nights_apart_widen_the_interval():
    """The same trials cost more when they fall into groups of a night each."""
    near, far = [0.999, 1.001, 1.0], [1.049, 1.051, 1.05]
    assert spread([near, far]).between == pytest.approx(0.0345, rel=0.02)
    assert half(near, far) > 10 * half(near)


def test_components_agree_with_what_was_simulated():
    """Within 0.01 and between 0.03, from 200 unequal nights."""
    rng = random.Random(4)
    nights = [
        [math.exp(n + rng.gauss(0, 0.01)) for _ in range(k)] for k in (2, 3, 5) * 67 for n in [rng.gauss(0, 0.03)]
    ]
    found = spread(nights)
    assert (found.within, found.between) == (pytest.approx(0.01, rel=0.1), pytest.approx(0.03, rel=0.15))
    assert found.freedom == sum(len(n) - 1 for n in nights)


def test_a_known_spread_helps_few_trials_and_never_narrows_below_itself():
    """One trial gets an interval from it; trials that agree by chance do not get one narrower than it."""
    assert predict([[1.0]], new=1, floor=FLOOR, known=KNOWN).calibrated
    assert half([1.0], known=KNOWN) == pytest.approx(math.expm1(3.355 * 0.01 * math.sqrt(2)), rel=0.01)
    assert half([1.0] * 5, known=KNOWN) > 2 * 0.01
    assert half([1.0, 1.2, 0.8], known=KNOWN) > half([1.0, 1.0, 1.0], known=KNOWN)


def test_a_better_side_gets_no_share_of_the_error():
    """Less than neither's width on the worse side, and no bound on the better one."""
    trials = [[1.0, 1.02, 0.99, 1.01, 1.03]]
    lower, higher, neither = (
        predict(trials, new=1, floor=FLOOR, better=b) for b in (Better.LOWER, Better.HIGHER, Better.NEITHER)
    )
    assert lower.half < neither.half
    assert (lower.low, higher.high) == (None, None)
    assert neither.low < neither.centre < neither.high


@pytest.mark.parametrize(
    ("new", "better", "outcome"),
    [
        ([1.0, 1.0], Better.LOWER, Outcome.OK),
        ([1.2, 1.2], Better.LOWER, Outcome.REGRESSED),
        ([1.04], Better.LOWER, Outcome.INCONCLUSIVE),
        ([1.2], Better.LOWER, Outcome.REGRESSED),
        ([0.8], Better.LOWER, Outcome.IMPROVED),
        ([0.8, 0.8], Better.HIGHER, Outcome.REGRESSED),
        ([1.2, 1.2], Better.HIGHER, Outcome.IMPROVED),
        ([0.8, 0.8], Better.NEITHER, Outcome.CHANGED),
        ([0.95], Better.NEITHER, Outcome.INCONCLUSIVE),
        ([0.8], Better.NEITHER, Outcome.CHANGED),
    ],
)
def test_place(new, better, outcome):
    """Outside on the worse side is regressed; one trial must lie twice as far, since it may have been disturbed."""
    found = predict([[1.0, 1.01, 0.99, 1.0, 1.0]], new=len(new), floor=FLOOR, better=better)
    assert place(found, new, better) is outcome


# ---------------------------------------------------------------- quality


def test_power_agrees_with_simulation():
    """Of exact McNemar's test, on 872 examples of which 4 % differ and 2 % are lost net."""
    rng = np.random.default_rng(7)
    counts = [(int(x), int(y)) for x, y, _ in rng.multinomial(872, [0.03, 0.01, 0.96], 3_000)]
    shown = {(x, y): x > y and mcnemar(x, y) < 0.01 for x, y in set(counts)}
    found = np.mean([shown[each] for each in counts])
    assert quality.power(0.02, 0.04, 872) == pytest.approx(found, abs=0.025)


def test_power_is_never_more_than_the_level_where_nothing_is_lost():
    """One side of an exact test."""
    assert 0 < quality.power(0.0, 0.05, 872) <= 0.005
    assert quality.power(0.0, 0.0, 872) == 0.0


def test_the_visible_drop_is_found_nine_times_of_ten():
    """By its own power; examples that differ anyway make it larger, and few examples show nothing."""
    quiet, busy = (Turned(lost=n, won=n, examples=872) for n in (0, 20))
    drop = quality.visible(busy)
    assert quality.power(drop, 40 / 872 + drop, 872) == pytest.approx(0.9, abs=0.005)
    assert 8 / 872 < quality.visible(quiet) < 15 / 872 < drop
    assert quality.visible(Turned(lost=0, won=0, examples=5)) == 1.0
