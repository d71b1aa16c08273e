"""Trials x baseline trials -> verdicts: pure, and the only place that decides what may be compared.

How two sides of one metric are judged belongs to the judges, why they differ to `explain`, and the
words to `wording`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from . import pace
from .calibration import told
from .comparable import another_stack, barrier, having, unlike
from .judges._common import Judge, finding
from .judges._diff import brief, plain
from .nouns import (
    JSON,
    JUDGED,
    Baseline,
    Case,
    CaseNoise,
    CaseResult,
    Device,
    Finding,
    Kind,
    Measured,
    Metric,
    Options,
    Outcome,
    Record,
    Role,
    Status,
    SuiteError,
    Verdict,
)
from .tolerances import marginal, tolerant
from .units import is_number
from .wording import GONE, TOGETHER, advice

MISSING = "missing in this run, the baseline has it"

Sides = Mapping[str, tuple[Measured, ...]]
"""A side's values by metric name, one a trial that has them."""


def measured(record: Record) -> dict[str, Measured]:
    """Everything of a record that can be judged: metrics, fingerprint parts and the logits."""
    parts = {name: Measured(value=value) for name, value in record.fingerprint.items()}
    rows = record.predictions.logits
    logits = {"quality.logits": Measured(value=[list(row) for row in rows])} if rows else {}
    return {**parts, **logits, **record.metrics}


@dataclass(frozen=True, kw_only=True)
class _Bench:
    """What every metric of one case is judged with."""

    slug: str
    case: Case
    baseline: Baseline | None
    old_trials: tuple[Record, ...]
    new_trials: tuple[Record, ...]
    barrier: str
    """Why nothing of the case can be compared; empty where it can."""
    metrics: Mapping[str, Metric]
    judges: Mapping[str, Judge]
    tolerances: Mapping[str, str]
    noise: CaseNoise | None
    siblings: Sequence[Baseline]


def judge_case(
    *,
    slug: str,
    case: Case,
    digest: str,
    baseline: Baseline | None,
    trials: Sequence[Record],
    metrics: Mapping[str, Metric],
    judges: Mapping[str, Judge],
    tolerances: Mapping[str, str],
    noise: CaseNoise | None = None,
    siblings: Sequence[Baseline] = (),
) -> tuple[Verdict, ...]:
    """One verdict for each metric that either side has, and one for each trial that failed.

    Only trials that went well are judged; where none did, the failures are the only verdicts.

    Args:
        slug: The case's name.
        case: What was to be measured.
        digest: Its digest; a baseline of another digest is not compared.
        baseline: The approved trials, or None.
        trials: This run's trials, of whatever status.
        metrics: Declarations by name.
        judges: Judges by name.
        tolerances: Metric glob -> tolerance text, the last match wins.
        noise: How the case's figures were seen to scatter on this machine, where it was calibrated.
        siblings: Approved baselines of the case with other seeds.

    Raises:
        UsageError: a tolerance that cannot be read, or in a unit other than its metric's.
        SuiteError: a metric whose judge is not known.
    """
    good = tuple(t for t in trials if t.status is Status.OK)
    failed = tuple(_failed(slug, t) for t in trials if t.status is not Status.OK)
    if not good:
        return failed
    bench = _Bench(
        slug=slug,
        case=case,
        baseline=baseline,
        old_trials=tuple(t for t in baseline.trials if t.status is Status.OK) if baseline else (),
        new_trials=good,
        barrier=barrier(case, digest, baseline, good) if baseline else "",
        metrics=metrics,
        judges=judges,
        tolerances=tolerances,
        noise=noise,
        siblings=siblings,
    )
    old, new = _sides(bench.old_trials), _sides(good)
    return failed + tuple(_judge(bench, name, old.get(name, ()), new.get(name, ())) for name in sorted({*old, *new}))


def _sides(trials: Iterable[Record]) -> Sides:
    found: dict[str, tuple[Measured, ...]] = {}
    for trial in trials:
        for name, value in measured(trial).items():
            found[name] = (*found.get(name, ()), value)
    return found


def _failed(slug: str, trial: Record) -> Verdict:
    metric = Metric(name="trial", unit="", kind=Kind.EXACT, concern="trial", title=f"trial {trial.trial}")
    detail = trial.problem or "no reason was recorded"
    return _verdict(slug, metric, finding(Outcome.INVALID, None, trial.status.value, detail=detail))


# ---------------------------------------------------------------- one metric


def _judge(bench: _Bench, name: str, old: tuple[Measured, ...], new: tuple[Measured, ...]) -> Verdict:
    metric = bench.metrics.get(name)
    if metric is None:
        nobody = Metric(name=name, unit="", kind=Kind.EXACT, concern="other", title=name, role=Role.EXPLAIN)
        return _verdict(
            bench.slug, nobody, _unjudged(Outcome.INCOMPARABLE, old, new, "no plug-in declares this metric")
        )
    metric = _role(tolerant(marginal(metric, bench.case.task), bench.tolerances), bench)
    refused = _refusal(bench, metric, old, new)
    if refused:
        verdict = _verdict(bench.slug, metric, _unjudged(refused[0], old, new, refused[1]))
        return replace(verdict, advice=GONE) if refused[1] == MISSING else verdict
    sides = having(name, bench.old_trials), having(name, bench.new_trials)
    known = told(metric, bench.noise, *sides, bench.siblings)
    found = _judge_of(metric, bench.judges)(known, old, new)
    if paced := pace.unlike(metric, found, *sides) if metric.kind is Kind.WALL else "":
        verdict = _verdict(bench.slug, metric, replace(found, outcome=Outcome.INCOMPARABLE, detail=paced))
        return replace(verdict, advice=TOGETHER)
    return _verdict(bench.slug, metric, replace(found, detail=_join(found.detail, _gaps(bench, old, new))))


def _refusal(
    bench: _Bench, metric: Metric, old: tuple[Measured, ...], new: tuple[Measured, ...]
) -> tuple[Outcome, str] | None:
    """The outcome and reason where a metric cannot be judged; None where it can."""
    if bench.baseline is None:
        return Outcome.NO_BASELINE, "this case has no baseline on this machine"
    if bench.barrier:
        return Outcome.INCOMPARABLE, bench.barrier
    differs = unlike(metric, bench.old_trials, bench.new_trials)
    if differs:
        return Outcome.INCOMPARABLE, differs
    if not old:
        return Outcome.NO_BASELINE, "the baseline was approved without this metric"
    return None if new else _missing(metric)


def _missing(metric: Metric) -> tuple[Outcome, str]:
    if metric.may_lack:
        return Outcome.INCOMPARABLE, f"not measured in this run: {metric.may_lack}"
    return Outcome.INVALID if metric.role is Role.GATE else Outcome.INCOMPARABLE, MISSING


def _gaps(bench: _Bench, old: Sequence[Measured], new: Sequence[Measured]) -> str:
    sides = (("the baseline's", old, bench.old_trials), ("this run's", new, bench.new_trials))
    return "; ".join(
        f"only {len(values)} of {side} {len(trials)} trials measured it"
        for side, values, trials in sides
        if len(values) < len(trials)
    )


def _join(*lines: str) -> str:
    return "\n".join(line for line in lines if line)


def _role(metric: Metric, bench: _Bench) -> Metric:
    """`metric`, in the role of explaining where it cannot be a gate here.

    Wall metrics on a CPU: identical runs on a shared machine lie a factor of ten apart. Counts of what
    a library does inside, on other versions of it: an upgrade moves them, and that is no fault.
    """
    on_cpu = metric.kind is Kind.WALL and bench.case.device is Device.CPU
    upgraded = metric.same_stack and another_stack(bench.old_trials, bench.new_trials)
    return replace(metric, role=Role.EXPLAIN) if on_cpu or upgraded else metric


def _judge_of(metric: Metric, judges: Mapping[str, Judge]) -> Judge:
    if metric.judge:
        found = judges.get(metric.judge)
    else:
        found = next((j for j in judges.values() if j.kind is metric.kind), None)
    if found is None:
        wanted = metric.judge or f"of kind {metric.kind.value!r}"
        raise SuiteError(f"metric {metric.name!r} wants judge {wanted}; known: {', '.join(sorted(judges))}")
    return found


def _unjudged(outcome: Outcome, old: Sequence[Measured], new: Sequence[Measured], detail: str) -> Finding:
    return finding(outcome, _glance(old), _glance(new), detail=detail)


def _glance(side: Sequence[Measured]) -> JSON:
    values = sorted(t.value for t in side if is_number(t.value) and t.value == t.value)
    return brief(values[len(values) // 2] if values else plain(side[0].value)) if side else None


def _verdict(slug: str, metric: Metric, found: Finding) -> Verdict:
    return Verdict(
        case=slug,
        metric=metric.name,
        title=metric.title,
        unit=metric.unit,
        kind=metric.kind,
        role=metric.role,
        concern=metric.concern,
        outcome=found.outcome,
        old=found.old,
        new=found.new,
        effect=found.effect,
        interval=found.interval,
        detectable=found.detectable,
        detail=found.detail,
        cause="",
        advice=advice(found.outcome, slug, metric.name),
    )


# ---------------------------------------------------------------- a whole run


def exit_code(results: Sequence[CaseResult], options: Options) -> int:
    """0 where every gate metric that was judged is fine, else 1; always 0 without the gate."""
    return int(options.gate and any(_fails(result, options) for result in results))


def _fails(result: CaseResult, options: Options) -> bool:
    gates = [v for v in result.verdicts if v.role is Role.GATE]
    if any(v.fails for v in gates):
        return True
    if options.require_baseline and any(v.outcome is Outcome.NO_BASELINE for v in gates):
        return True
    return result.baseline is not None and not any(v.outcome in JUDGED for v in gates)
