"""How long a run will take: from the baselines' own trials where there are any. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from .nouns import Baseline, Case, Estimate


def estimate(selected: Sequence[tuple[Case, Baseline | None]]) -> Estimate:
    """Trials and seconds of cases, each with its baseline; a guess as soon as one of them has none."""
    known = [_seconds(case, baseline) for case, baseline in selected]
    return Estimate(
        trials=sum(case.profile.trials for case, _ in selected),
        seconds=sum(seconds for seconds, _ in known),
        source="baseline" if known and all(sure for _, sure in known) else "guess",
    )


def _seconds(case: Case, baseline: Baseline | None) -> tuple[float, bool]:
    each = statistics.median(t.seconds for t in baseline.trials) if baseline else case.profile.guess
    return case.profile.trials * each, baseline is not None
