"""Base units inside (s, B, J, 1/s, 1), scaled for people only here, at print.

`MB` is 2**20 bytes, as in the published figures. Covers display and the reading of tolerances;
arithmetic on measurements belongs to `stats`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from .nouns import JSON, UsageError

Scale = tuple[float, str, int]
"""Size of one displayed unit in base units, its name, and how many decimals people want of it."""

GROUPED = 10_000
"""Numbers from here on get a comma between thousands."""
MOST_DECIMALS = 12
HUGE = 1e6
TENTHS = 10
"""Below this a value gets a decimal more."""
MANY_TIMES = 3.0
"""Ratios from here on are told as "x3.0", below as percent."""

SCALES: dict[str, tuple[Scale, ...]] = {
    "s": ((60.0, "min", 2), (1.0, "s", 2), (1e-3, "ms", 1), (1e-6, "us", 1), (1e-9, "ns", 1)),
    "B": ((2.0**20, "MB", 1), (2.0**10, "kB", 1), (1.0, "B", 0)),
    "J": ((1e3, "kJ", 2), (1.0, "J", 1), (1e-3, "mJ", 1)),
    "1/s": ((1.0, "/s", 1),),
    "1": ((1.0, "", 4),),
    "": ((1.0, "", 4),),
}
"""From large to small; the first that a value reaches is used."""

WORDS: dict[str, tuple[float, str]] = {
    "min": (60.0, "s"), "s": (1.0, "s"), "ms": (1e-3, "s"), "us": (1e-6, "s"), "ns": (1e-9, "s"),
    "gib": (2.0**30, "B"), "gb": (2.0**30, "B"), "mib": (2.0**20, "B"), "mb": (2.0**20, "B"),
    "kib": (2.0**10, "B"), "kb": (2.0**10, "B"), "b": (1.0, "B"),
    "kj": (1e3, "J"), "j": (1.0, "J"), "mj": (1e-3, "J"), "/s": (1.0, "1/s"), "1/s": (1.0, "1/s"),
    "points": (0.01, "1"), "point": (0.01, "1"), "": (1.0, ""),
}  # fmt: skip
"""Units a tolerance may be written in: factor to the base unit, and that unit. Case does not matter."""


def _scale(value: float, unit: str) -> Scale:
    # Shares want four digits; watts and megahertz do not.
    scales = SCALES.get(unit, ((1.0, unit, 4 if unit in {"1", ""} else 1),))
    # Minutes only from two of them on: "1.10 min" says less than "66.00 s".
    fitting = (s for s in scales if abs(value) >= s[0] * (2 if s[1] == "min" else 1))
    return next(fitting, scales[-1] if value else next((s for s in scales if s[0] == 1.0), scales[-1]))


def is_number(value: JSON) -> bool:
    """True for an int or a float that is not a bool."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _digits(value: JSON, scale: Scale, decimals: int) -> str:
    size, _, _ = scale
    if isinstance(value, int) and size == 1.0:
        return f"{value:,}" if abs(value) >= GROUPED else str(value)
    scaled = float(value) / size
    if scaled and abs(scaled) < 10.0**-decimals:
        return f"{scaled:.3g}"
    return f"{scaled:,.{decimals}f}" if abs(scaled) >= GROUPED else f"{scaled:.{decimals}f}"


def _finite(value: JSON) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _pick(values: Sequence[JSON], unit: str) -> tuple[Scale, int]:
    largest = max((abs(float(v)) for v in values), default=0.0)
    scale = _scale(largest, unit)
    whole = all(float(v).is_integer() for v in values)
    plain = scale[0] == 1.0 and whole and largest > 1 and unit in {"1", ""}
    # Three digits at least: "1.8 ms" hides a move of 2 %.
    small = scale[2] == 1 and largest / scale[0] < TENTHS
    return scale, 0 if plain else scale[2] + small


def show(value: JSON, unit: str) -> str:
    """One value for people: "12.3 ms", "432.1 MB", "0.9163", "868". Texts pass through, None is "-"."""
    if value is None:
        return "-"
    if not is_number(value):
        return str(value)
    if not _finite(value):
        return str(value) if isinstance(value, float) else f"about 1e{len(str(abs(value))) - 1}"
    scale, decimals = _pick((value,), unit)
    return f"{_digits(value, scale, decimals)} {scale[1]}".strip()


def show_many(values: Sequence[JSON], unit: str) -> tuple[str, ...]:
    """Values that stand in one column: numbers at one scale, with decimals enough to tell a tenth of their span."""
    numbers = [v for v in values if is_number(v) and _finite(v)]
    if not numbers:
        return tuple(show(v, unit) for v in values)
    scale, decimals = _pick(numbers, unit)
    span = (float(max(numbers)) - float(min(numbers))) / scale[0]
    # No more than four beyond what people want: further down is noise of arithmetic.
    most = decimals + 4
    while span and decimals < most and 10.0**-decimals > span / TENTHS:
        decimals += 1
    shown = (f"{_digits(v, scale, decimals)} {scale[1]}".strip() if is_number(v) and _finite(v) else "" for v in values)
    return tuple(text or show(v, unit) for text, v in zip(shown, values, strict=True))


def show_change(old: JSON, new: JSON, unit: str) -> str:
    """Two values at one scale, and by how much they differ: "90.2 -> 135.9 MB (+51 %)".

    Shares (unit "1", floats from 0 to 1) differ by points. Decimals grow until different values
    look different, so that "868 -> 868" is never said of a change.
    """
    if not (is_number(old) and is_number(new) and _finite(old) and _finite(new)):
        return f"{show(old, unit)} -> {show(new, unit)}"
    scale, decimals = _pick((old, new), unit)
    a, b = _digits(old, scale, decimals), _digits(new, scale, decimals)
    while a == b and old != new and decimals < MOST_DECIMALS:
        decimals += 1
        a, b = _digits(old, scale, decimals), _digits(new, scale, decimals)
    change = show_effect(old, new, unit)
    return " ".join(part for part in (f"{a} -> {b}", scale[1], change and f"({change})") if part)


def is_share(values: Sequence[JSON], unit: str) -> bool:
    """True where `values` are shares such as an accuracy: unit "1" and floats from 0 to 1."""
    return unit == "1" and all(isinstance(v, float) and 0 <= v <= 1 for v in values)


def show_effect(old: JSON, new: JSON, unit: str) -> str:
    """By how much `new` differs: "+51 %", "x12.0", "-1.03 points", "unchanged", or "" where it means nothing."""
    if not (is_number(old) and is_number(new) and _finite(old) and _finite(new)):
        return ""
    if old == new:
        return "unchanged"
    if is_share((old, new), unit):
        return f"{(float(new) - float(old)) * 100:+.2f} points"
    if not old or (old < 0) != (new < 0):
        return ""
    ratio = float(new) / float(old)
    return percent(ratio - 1) if ratio < MANY_TIMES else f"x{ratio:.1f}" if ratio < HUGE else f"x{ratio:.1e}"


def percent(share: float) -> str:
    """A relative difference with as many digits as it needs: "+51 %", "+1.3 %", "+0.24 %", "-0.0031 %"."""
    value = share * 100
    size = abs(value)
    if size >= HUGE:
        return f"{value:+.1e} %"
    return f"{value:+.0f} %" if size >= TENTHS else f"{value:+.1f} %" if size >= 1 else f"{value:+.2g} %"


MINUTE, HOUR = 60, 3600


def duration(seconds: float) -> str:
    """Seconds for people: "24 s", "3 min", "1.5 h"."""
    if seconds < 1.5 * MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE:.0f} min" if seconds < 1.5 * HOUR else f"{seconds / HOUR:.1f} h"


TOLERANCE = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+)\s*(%|[A-Za-z0-9/]*)\s*")


def parse_tolerance(text: str, unit: str = "") -> tuple[float | None, float | None]:
    """Read "1 %", "2 MiB", "0.5 ms", "1 point" or "0.01" as (relative, absolute in the base unit); one is None.

    Args:
        text: What the user wrote; a bare number is absolute, in the metric's base unit.
        unit: The base unit of the metric it is for; where given, a tolerance in another unit is refused.

    Raises:
        UsageError: `text` is not a tolerance, or one of another unit than `unit`.
    """
    match = TOLERANCE.fullmatch(text) if isinstance(text, str) else None
    if match is None or (match[2] != "%" and match[2].lower() not in WORDS) or not math.isfinite(float(match[1])):
        raise UsageError(f'tolerance {text!r} is not understood; write for example "1 %", "2 MiB", "0.5 ms" or "0.01"')
    if match[2] == "%":
        return float(match[1]) / 100, None
    factor, base = WORDS[match[2].lower()]
    if unit and base and base != unit:
        raise UsageError(f"tolerance {text!r} is in {base}, but the metric that it is set for is in {unit}")
    return None, float(match[1]) * factor
