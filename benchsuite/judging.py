"""Trials x baseline -> verdicts with their causes told, by the plug-ins that there are. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import cases, compare, explain, known, registry
from .nouns import Baseline, Case, Record, Verdict


def judge(
    case: Case,
    baseline: Baseline | None,
    trials: Sequence[Record],
    tolerances: Mapping[str, str],
    accepted: known.Accepted = known.NONE,
) -> tuple[Verdict, ...]:
    """What is said of a case's trials; `accepted` are the deviations that are known.

    Raises:
        UsageError: see `compare.judge_case`.
    """
    verdicts = compare.judge_case(
        slug=cases.slug(case), case=case, digest=cases.digest(case), baseline=baseline, trials=trials,
        metrics=registry.metrics(), judges=registry.judges(), tolerances=tolerances,
    )  # fmt: skip
    verdicts = known.accept(verdicts, accepted, trials)
    old = baseline.trials if baseline else ()
    return explain.explain(verdicts, case=case, old=old, new=trials, rules=registry.rules())
