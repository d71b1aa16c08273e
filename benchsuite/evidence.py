"""What a rule of explanation may look at, and what it may say. Pure; the rules are in `rules/`, one file each.

A rule looks at one case's two sides and at what the judges said, and names a cause where it sees
one. It never judges: whether a part moved is read from its verdict, not found out again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from statistics import median

from .judges._diff import plain, same
from .nouns import JSON, Case, Measured, Outcome, Record, Status, Verdict
from .units import is_number
from .versions import moved as packages_moved

MOVED = frozenset({Outcome.REGRESSED, Outcome.CHANGED, Outcome.IMPROVED, Outcome.KNOWN})
"""Outcomes that say that a metric is not what it was."""
Pair = tuple[JSON, JSON]
Effects = Mapping[str, int]
"""Metric glob -> which way the cause moves it: 1 up, -1 down, 0 either."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One case: both sides' good trials, this run's failures, and the verdicts on them by metric."""

    case: Case
    old: tuple[Record, ...]
    new: tuple[Record, ...]
    failed: tuple[Record, ...]
    verdicts: Mapping[str, Verdict]

    def pair(self, metric: str) -> Pair | None:
        """Old and new value as they come from a file: of the trials that differ, where any do; else None."""
        old, new = _values(self.old, metric), _values(self.new, metric)
        if not old or not new:
            return None
        return old[0], next((v for v in new if not any(same(v, known) for known in old)), new[0])

    def moved(self, metric: str) -> Pair | None:
        """`pair`, where the metric's verdict says that it moved; else None."""
        verdict = self.verdicts.get(metric)
        return self.pair(metric) if verdict is not None and verdict.outcome in MOVED else None

    def numbers(self, metric: str) -> tuple[float, float] | None:
        """Medians of a metric that is a number on both sides, or None."""
        sides = [[v for v in _values(trials, metric) if is_number(v)] for trials in (self.old, self.new)]
        return (median(sides[0]), median(sides[1])) if all(sides) else None

    def number_moved(self, metric: str) -> tuple[float, float] | None:
        """`numbers`, where the metric's verdict says that it moved; else None."""
        return self.numbers(metric) if self.moved(metric) else None

    def like(self, *globs: str) -> tuple[str, ...]:
        """Metrics that moved and match one of the globs, by name."""
        moved = (name for name, verdict in self.verdicts.items() if verdict.outcome in MOVED)
        return tuple(sorted(name for name in moved if any(fnmatchcase(name, glob) for glob in globs)))

    def packages(self) -> dict[str, str]:
        """Packages that differ, as "NAME OLD -> NEW" by name; guarded ones first. Empty without a baseline."""
        new = next(iter((*self.new, *self.failed)), None)
        if new is None or not self.old:
            return {}
        return packages_moved(self.old[0].environment.packages, new.environment.packages)


def evidence(case: Case, old: Iterable[Record], new: Iterable[Record], verdicts: Sequence[Verdict]) -> Evidence:
    """Evidence of one case; trials of whatever status."""
    trials = tuple(new)
    return Evidence(
        case=case,
        old=tuple(t for t in old if t.status is Status.OK),
        new=tuple(t for t in trials if t.status is Status.OK),
        failed=tuple(t for t in trials if t.status is not Status.OK),
        verdicts={v.metric: v for v in verdicts},
    )


def _values(trials: Iterable[Record], metric: str) -> list[JSON]:
    held: Iterable[JSON] = (
        t.metrics.get(metric, Measured(value=None)).value if metric in t.metrics else t.fingerprint.get(metric)
        for t in trials
    )
    return [plain(value) for value in held if value is not None]


@dataclass(frozen=True, kw_only=True)
class Clue:
    """A cause that a rule sees."""

    words: str
    """One line: what is, and what was. Versions are added by `explain`."""
    parts: tuple[str, ...] = ()
    """Metrics whose own difference this is, or a part of it."""
    direction: int = 1
    """-1 where the cause acts against `Rule.effects`: something went off that they describe as going on."""
    unpinned: bool = False
    """True where only what is built with nothing pinned shows it: it explains nothing of the suite's own build."""
    size: float | None = None
    """How many bytes it adds to what is resident, where that can be told."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One known cause: how to see it, what it moves, and how near to the root it lies."""

    name: str
    rank: int
    """Of the causes that could explain one verdict the one of the lowest rank is the likeliest.
    10: input and weights, 20: what the model is, 30: what training does, 40: how it is computed,
    50: where time and memory went, which is more a description than a cause."""
    find: Callable[[Evidence], Clue | None]
    """Pure. None where the cause is not there."""
    effects: Effects = field(default_factory=dict)
    unless: tuple[str, ...] = ()
    """Rules that make this one silent where they speak: nearer causes that bring this one's signs along."""
    packages: tuple[str, ...] = ()
    """Libraries that decide it, the likeliest first: named in the cause where they moved."""
