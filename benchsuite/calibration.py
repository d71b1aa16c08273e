"""What a machine's trials tell of how figures scatter there: records -> noise, and noise -> what a judge is told. Pure.

Reading and writing are `calibrate`'s, the sentences `calibrate_words`'.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace

from .ab.prediction import CALIBRATED, spread
from .admission import unlike
from .cases import PROFILES, slug
from .nouns import (
    Baseline,
    CaseNoise,
    Kind,
    Metric,
    Noise,
    Record,
    Sitting,
    Spread,
    Stack,
    Status,
    SuiteError,
)
from .sittings import sittings
from .units import is_number
from .versions import guarded

SCATTERS = frozenset({Kind.WALL, Kind.DEVICE, Kind.BYTES})
"""Kinds whose trials may differ with nothing changed."""

# ---------------------------------------------------------------- records -> noise


def case_noise(records: Sequence[Record], metrics: Mapping[str, Metric], earlier: CaseNoise | None) -> CaseNoise:
    """The noise of one case: of these trials, and of the sittings known before where they are of the same stack.

    Args:
        records: Good trials of one case on one machine, of one stack (see `check`).
        metrics: Declarations by name.
        earlier: What is stored of the case.

    Raises:
        SuiteError: fewer than five trials in all.
    """
    stack = stack_of(records[0])
    kept = earlier.sittings if earlier is not None and earlier.stack == stack else ()
    fresh = _without({started for sitting in kept for started in sitting.trials}, records)
    together = (*kept, *(_sitting(group, metrics) for group in _groups(fresh)))
    count = sum(len(sitting.trials) for sitting in together)
    if count < CALIBRATED:
        raise SuiteError(
            f"{records[0].case.regime} under {records[0].case.profile.name}: {count} trial{'' if count == 1 else 's'}, "
            f"too few to tell how far processes lie apart; calibrate with at least {CALIBRATED} of each case "
            f"(--trials {CALIBRATED})."
        )
    profile = PROFILES.get(records[0].case.profile.name, records[0].case.profile)
    return CaseNoise(
        stack=stack,
        seconds=statistics.median(record.seconds for record in records),
        nightly=profile.trials,
        sittings=together,
        spreads=_spreads(together),
    )


def check(records: Sequence[Record]) -> None:
    """Refuse what tells nothing of an unchanged stack's scatter.

    Raises:
        SuiteError: a failed, invalid or injected trial, a trial of `benchsuite ab`, trials of several machines, or of
            one case with other inputs, hardware or versions.
    """
    machines = sorted({record.environment.machine for record in records})
    if len(machines) > 1:
        raise SuiteError(f"these trials are of several machines: {', '.join(machines)}. Calibrate each by itself.")
    for record in records:
        if why := _unfit(record):
            raise SuiteError(f"{record.case.regime} under {record.case.profile.name}, begun {record.started}: {why}")
    first: dict[str, Record] = {}
    for record in records:
        gap = unlike(first.setdefault(slug(record.case), record), record)
        if gap:
            raise SuiteError(
                f"{record.case.regime} under {record.case.profile.name}: these trials differ in {gap}. Calibrate with "
                "trials of one stack and one set of inputs."
            )


def _unfit(record: Record) -> str:
    if record.status is not Status.OK:
        return f"this trial is {record.status} ({record.problem or 'no reason given'}); measure again"
    if record.injected:
        return f"a fault was planted: {record.injected}; such a trial calibrates nothing"
    return "a trial of `benchsuite ab`, which calibrates nothing" if record.pair is not None else ""


def stack_of(record: Record) -> Stack:
    """What trials must share with `record` to tell of its scatter."""
    return Stack(
        digest=record.digest,
        packages=guarded(record.environment.packages),
        hardware=record.environment.hardware,
        provenance=asdict(record.provenance),
        readings=record.readings,
    )


def _without(known: set[str], records: Iterable[Record]) -> list[Record]:
    """Each trial once, and none that is known: its start tells it from every other of its case."""
    return list({record.started: record for record in records if record.started not in known}.values())


def _groups(records: Sequence[Record]) -> list[list[Record]]:
    numbers = sittings(records)
    return [[r for r, n in zip(records, numbers, strict=True) if n == each] for each in sorted(set(numbers))]


def _sitting(records: Sequence[Record], metrics: Mapping[str, Metric]) -> Sitting:
    held = {name for record in records for name in record.metrics if _scatters(metrics.get(name))}
    values = {name: [r.metrics[name].value for r in records if name in r.metrics] for name in sorted(held)}
    # On the log scale zero has no place; such a metric stays uncalibrated.
    sound = {
        name: tuple(found) for name, found in values.items() if all(is_number(v) and 0 < v < math.inf for v in found)
    }
    return Sitting(trials=tuple(record.started for record in records), values=sound)


def _scatters(metric: Metric | None) -> bool:
    return metric is not None and metric.kind in SCATTERS and not metric.judge


def _spreads(together: Sequence[Sitting]) -> dict[str, Spread]:
    names = sorted({name for sitting in together for name in sitting.values})
    return {name: spread([s.values[name] for s in together if name in s.values]) for name in names}


# ---------------------------------------------------------------- noise -> judges


def told(
    metric: Metric,
    noise: CaseNoise | None,
    old: Sequence[Record],
    new: Sequence[Record],
    siblings: Sequence[Baseline] = (),
) -> Metric:
    """`metric` with what a judge is to know of its scatter.

    Args:
        metric: Its declaration.
        noise: The case's calibrated noise, or None.
        old: The baseline's trials that have it.
        new: This run's trials.
        siblings: Approved baselines of the case with other seeds.
    """
    if metric.kind is Kind.QUALITY and siblings:
        seeds = _seeds(metric.name, [old, *(sibling.trials for sibling in siblings)])
        return replace(metric, noise=Noise(sittings=(0,) * len(old), known=None, seeds=seeds))
    if metric.kind not in SCATTERS:
        return metric
    known = _known(metric.name, noise, old, new) if noise is not None else None
    return replace(metric, noise=Noise(sittings=sittings(old), known=known))


def _seeds(name: str, sides: Iterable[Sequence[Record]]) -> tuple[float, ...]:
    """The median of each seed's trials that have the metric as a number; empty for fewer than two seeds."""
    values = [[r.metrics[name].value for r in side if name in r.metrics] for side in sides]
    found = tuple(statistics.median(each) for each in values if each and all(map(is_number, each)))
    return found if len(found) > 1 else ()


def _known(name: str, noise: CaseNoise, old: Sequence[Record], new: Sequence[Record]) -> Spread | None:
    found = noise.spreads.get(name)
    if found is None or not all(_alike(name, noise.stack, record) for record in new):
        return None
    # Trials that are in both count once: the baseline brings its own.
    theirs = {record.started for record in old}
    shared = sum(max(0, len(theirs.intersection(sitting.trials)) - 1) for sitting in noise.sittings)
    return replace(found, freedom=max(0.0, found.freedom - shared))


def _alike(name: str, stack: Stack, record: Record) -> bool:
    """Whether a trial scatters as the calibrated ones did, for all that is known: versions are what is judged."""
    return (
        record.digest == stack.digest
        and record.environment.hardware == stack.hardware
        and record.readings.get(name, 1) == stack.readings.get(name, 1)
    )
