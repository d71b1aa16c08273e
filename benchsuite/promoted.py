"""What a promotion did, as values and as lines for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Promoted:
    """One case's new baseline, told to a person."""

    machine: str
    case: str
    file: str
    """Where it was written."""
    trials: int
    first: bool
    changes: tuple[str, ...]
    """Lines "metric: old -> new"."""
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Lock:
    """What became of one machine's constraints file."""

    machine: str
    file: str
    written: bool
    why: str


@dataclass(frozen=True, kw_only=True)
class PromotionReport:
    """What a promotion did."""

    promoted: tuple[Promoted, ...]
    locks: tuple[Lock, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """The report for people, line by line."""
        cases = (line for done in self.promoted for line in _case_lines(done))
        locks = (f"lock {x.file} {'written' if x.written else 'kept'}: {x.why}" for x in self.locks)
        return (*cases, *locks)


def _case_lines(done: Promoted) -> tuple[str, ...]:
    count = _trials(done.trials)
    moved = "" if done.changes else ", no figure moved"
    head = f"first baseline ({count})" if done.first else f"baseline replaced ({count}{moved})"
    details = (f"  {line}" for line in (*done.changes, *done.notes))
    return f"{done.case} on {done.machine}: {head}", *details, f"  written to {done.file}"


def _trials(count: int) -> str:
    return f"{count} trial" if count == 1 else f"{count} trials"
