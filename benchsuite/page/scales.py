"""From values to positions: axes with round ticks, labelled in the unit that fits. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from benchsuite.units import SCALES

ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
NEARLY = 0.8
"""A step may be so much smaller than asked, rather than twice as large."""
ALIKE = 0.05
"""What an axis leaves on both sides of a single value, of that value's size."""
FINEST = 1e-9
"""Smallest span of an axis, of the values' own size: below it floats have no room for ticks."""
LARGEST = 1e30
"""Values beyond are left out of drawings: a loss that ran away would flatten all others."""


def finite(values: Iterable[float]) -> tuple[float, ...]:
    """Those that can be drawn."""
    return tuple(float(v) for v in values if math.isfinite(v) and abs(v) < LARGEST)


def steps(low: float, high: float, count: int = 5) -> tuple[float, ...]:
    """About `count` round values at equal distances; the first is `low` at most, the last `high` at least."""
    size = max(abs(low), abs(high)) or 1.0
    if high - low <= size * FINEST:
        low, high = low - size * ALIKE, high + size * ALIKE
    by, power = _round((high - low) / count)
    step = _times(1, by, power)
    # A quotient may be rounded across the next whole number: first in favour of fewer ticks, then so that they cover.
    first, last = math.floor(low / step + FINEST), math.ceil(high / step - FINEST)
    first -= _times(first, by, power) > low
    last += _times(last, by, power) < high
    return tuple(_times(k, by, power) for k in range(first, max(last, first + 1) + 1))


def _round(size: float) -> tuple[float, int]:
    """A round number near `size`, as a factor and a power of ten."""
    power = math.floor(math.log10(size))
    return next((by, power) for by in ROUND if _times(1, by, power) >= size * NEARLY)


def _times(count: int, by: float, power: int) -> float:
    # Divided by 100, 83 is the very 0.83 that a person writes; times 0.01 it is not.
    return count * by * 10.0**power if power >= 0 else count * by / 10.0**-power


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A line of values between two positions."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[tuple[float, str], ...]
    """Value and label, the unit left out."""
    unit: str
    """The unit of the labels."""

    def __call__(self, value: float) -> float:
        """Where a value lies; values beyond the axis lie at its ends."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def axis(values: Iterable[float], unit: str, start: float, end: float, *, zero: bool = False, count: int = 5) -> Axis:
    """An axis over all `values`, in their base unit `unit`; with `zero` it begins or ends there.

    Raises:
        ValueError: none of them can be drawn.
    """
    held = finite(values)
    if not held:
        raise ValueError("an axis needs a value")
    low, high = (min(0.0, *held), max(0.0, *held)) if zero else (min(held), max(held))
    size, name = _unit(max(abs(low), abs(high)), unit)
    marks = steps(low / size, high / size, count)
    texts = labels(marks)
    return Axis(
        low=min(low, marks[0] * size), high=max(high, marks[-1] * size), start=start, end=end, unit=name,
        ticks=tuple((mark * size, text) for mark, text in zip(marks, texts, strict=True)),
    )  # fmt: skip


def _unit(largest: float, unit: str) -> tuple[float, str]:
    scales = SCALES.get(unit, ((1.0, unit, 0),))
    # Minutes only from two of them on, as everywhere.
    return next(((s[0], s[1]) for s in scales if largest >= s[0] * (2 if s[1] == "min" else 1)), (1.0, scales[0][1]))


def labels(marks: tuple[float, ...]) -> tuple[str, ...]:
    """Numbers at equal distances with as many decimals as tell them apart."""
    step = marks[1] - marks[0]
    decimals = next((d for d in range(13) if abs(round(step, d) - step) <= step * 1e-6), 12)
    return tuple(f"{mark:,.{decimals}f}".replace("-0", "0") if not mark else f"{mark:,.{decimals}f}" for mark in marks)


def quantile(values: Iterable[float], share: float) -> float:
    """The value below which `share` of the values lie, between two of them in proportion; one value at least."""
    held = sorted(values)
    place = share * (len(held) - 1)
    below = math.floor(place)
    above = min(below + 1, len(held) - 1)
    return held[below] + (held[above] - held[below]) * (place - below)
