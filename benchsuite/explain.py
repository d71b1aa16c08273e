"""Verdicts x records -> the same verdicts with their cause told, and those of one cause together. Pure.

Which causes are known is data: one file each in `rules/`. Explaining never judges: no verdict is
added, left out or given another outcome. What no rule explains says so, with what else differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from .evidence import MOVED, Clue, Evidence, Rule, evidence
from .nouns import Case, Outcome, Record, Role, Verdict
from .units import is_number
from .versions import GUARDED, listed, replaced
from .wording import ALSO, causes

UNKNOWN = "no known cause"
MOST_ALSO = 2
MOST_PACKAGES = 3
"""Packages that are not guarded and still named one by one in a cause."""
CLOSE = 0.25
"""A predicted number of bytes that comes this near to a move speaks for its cause."""
DEFAULTS = "defaults."
"""Begins the names of what is built with nothing pinned."""
EXPLAINED = MOVED | {Outcome.INVALID}
STAGES = (
    ("input.*",),
    ("weights.*", "params.*", "model.*"),
    ("optimizer.*", "trainer.*", "saved.*"),
    ("function.exact", "function.activations", "function.*_drift", "function.evaluation"),
    ("seeds.*", "function.*", "quality.*"),
    (
        "trial",
        "count.*",
        "operators.*",
        "kernels.*",
        "cuda_calls.*",
        "python_calls.*",
        "c_calls.*",
        "memory.*",
        "vram.*",
        "ram.*",
    ),
    ("time.*", "latency.*", "throughput.*", "device.*", "energy.*"),
    ("stack.*",),
    ("defaults.*",),
)
"""Metrics by how near to the root they lie: the stage of a cause is that of the nearest metric it explains."""

Found = tuple[Rule, Clue]


def explain(
    verdicts: Sequence[Verdict],
    *,
    case: Case,
    old: Sequence[Record],
    new: Sequence[Record],
    rules: Mapping[str, Rule],
) -> tuple[Verdict, ...]:
    """The same verdicts in the same order, with `cause` filled on each that moved or is invalid.

    A cause is one line a cause, the likeliest first; lines that begin with "also: " are causes that
    could have a share in it. What only explains and is explained by nothing keeps an empty cause.

    Args:
        verdicts: What the judges said of one case.
        case: That case.
        old: The baseline's trials; empty where there is none.
        new: This run's trials, of whatever status.
        rules: Known causes by name.
    """
    seen = evidence(case, old, new, verdicts)
    found = _found(seen, rules.values())
    return tuple(replace(v, cause=_cause(v, found, seen)) for v in verdicts)


def _found(seen: Evidence, rules: Iterable[Rule]) -> tuple[Found, ...]:
    clues = ((rule, rule.find(seen)) for rule in sorted(rules, key=lambda rule: (rule.rank, rule.name)))
    spoken = {rule.name: (rule, clue) for rule, clue in clues if clue is not None}
    return tuple(found for found in spoken.values() if not _silenced(found, spoken))


def _silenced(found: Found, spoken: Mapping[str, Found]) -> bool:
    rule, clue = found
    nearer = [spoken[name][1] for name in rule.unless if name in spoken]
    return any(clue.unpinned or not other.unpinned for other in nearer)


# ---------------------------------------------------------------- one verdict


def _cause(verdict: Verdict, found: Sequence[Found], seen: Evidence) -> str:
    if verdict.outcome not in EXPLAINED:
        return verdict.cause
    own = [f for f in found if verdict.metric in f[1].parts]
    if own:
        return "\n".join(_line(f, seen) for f in own)
    effects = sorted((f for f in found if _acts(f, verdict)), key=lambda f: not _fits(f[1], verdict))
    # What could not be judged did not move: only a rule that speaks of this very metric explains it.
    if effects and verdict.outcome is not Outcome.INVALID:
        others = [f"{ALSO}{clue.words}" for _, clue in effects[1 : 1 + MOST_ALSO]]
        return "\n".join((_line(effects[0], seen), *others))
    news = verdict.role is Role.GATE and verdict.outcome is not Outcome.KNOWN
    return _unknown(seen) if news else ""


def _acts(found: Found, verdict: Verdict) -> bool:
    rule, clue = found
    if clue.unpinned and not verdict.metric.startswith(DEFAULTS):
        return False
    ways = [way for glob, way in rule.effects.items() if fnmatchcase(verdict.metric, glob)]
    way = _way(verdict)
    return any(not wanted or not way or wanted * clue.direction == way for wanted in ways)


def _way(verdict: Verdict) -> int:
    """1 where a number grew, -1 where it fell, 0 where that means nothing."""
    if not (is_number(verdict.old) and is_number(verdict.new)):
        return 0
    return int(verdict.new > verdict.old) - int(verdict.new < verdict.old)


def _fits(clue: Clue, verdict: Verdict) -> bool:
    """Whether the clue foretells this very number of bytes."""
    if clue.size is None or verdict.unit != "B" or not (is_number(verdict.old) and is_number(verdict.new)):
        return False
    return bool(abs(verdict.new - verdict.old - clue.size) <= CLOSE * abs(clue.size))


# ---------------------------------------------------------------- words


def _line(found: Found, seen: Evidence) -> str:
    rule, clue = found
    return f"{clue.words}; {_versions(seen, rule.packages)}"


def _versions(seen: Evidence, likely: Sequence[str]) -> str:
    moved = seen.packages()
    if not moved:
        return "no package differs" if seen.old else "no baseline to compare packages with"
    named = [moved[name] for name in likely if name in moved] or [moved[name] for name in GUARDED if name in moved]
    return ", ".join(named) if named else _others(moved)


def _others(moved: Mapping[str, str]) -> str:
    """Packages of which none is the likely one. What somebody installed besides is no version that moved."""
    lead = "packages differ" if any(replaced(line) for line in moved.values()) else "no version differs; came or went"
    return f"{lead}: {listed(moved, MOST_PACKAGES)}"


def _unknown(seen: Evidence) -> str:
    moved = seen.packages()
    telling = any(name in GUARDED or replaced(line) for name, line in moved.items())
    return f"{UNKNOWN}: {listed(moved, MOST_PACKAGES) if telling else _versions(seen, ())}"


# ---------------------------------------------------------------- verdicts of one cause


@dataclass(frozen=True, kw_only=True)
class Group:
    """Verdicts that share a cause."""

    cause: str
    """One line; empty for verdicts that were not explained."""
    verdicts: tuple[Verdict, ...]


def together(verdicts: Sequence[Verdict]) -> tuple[Group, ...]:
    """Verdicts by cause, the likeliest and weightiest cause first, what nothing explains last.

    What fails a run comes before what only explains; then the cause whose own part lies nearest to the
    root, input before model, model before training, training before what they bring about, and what is
    built with nothing pinned after all of these; then the cause that explains most. A verdict that has
    several causes at once stands under each of them; each stands under one at least.
    """
    members: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        for cause in causes(verdict) or ("",):
            members.setdefault(cause, []).append(verdict)
    groups = (Group(cause=cause, verdicts=tuple(found)) for cause, found in members.items())
    return tuple(sorted(groups, key=_place))


def _place(group: Group) -> tuple[bool, bool, bool, int, int]:
    return (
        group.cause.startswith(UNKNOWN),
        not group.cause,
        not any(verdict.fails for verdict in group.verdicts),
        min(_stage(verdict.metric) for verdict in group.verdicts),
        -len(group.verdicts),
    )


def _stage(metric: str) -> int:
    """How far from the root a metric lies."""
    return next((i for i, globs in enumerate(STAGES) if any(fnmatchcase(metric, glob) for glob in globs)), len(STAGES))


def headline(verdicts: Sequence[Verdict], groups: Sequence[Group]) -> str:
    """How many verdicts there are, and of how many causes: "5, of 2 causes"."""
    known = sum(1 for group in groups if group.cause and not group.cause.startswith(UNKNOWN))
    unknown = sum(1 for verdict in verdicts if verdict.cause.startswith(UNKNOWN))
    said = f", of {known} cause{'' if known == 1 else 's'}" if known else ""
    return f"{len(verdicts)}{said}" + (f", {unknown} without a known cause" if unknown else "")


def beside(group: Group, verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Which other verdicts moved for a group's cause."""
    return tuple(v for v in verdicts if group.cause in causes(v) and v not in group.verdicts)
