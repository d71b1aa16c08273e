"""Trials x baseline -> verdicts with their causes told, by the plug-ins that there are. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import cases, compare, explain, registry
from .nouns import Baseline, Case, CaseNoise, Record, Verdict


def judge(
    case: Case,
    baseline: Baseline | None,
    trials: Sequence[Record],
    tolerances: Mapping[str, str],
    *,
    noise: CaseNoise | None = None,
    siblings: Sequence[Baseline] = (),
) -> tuple[Verdict, ...]:
    """What is said of a case's trials; `noise` is what was calibrated of the case on this machine.

    `siblings` are approved baselines of the case with other seeds.

    Raises:
        UsageError: see `compare.judge_case`.
    """
    verdicts = compare.judge_case(
        slug=cases.slug(case), case=case, digest=cases.digest(case), baseline=baseline, trials=trials,
        metrics=registry.metrics(), judges=registry.judges(), tolerances=tolerances, noise=noise,
        siblings=siblings,
    )  # fmt: skip
    old = baseline.trials if baseline else ()
    return explain.explain(verdicts, case=case, old=old, new=trials, rules=registry.rules())
