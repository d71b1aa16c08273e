"""What a calibrated machine can see, in words: a line a case. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .ab.prediction import CALIBRATED, FEWEST_NIGHTS, reach
from .judges import bytes as allocated
from .judges import device, wall
from .judges._common import smallest_effect
from .nouns import CaseNoise, Kind, Metric
from .tolerances import tolerant
from .units import duration, percent

VRAM, MEMORY = "vram.peak.train", "memory"
SHOWN = (
    ("device", "device.kernel_time.step"),
    ("step", "time.step"),
    ("VRAM", VRAM),
    (MEMORY, "memory.peak.step"),
)
"""What a case's line tells, and of which metric; memory only where there is no VRAM."""
MIB = 2**20
FLOORS = {Kind.WALL: wall.SMALLEST, Kind.DEVICE: device.SMALLEST}


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """One case that was calibrated."""

    case: str
    """Its slug."""
    noise: CaseNoise
    kept: int
    """Sittings known before that still count."""
    dropped: int
    """Sittings known before that do not: they were of another stack."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was stored."""

    machine: str
    file: str
    cases: tuple[Calibrated, ...]
    others: tuple[str, ...]
    """Cases, by slug, that stay as they were stored before."""


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What one metric shows in a run of so many trials."""

    noise: float
    """Smallest relative effect that noise lets through in 19 of 20 runs."""
    floor: float
    """Smallest relative effect that counts."""
    typical: float
    """Its value, in the base unit."""


def sight(metric: Metric, noise: CaseNoise) -> Sight | None:
    """What a nightly run sees of a metric against a baseline of five trials; None where it was not calibrated."""
    spread = noise.spreads.get(metric.name)
    if spread is None or (not spread.freedom and spread.nights < CALIBRATED):
        return None
    values = [v for sitting in noise.sittings for v in sitting.values.get(metric.name, ())]
    typical = statistics.median(values)
    return Sight(
        noise=reach(spread, old=CALIBRATED, new=noise.nightly, better=metric.better),
        floor=_floor(metric, typical),
        typical=typical,
    )


def _floor(metric: Metric, typical: float) -> float:
    """As the kind's judge takes it: bytes replace each of two floors by the metric's own, times both at once."""
    if metric.kind is Kind.BYTES:
        relative = allocated.RELATIVE if metric.relative is None else metric.relative
        return max(relative, (allocated.ABSOLUTE if metric.absolute is None else metric.absolute) / typical)
    return smallest_effect(metric, FLOORS[metric.kind], (typical,))


def lines(report: Report, metrics: Mapping[str, Metric], tolerances: Mapping[str, str]) -> tuple[str, ...]:
    """What each case can see, how long a nightly run takes, and what was stored.

    Args:
        report: What was calibrated.
        metrics: Declarations by name.
        tolerances: As `tolerances.tolerant` takes them.
    """
    wanted = {name: tolerant(metrics[name], tolerances) for _, name in SHOWN if name in metrics}
    return (
        f"{report.machine}: what a nightly run shows in 19 of 20 cases, against a baseline of {CALIBRATED} trials",
        *(line for each in report.cases for line in _case(each, wanted)),
        _nightly([each.noise for each in report.cases]),
        f"stored: {report.file}" + (f"; as before: {', '.join(report.others)}" if report.others else ""),
    )


def _case(each: Calibrated, metrics: Mapping[str, Metric]) -> Iterator[str]:
    yield f"  {each.case}: {', '.join(_sights(each.noise, metrics)) or 'none of them can be told'}"
    night = f"a nightly run makes {_count(each.noise.nightly, 'trial')}"
    yield f"    {_rests(each.noise)}, {len(each.noise.spreads)} figures{_earlier(each)}; {night}"
    if few := _few(len(each.noise.sittings)):
        yield f"    {few}"


def _earlier(each: Calibrated) -> str:
    if each.dropped:
        return f"; {_sittings(each.dropped)} of another stack or machine no longer counts"
    return f"; {_sittings(each.kept)} known before" if each.kept else ""


def _few(sittings: int) -> str:
    if sittings == 1:
        return "one sitting: how far nights lie apart is not in it; calibrate again on another day"
    return f"{sittings} sittings tell little of nights; from {FEWEST_NIGHTS} on it is known" * (
        sittings < FEWEST_NIGHTS
    )


def _sights(noise: CaseNoise, metrics: Mapping[str, Metric]) -> Iterator[str]:
    for word, name in SHOWN:
        seen = sight(metrics[name], noise) if name in metrics else None
        if seen is not None and not (word == MEMORY and VRAM in noise.spreads):
            yield f"{word} {_size(metrics[name], seen)}"


def _size(metric: Metric, seen: Sight) -> str:
    return f"+-{_show(metric, seen, seen.noise)}" + (
        f" ({_show(metric, seen, seen.floor)} counts)" if seen.floor > seen.noise else ""
    )


def _show(metric: Metric, seen: Sight, share: float) -> str:
    if metric.kind is Kind.BYTES:
        return f"{round(share * seen.typical) / MIB:.3g} MiB"
    return percent(share)[1:]


def _rests(noise: CaseNoise) -> str:
    return f"{_count(sum(len(s.trials) for s in noise.sittings), 'trial')} in {_sittings(len(noise.sittings))}"


def _sittings(count: int) -> str:
    return _count(count, "sitting")


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _nightly(cases: Sequence[CaseNoise]) -> str:
    seconds = sum(noise.seconds * noise.nightly for noise in cases)
    trials = sum(noise.nightly for noise in cases)
    return f"a nightly run of {_count(len(cases), 'case')}, {_count(trials, 'trial')}, takes {duration(seconds)}"
