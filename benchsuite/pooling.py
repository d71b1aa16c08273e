"""Trials into a baseline, a part of one baseline into another, and what differs between two, in words.

Pure. Does not decide what may be pooled (`promote` does), nor whether a difference matters (judges do).
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import isfinite

from . import codec
from .cases import difference
from .freeze import kept
from .nouns import JSON, SCHEMA, Baseline, Predictions, Record
from .units import is_number, show, show_change
from .versions import GUARDED

LOGITS = "quality.logits"
PREDICTIONS = (LOGITS, "quality.accuracy.reloaded")
"""Metrics that stand for the per-example predictions too."""

Predicate = Callable[[str], bool]


def pool(records: Iterable[Record]) -> Baseline:
    """A baseline without history, of one trial at least, numbered from 0 in the order given."""
    trials = tuple(replace(record, trial=i) for i, record in enumerate(records))
    first = trials[0]
    return Baseline(
        schema=SCHEMA,
        machine=first.environment.machine,
        case=first.case,
        digest=first.digest,
        trials=trials,
        history=(),
        freeze=kept(first.environment.packages, first.environment.notes),
    )


def names(record: Record) -> tuple[str, ...]:
    """Every metric and part of the fingerprint that a record holds; predictions as "quality.logits"."""
    logits = (LOGITS,) if record.predictions.labels else ()
    return tuple(dict.fromkeys((*record.metrics, *record.fingerprint, *logits)))


# ---------------------------------------------------------------- a part of a baseline


def merge(old: Baseline, new: Baseline, wanted: Predicate) -> Baseline:
    """`old` with the wanted metrics, fingerprint parts and predictions replaced by `new`'s, trial by trial.

    Where `new` has fewer trials, the surplus old ones lose what was wanted; where it has more, the
    surplus new ones carry only that. So each metric keeps exactly the trials that measured it.
    """
    pairs = zip(_padded(old.trials, new.trials), _padded(new.trials, old.trials), strict=True)
    return replace(old, trials=tuple(replace(_merged(a, b, wanted), trial=k) for k, (a, b) in enumerate(pairs)))


def _padded(trials: Sequence[Record], others: Sequence[Record]) -> tuple[Record, ...]:
    nothing = Predictions(labels=(), logits=())
    bare = (replace(r, metrics={}, fingerprint={}, predictions=nothing) for r in others[len(trials) :])
    return (*trials, *bare)


def _merged(old: Record, new: Record, wanted: Predicate) -> Record:
    return replace(
        old,
        metrics=_mixed(old.metrics, new.metrics, wanted),
        fingerprint=_mixed(old.fingerprint, new.fingerprint, wanted),
        predictions=(new if any(map(wanted, PREDICTIONS)) else old).predictions,
    )


def _mixed(old: Mapping[str, JSON], new: Mapping[str, JSON], wanted: Predicate) -> dict[str, JSON]:
    # In the old one's order, so that a diff of the file shows what moved and nothing else.
    owners = ((name, new if wanted(name) else old) for name in dict.fromkeys((*old, *new)))
    return {name: owner[name] for name, owner in owners if name in owner}


def uneven(baseline: Baseline) -> tuple[str, ...]:
    """Lines on what some trials hold and others do not, as merging runs of unlike length leaves it."""
    held = [names(record) for record in baseline.trials]
    counts = {name: sum(name in some for some in held) for some in held for name in some}
    by_count: dict[int, list[str]] = {}
    for name, count in counts.items():
        by_count.setdefault(count, []).append(name)
    total = len(baseline.trials)
    return tuple(
        f"in {count} of {total} trials: {', '.join(some)}" for count, some in by_count.items() if count != total
    )


# ---------------------------------------------------------------- what differs


def changes(old: Baseline, new: Baseline, units: Mapping[str, str]) -> tuple[str, ...]:
    """Each difference as a line "metric: old -> new": medians of numbers, "changed" for structures.

    `units` gives metrics their base unit. The case and the guarded packages come first.
    """
    case = difference(old.case, new.case) if old.digest != new.digest else ""
    packages = (f"package {line}" for line in _packages(old.trials[0], new.trials[0]))
    every = dict.fromkeys(name for baseline in (old, new) for record in baseline.trials for name in names(record))
    lines = ((name, _line(_values(old, name), _values(new, name), units.get(name, ""))) for name in every)
    return (*([f"case: {case}"] if case else []), *packages, *(f"{name}: {line}" for name, line in lines if line))


def _packages(old: Record, new: Record) -> Iterable[str]:
    for name in GUARDED:
        a, b = (record.environment.packages.get(name, "absent") for record in (old, new))
        if a != b:
            yield f"{name}: {a} -> {b}"


def _values(baseline: Baseline, name: str) -> list[JSON]:
    held = (record for record in baseline.trials if name in names(record))
    return [_value(record, name) for record in held]


def _value(record: Record, name: str) -> JSON:
    if name in record.metrics:
        return record.metrics[name].value
    return record.fingerprint[name] if name in record.fingerprint else codec.encode(record.predictions)


def _line(old: list[JSON], new: list[JSON], unit: str) -> str:
    if not old or not new:
        return " -> ".join(show(_typical(side), unit) if side else "absent" for side in (old, new))
    if all(map(is_number, (*old, *new))):
        a, b = _typical(old), _typical(new)
        return "" if a == b or str(a) == str(b) else show_change(a, b, unit)
    return "" if set(map(codec.canonical, old)) == set(map(codec.canonical, new)) else "changed"


def _typical(values: list[JSON]) -> JSON:
    if not all(map(is_number, values)):
        return "recorded"
    finite = [value for value in values if isfinite(value)]
    return statistics.median(finite) if finite else values[0]
