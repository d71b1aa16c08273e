"""Trials x baseline -> verdicts with their causes told, by the plug-ins that there are. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import cases, compare, explain, known, registry
from .nouns import Baseline, Case, CaseNoise, Record, Verdict


def judge(
    case: Case,
    baseline: Baseline | None,
    trials: Sequence[Record],
    tolerances: Mapping[str, str],
    accepted: known.Accepted = known.NONE,
    *,
    noise: CaseNoise | None = None,
    siblings: Sequence[Baseline] = (),
) -> tuple[Verdict, ...]:
    """What is said of a case's trials.

    Args:
        case: What was to be measured.
        baseline: The approved trials, or None.
        trials: This run's trials, of whatever status.
        tolerances: Metric glob -> tolerance text.
        accepted: The deviations that are known.
        noise: What was calibrated of the case on this machine.
        siblings: Approved baselines of the case with other seeds.

    Raises:
        UsageError: see `compare.judge_case`.
    """
    verdicts = compare.judge_case(
        slug=cases.slug(case), case=case, digest=cases.digest(case), baseline=baseline, trials=trials,
        metrics=registry.metrics(), judges=registry.judges(), tolerances=tolerances, noise=noise,
        siblings=siblings,
    )  # fmt: skip
    verdicts = known.accept(verdicts, accepted, trials)
    old = baseline.trials if baseline else ()
    return explain.explain(verdicts, case=case, old=old, new=trials, rules=registry.rules())
