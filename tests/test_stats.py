"""Intervals and tests hold what their names say."""

import math
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.stats import losses_to_see, mcnemar, median, paired_drop_bound, pooled, relative, t_quantile, welch

positive = st.floats(min_value=1e-300, max_value=1e300)


def test_importing_stats_is_cheap():
    """The module loads without scipy, which takes a second to import."""
    code = "import sys, benchsuite.stats; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=6))
def test_the_median_is_finite_and_in_the_middle(values):
    """Of finite values it is finite, with no fewer than half on either side of it, however large they are."""
    middle = median(values)
    assert math.isfinite(middle)
    assert 2 * sum(value <= middle for value in values) >= len(values)
    assert 2 * sum(value >= middle for value in values) >= len(values)


def test_welch_agrees_with_scipy():
    """Centre, error and degrees of freedom are those of Welch's test on logarithms."""
    from scipy.stats import ttest_ind

    old, new = [1.0, 1.1, 0.95, 1.02], [1.2, 1.25, 1.15]
    ours = welch(old, new)
    theirs = ttest_ind([math.log(v) for v in new], [math.log(v) for v in old], equal_var=False)
    interval = theirs.confidence_interval(0.99)
    assert ours.freedom == pytest.approx(theirs.df)
    assert ours.interval() == pytest.approx((math.expm1(interval.low), math.expm1(interval.high)))


def test_welch_interval_misses_rarely():
    """Of 2000 unchanged comparisons with an offset in each process about 1 % lie outside a 99 % interval."""
    rng = random.Random(7)
    misses = 0
    for _ in range(2000):
        old, new = ([math.exp(rng.gauss(0, 0.05)) for _ in range(5)] for _ in range(2))
        low, high = welch(old, new).interval()
        misses += not low <= 0 <= high
    assert 4 <= misses <= 40


@given(st.lists(positive, min_size=2, max_size=6), st.lists(positive, min_size=2, max_size=6))
def test_intervals_are_finite_and_ordered(old, new):
    """Whatever positive numbers come in, finite ordered bounds come out."""
    for difference in (welch(old, new), pooled(old, new, spread=0.0004, freedom=10)):
        low, high = difference.interval()
        assert math.isfinite(low)
        assert math.isfinite(high)
        assert low <= high


def test_identical_trials_have_no_spread_of_their_own():
    """Zero variance gives a zero error, not a division by zero."""
    assert welch([2.0, 2.0], [2.0, 2.0]).error == 0.0


def test_known_spread_only_widens():
    """Trials that agree by chance do not make a known spread smaller; trials that disagree widen it."""
    calm = pooled([1.0, 1.0], [1.0, 1.0], spread=0.001, freedom=10)
    wild = pooled([1.0, 1.1], [1.0, 1.1], spread=0.001, freedom=10)
    assert calm.error == pytest.approx(0.001)
    assert wild.error > 10 * calm.error


def test_t_quantile_grows_where_little_is_known():
    """One degree of freedom asks for 63.7 standard errors at 99 %."""
    assert t_quantile(0.995, 1) == pytest.approx(63.657, abs=1e-3)


@pytest.mark.parametrize(("log_ratio", "expected"), [(0.0, 0.0), (math.log(2), 1.0), (-1e6, -1.0)])
def test_relative(log_ratio, expected):
    """A difference of logarithms becomes a relative effect."""
    assert relative(log_ratio) == pytest.approx(expected)


def test_relative_never_overflows():
    """An absurd ratio is held to a finite number."""
    assert math.isfinite(relative(1e9))


@pytest.mark.parametrize(
    ("lost", "won", "p"), [(0, 0, 1.0), (8, 0, 2 * 0.5**8), (7, 0, 2 * 0.5**7), (5, 5, 1.0), (1, 0, 1.0)]
)
def test_mcnemar_is_exact(lost, won, p):
    """The p value is the two-sided binomial one of the discordant pairs."""
    assert mcnemar(lost, won) == pytest.approx(p)


@given(st.integers(0, 60), st.integers(0, 200))
def test_losses_to_see_is_the_smallest_significant_count(won, limit):
    """One loss fewer than the answer is not significant; None means that the limit is not either."""
    needed = losses_to_see(won, limit)
    if needed is None:
        assert limit <= won or mcnemar(limit, won) >= 0.01
    else:
        assert mcnemar(needed, won) < 0.01 <= mcnemar(needed - 1, won)
        assert won < needed <= limit


def test_drop_bound_is_wide_for_few_examples():
    """No discordant pair among 10 examples proves far less than none among 872."""
    assert paired_drop_bound(0, 0, 10) > 0.1
    assert paired_drop_bound(0, 0, 872) < 0.002
