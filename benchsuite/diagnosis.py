"""What a check may say of a machine, and the asking of all of them. Pure.

A check is one file in `benchsuite/checks` with a constant `CHECK`. What it may find wrong is listed in advance as
ailments, from which docs/doctor.md is made: a finding that nobody can look up does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .condition import Probe


class Level(StrEnum):
    """How bad a finding is; only `ERROR` ends the command with 2."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """One finding."""

    check: str
    level: Level
    code: str
    """Stable name for programs, "torch.too-new"; empty when ok."""
    seen: str
    """What was seen, in one sentence without its full stop."""
    command: str
    """The command that mends it, as this user types it on this machine; empty when ok."""


@dataclass(frozen=True, kw_only=True)
class Ailment:
    """Something that can be wrong. Texts are format strings, whose fields stand in docs/doctor.md in capitals."""

    code: str
    """CHECK.NAME."""
    level: Level
    seen: str
    command: str
    typed: tuple[str, ...] = ()
    """For docs/doctor.md: what `command` comes to, where its fields say too little."""

    def found(self, **fields: Any) -> Diagnosis:
        """It, as seen on one machine."""
        return Diagnosis(
            check=self.code.partition(".")[0], level=self.level, code=self.code, seen=self.seen.format_map(fields),
            command=self.command.format_map(fields),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing to look at."""

    name: str
    title: str
    """What is looked at and why, for docs/doctor.md."""
    quick: bool
    """No process, no network: asked before every GPU run."""
    ailments: tuple[Ailment, ...]
    examine: Callable[[Probe], Iterable[Diagnosis]]
    """Its findings; none where there is nothing to look at."""


def fine(check: str, seen: str) -> Diagnosis:
    """The finding of a check that found nothing wrong."""
    return Diagnosis(check=check, level=Level.OK, code="", seen=seen, command="")


def diagnose(probe: Probe, checks: Mapping[str, Check], *, quick: bool = False) -> tuple[Diagnosis, ...]:
    """Every finding of every check (of the quick ones alone), errors first, then by the checks' names."""
    asked = [checks[name] for name in sorted(checks) if checks[name].quick or not quick]
    found = [diagnosis for check in asked for diagnosis in check.examine(probe)]
    order = [Level.ERROR, Level.WARNING, Level.OK]
    return tuple(sorted(found, key=lambda diagnosis: order.index(diagnosis.level)))


def worst(found: Iterable[Diagnosis]) -> Level:
    """The worst level among findings; ok where there are none."""
    levels = {diagnosis.level for diagnosis in found}
    return next((level for level in (Level.ERROR, Level.WARNING) if level in levels), Level.OK)
