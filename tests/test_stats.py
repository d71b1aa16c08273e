"""Intervals and tests hold what their names say."""

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.stats import mcnemar, median, paired_drop_bound, relative, t_quantile


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


def test_drop_bound_is_wide_for_few_examples():
    """No discordant pair among 10 examples proves far less than none among 872."""
    assert paired_drop_bound(0, 0, 10) > 0.1
    assert paired_drop_bound(0, 0, 872) < 0.002
