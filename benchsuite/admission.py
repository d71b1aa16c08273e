"""What may become a baseline, and which trials may be pooled into one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from . import codec
from .cases import difference, slug
from .nouns import JSON, Record, Status, SuiteError
from .versions import GUARDED

Key = tuple[str, str]
"""Machine and slug of a case."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One record and where it came from."""

    run: str
    """Base name of its run."""
    file: str
    record: Record

    @property
    def key(self) -> Key:
        """What it is pooled by."""
        return self.record.environment.machine, slug(self.record.case)


def check(entries: Sequence[Entry]) -> None:
    """Refuses what must never become a baseline.

    Raises:
        SuiteError: nothing there, a failed or invalid trial, a planted fault, one trial given twice, or
            trials of one case that differ in what was measured, on what, from what or with what.
    """
    if not entries:
        raise SuiteError("these runs hold no records: nothing to promote. Measure first.")
    seen: dict[str, str] = {}
    for entry in entries:
        _check_one(entry)
        twin = seen.setdefault(codec.canonical(codec.encode(entry.record)), entry.file)
        if twin != entry.file:
            raise SuiteError(f"{twin} and {entry.file} are one and the same trial: give each run once")
    for _, group in groupby(sorted(entries, key=lambda e: e.key[1]), key=lambda e: e.key[1]):
        _check_alike(list(group))


def _check_one(entry: Entry) -> None:
    record = entry.record
    if record.injected:
        raise SuiteError(f"{entry.file}: a fault was planted: {record.injected}. Such a run is never a baseline.")
    if record.pair is not None:
        raise SuiteError(
            f"{entry.file}: a trial of `benchsuite ab`, most of which leave the fingerprint out. "
            "Measure what is approved with `benchsuite run`."
        )
    if record.status is not Status.OK:
        raise SuiteError(
            f"{entry.file}: this trial is {record.status} ({record.problem or 'no reason given'}). "
            "Run it again, or delete that file to promote without it."
        )


def _check_alike(entries: Sequence[Entry]) -> None:
    first = entries[0]
    for entry in entries[1:]:
        gap = unlike(first.record, entry.record)
        if gap:
            raise SuiteError(
                f"{first.key[1]}: {first.file} and {entry.file} cannot be pooled, they differ in {gap}. "
                "Promote runs of one machine, one stack and one set of inputs."
            )


def unlike(old: Record, new: Record) -> str:
    """Why two records cannot be trials of one baseline, in words; empty where they can."""
    machines = {"machine": old.environment.machine}, {"machine": new.environment.machine}
    packages = ({name: r.environment.packages.get(name, "absent") for name in GUARDED} for r in (old, new))
    return (
        unlike_inputs(old, new) or _gap("", *machines) or _gap("package ", *packages)
        or _gap("reading of ", _readings(old, new), _readings(new, old))
    )  # fmt: skip


def _readings(record: Record, other: Record) -> dict[str, int]:
    both = {*record.metrics, *record.fingerprint} & {*other.metrics, *other.fingerprint}
    return {name: record.readings.get(name, 1) for name in both}


def unlike_inputs(old: Record, new: Record) -> str:
    """What tells two records' cases, inputs or hardware apart, in words; empty where nothing does."""
    case = difference(old.case, new.case) or "the case's digest"
    provenance = (codec.encode(r.provenance) for r in (old, new))
    hardware = old.environment.hardware, new.environment.hardware
    return (case if old.digest != new.digest else "") or _gap("", *provenance) or _gap("hardware ", *hardware)


def _gap(what: str, old: Mapping[str, JSON], new: Mapping[str, JSON]) -> str:
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return "; ".join(f"{what}{name} {old.get(name, 'absent')} / {new.get(name, 'absent')}" for name in names)
