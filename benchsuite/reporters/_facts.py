"""Where and with what two trials ran, as rows of text, shared by reporters. Not a reporter itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from benchsuite.freeze import NEEDS
from benchsuite.nouns import JSON, Record
from benchsuite.reporters._columns import text
from benchsuite.versions import GUARDED


def facts(old: Record | None, new: Record) -> Iterator[tuple[str, ...]]:
    """Name, baseline's value and this run's of each fact; of packages the guarded ones and those that differ."""
    sides = [_described(old) if old else {}, _described(new)]
    packages = [dict(r.environment.packages) if r else {} for r in (old, new)]
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        yield name, *(text(side.get(name, "")) for side in sides)
    for name in dict.fromkeys([*GUARDED, *sorted({*packages[0], *packages[1]})]):
        versions = [side.get(name, "") for side in packages]
        if any(versions) and (name in GUARDED or (old and versions[0] != versions[1])):
            yield f"package {name}", *versions


def _described(record: Record) -> dict[str, JSON]:
    environment = record.environment
    return {
        "machine": environment.machine,
        "suite": record.suite,
        "started": record.started,
        **{f"hardware {k}": v for k, v in environment.hardware.items()},
        **{f"provenance {k}": v for k, v in asdict(record.provenance).items()},
        **({"injected fault": record.injected} if record.injected else {}),
        **{f"note {k}": v for k, v in environment.notes.items() if k != NEEDS},
    }
