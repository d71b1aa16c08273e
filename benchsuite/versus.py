"""Two sides' records -> the same verdicts and causes as a run's against its baseline. Pure.

The first side's trials are treated as a baseline. Cases meet by what they are (task, regime,
profile, model, weights, device), so that a case that was set up otherwise on the two sides is shown
as incomparable with the difference, and not passed over. Where records come from is `sides`' affair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .cases import slug
from .compare import judge_case
from .evidence import Rule
from .explain import explain
from .judges._common import Judge
from .known import NONE, Accepted, accept, remarks
from .nouns import FAILING, JUDGED, CaseNoise, CaseResult, Metric, Outcome, Record, Role, RunResult, Verdict
from .pooling import pool

Key = tuple[str, ...]
Sides = tuple[tuple[Record, ...], tuple[Record, ...]]
REFUSED, UNDECIDED = 1, 3
KEPT = frozenset({Outcome.INCONCLUSIVE, Outcome.INVALID})
"""Outcomes whose advice holds here too; the others' is to promote, and here nothing is promoted."""


@dataclass(frozen=True, kw_only=True)
class Versus:
    """What came out of two sides."""

    run: RunResult
    only_old: tuple[str, ...]
    """Cases, by slug, that only the first side has."""
    only_new: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What to judge and explain with."""

    metrics: Mapping[str, Metric]
    judges: Mapping[str, Judge]
    rules: Mapping[str, Rule]
    tolerances: Mapping[str, str]
    noise: Mapping[str, CaseNoise] = field(default_factory=dict)
    """What was calibrated on the second side's machine, by slug."""
    known: Accepted = NONE
    """Deviations that are accepted."""


def versus(old: Sequence[Record], new: Sequence[Record], *, name: str, bench: Bench) -> Versus:
    """Judge and explain every case that both sides have.

    Args:
        old: Trials of the side that is held to be right, of whatever cases.
        new: Trials of the other.
        name: What to call the comparison, such as "A -> B".
        bench: Metrics, judges, rules and tolerances.
    """
    a, b = _by_key(old), _by_key(new)
    results = [_result(sides, bench) for key in a if key in b for sides in _pairs(a[key], b[key])]
    machine = results[0].records[0].environment.machine if results else ""
    return Versus(
        run=RunResult(
            run=name,
            machine=machine,
            results=tuple(results),
            published={},
            remarks=remarks(bench.known, results),
        ),
        only_old=tuple(slug(a[key][0].case) for key in a if key not in b),
        only_new=tuple(slug(b[key][0].case) for key in b if key not in a),
    )


def _key(record: Record) -> Key:
    case = record.case
    return case.task, case.regime, case.profile.name, case.model.id, str(case.weights), str(case.device)


def _by_key(records: Iterable[Record]) -> dict[Key, tuple[Record, ...]]:
    found: dict[Key, tuple[Record, ...]] = {}
    for record in records:
        found[_key(record)] = (*found.get(_key(record), ()), record)
    return found


def _pairs(old: Sequence[Record], new: Sequence[Record]) -> Iterable[Sides]:
    """Trials of one case, apart by how it was set up; where no set-up is on both sides, the first of each."""
    a, b = _by_digest(old), _by_digest(new)
    shared = [digest for digest in a if digest in b]
    if shared:
        return [(a[digest], b[digest]) for digest in shared]
    return [(next(iter(a.values())), next(iter(b.values())))]


def _by_digest(records: Iterable[Record]) -> dict[str, tuple[Record, ...]]:
    found: dict[str, tuple[Record, ...]] = {}
    for record in records:
        found[record.digest] = (*found.get(record.digest, ()), record)
    return found


def _result(sides: Sides, bench: Bench) -> CaseResult:
    old, new = sides
    baseline, name, case = pool(old), slug(new[0].case), new[0].case
    verdicts = judge_case(
        slug=name,
        case=case,
        digest=new[0].digest,
        baseline=baseline,
        trials=new,
        metrics=bench.metrics,
        judges=bench.judges,
        tolerances=bench.tolerances,
        noise=bench.noise.get(name),
    )
    verdicts = accept(verdicts, bench.known, new)
    told = explain(verdicts, case=case, old=baseline.trials, new=new, rules=bench.rules)
    return CaseResult(slug=name, case=case, records=new, baseline=baseline, verdicts=tuple(map(_advised, told)))


def _advised(verdict: Verdict) -> Verdict:
    return verdict if verdict.outcome in KEPT else replace(verdict, advice="")


def exit_code(results: Sequence[CaseResult]) -> int:
    """0 where all is well, 1 where a gate metric regressed or changed, 3 where there is no answer.

    No answer: a trial failed or a metric is invalid, one is inconclusive, or of a case nothing could be judged.
    """
    gates = [[v for v in result.verdicts if v.role is Role.GATE] for result in results]
    outcomes = {v.outcome for verdicts in gates for v in verdicts}
    if outcomes & (FAILING - {Outcome.INVALID}):
        return REFUSED
    silent = any(not any(v.outcome in JUDGED for v in verdicts) for verdicts in gates)
    return UNDECIDED if silent or outcomes & KEPT else 0
