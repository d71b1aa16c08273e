"""Base units inside, people's units outside."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.nouns import UsageError
from benchsuite.units import SCALES, parse_tolerance, percent, show, show_change, show_effect


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0123, "s", "12.3 ms"),
        (4.8, "s", "4.80 s"),
        (119.0, "s", "119.00 s"),
        (875.4, "s", "14.59 min"),
        (7.6e-6, "s", "7.60 us"),
        (0.0, "s", "0.00 s"),
        (453_091_328, "B", "432.1 MB"),
        (2048, "B", "2.00 kB"),
        (12, "B", "12 B"),
        (868, "1", "868"),
        (868.0, "1", "868"),
        (109_483_778, "1", "109,483,778"),
        (0.9163, "1", "0.9163"),
        (1.0, "1", "1.0000"),
        (12_345.6, "J", "12.35 kJ"),
        (131.64, "1/s", "131.6 /s"),
        (math.nan, "s", "nan"),
        (math.inf, "B", "inf"),
        (None, "s", "-"),
        ("33 entries", "", "33 entries"),
        (True, "", "True"),
        (10**400, "1", "about 1e400"),
    ],
)
def test_show_scales_for_people(value, unit, text):
    """A value is shown in the unit a person would choose."""
    assert show(value, unit) == text


@pytest.mark.parametrize(
    ("old", "new", "unit", "text"),
    [
        (94_581_555, 142_501_478, "B", "90.2 -> 135.9 MB (+51 %)"),
        (868, 877, "1", "868 -> 877 (+1.0 %)"),
        (868, 868, "1", "868 -> 868 (unchanged)"),
        (0.9163, 0.9060, "1", "0.9163 -> 0.9060 (-1.03 points)"),
        (0.0316081, 0.0316083, "s", "31.6081 -> 31.6083 ms (+0.00063 %)"),
        (0.9, 0.0009, "s", "900.0 -> 0.9 ms (-100 %)"),
        (1.0, 12.0, "s", "1.00 -> 12.00 s (x12.0)"),
        (0, 5, "1", "0 -> 5"),
        (None, 5, "1", "- -> 5"),
        ("a", "b", "", "a -> b"),
        (math.nan, 1.0, "s", "nan -> 1.00 s"),
    ],
)
def test_show_change_keeps_one_scale(old, new, unit, text):
    """Both sides of a change stand at the same scale, and different values look different."""
    assert show_change(old, new, unit) == text


@given(st.floats(allow_nan=True), st.floats(allow_nan=True), st.sampled_from(sorted(SCALES)))
def test_show_change_takes_any_float(old, new, unit):
    """No pair of floats is refused, and the text always has both sides."""
    assert " -> " in show_change(old, new, unit)
    assert isinstance(show_effect(old, new, unit), str)


@given(st.integers(), st.integers())
def test_different_counts_look_different(old, new):
    """Two different integers never print alike."""
    sides = show_change(old, new, "1").split(" (")[0].split(" -> ")
    assert (sides[0] == sides[1]) == (old == new) or abs(old) > 10**300 or abs(new) > 10**300


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.51, "+51 %"), (0.0131, "+1.3 %"), (-0.0024, "-0.24 %"), (1e9, "+1.0e+11 %"), (0.0, "+0 %")],
)
def test_percent_has_the_digits_it_needs(share, text):
    """Small moves get more digits than large ones."""
    assert percent(share) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 %", (0.01, None)),
        ("0.25%", (0.0025, None)),
        ("2 MiB", (None, 2 * 2.0**20)),
        ("2 mb", (None, 2 * 2.0**20)),
        ("0.5 ms", (None, 0.0005)),
        ("0.01", (None, 0.01)),
        (" .5 s ", (None, 0.5)),
        ("1 point", (None, 0.01)),
        ("1e-3", (None, 0.001)),
    ],
)
def test_tolerances_are_read(text, expected):
    """A tolerance is relative with a percent sign, else absolute in the base unit."""
    assert parse_tolerance(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "%", "many", "1 parsec", "-1 %", "1 % 2", "nan", "inf", "1e999", "1,5 %", "%1"])
def test_nonsense_is_refused_with_examples(text):
    """What is no tolerance is a usage error that shows how to write one."""
    with pytest.raises(UsageError, match="write for example"):
        parse_tolerance(text)


def test_a_tolerance_of_another_unit_is_refused():
    """Milliseconds are no tolerance for bytes; a bare number fits every unit."""
    with pytest.raises(UsageError, match="is in s, but the metric"):
        parse_tolerance("0.5 ms", "B")
    assert parse_tolerance("3", "B") == (None, 3.0)


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text):
    """No text crashes the reader, and what it reads is finite and not negative."""
    try:
        relative, absolute = parse_tolerance(text)
    except UsageError:
        return
    value = relative if absolute is None else absolute
    assert value is not None
    assert value >= 0
