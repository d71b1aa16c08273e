"""What is said of one case of a call: records of A against those of B, timed figures by their pairs. Pure.

Everything that repeats is judged from one trial of each arm, as in any comparison; a timed figure has the
outcome of the pairs. Other figures that only times can tell are left out: one trial decides nothing there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..cases import digest, slug
from ..compare import judge_case
from ..explain import explain
from ..nouns import Case, CaseResult, Device, Kind, Metric, Outcome, Record, Role, Verdict
from ..pooling import pool
from ..versus import Bench
from .order import ARMS
from .rounds import Dropped, Standing
from .timing import COUNTED, Timing

TIMES = frozenset({Kind.WALL, Kind.DEVICE})
OURS = "benchsuite"


def result(standing: Standing, timings: Mapping[str, Timing], bench: Bench) -> CaseResult:
    """Verdicts of a case with their causes; A's trials stand in the baseline's place.

    Args:
        standing: The case's trials.
        timings: What its pairs say of each timed figure.
        bench: Metrics, judges, rules and tolerances.
    """
    case, name = standing.case, slug(standing.case)
    a, b = (tuple(map(_bare, standing.sound(arm))) for arm in ARMS)
    if not a or not b:
        return CaseResult(slug=name, case=case, records=b, baseline=None, verdicts=())
    baseline = pool((fullest(a),))
    said = judge_case(
        slug=name, case=case, digest=digest(case), baseline=baseline, trials=(fullest(b),), metrics=bench.metrics,
        judges=bench.judges, tolerances=bench.tolerances,
    )  # fmt: skip
    blocked = standing.dropped if standing.blocked else ()
    timed = tuple(_timed(verdict, timings, blocked) for verdict in said)
    told = explain(timed, case=case, old=a, new=b, rules=bench.rules)
    kept = tuple(replace(v, advice="") for v in told if v.kind not in TIMES or v.metric in timings)
    lacking = tuple(_lacking(case, bench.metrics[m]) for m in timings if m not in {v.metric for v in said})
    return CaseResult(slug=name, case=case, records=b, baseline=baseline, verdicts=kept + lacking)


def _lacking(case: Case, metric: Metric) -> Verdict:
    """What was to be decided and no trial measured: never silent."""
    role = Role.EXPLAIN if case.device is Device.CPU else metric.role
    return Verdict(
        case=slug(case), metric=metric.name, title=metric.title, unit=metric.unit, kind=metric.kind, role=role,
        concern=metric.concern, outcome=Outcome.INCONCLUSIVE, old=None, new=None, effect=None, interval=None,
        detectable=None, detail="no trial measured it", cause="", advice="",
    )  # fmt: skip


def fullest(records: Iterable[Record]) -> Record:
    """The first of the trials that have most to say: of an arm's trials one has the whole fingerprint."""
    return max(records, key=lambda record: len(record.metrics) + len(record.fingerprint))


def _bare(record: Record) -> Record:
    """The record without the suite among its packages: whatever an arm has installed, it ran ours."""
    packages = {name: version for name, version in record.environment.packages.items() if name != OURS}
    return replace(record, environment=replace(record.environment, packages=packages))


def _timed(verdict: Verdict, timings: Mapping[str, Timing], blocked: tuple[Dropped, ...]) -> Verdict:
    """The verdict as the pairs have it, where it is of a timed figure."""
    timing = timings.get(verdict.metric)
    if timing is None or verdict.outcome is Outcome.INCOMPARABLE:
        return verdict
    if blocked and timing.decision.outcome is Outcome.INCONCLUSIVE:
        reason = blocked[-1].reason
        words = f"{len(blocked)} pairs were dropped, the last since {reason.words}"
        return replace(verdict, outcome=Outcome.INVALID, detail=f"{words}: {reason.action}", effect=None, interval=None)
    said = timing.decision
    open_ = verdict.metric in COUNTED and said.outcome is Outcome.INCONCLUSIVE
    return replace(
        verdict, outcome=said.outcome, role=Role.EXPLAIN if open_ else verdict.role, old=timing.old, new=timing.new,
        effect=said.effect, interval=said.interval, detectable=said.detectable, detail=said.detail,
    )  # fmt: skip
