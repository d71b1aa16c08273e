"""How long a run will take: from the baselines' own trials where there are any. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from .nouns import Baseline, Case, Estimate


def estimate(selected: Sequence[tuple[Case, Baseline | None]], most: int = 0) -> Estimate:
    """Trials and seconds of cases, each with its baseline; a guess as soon as one of them has none.

    Args:
        selected: The cases; one with a baseline may go on to `most` trials by itself.
        most: As `Options.trials_max`.
    """
    counts = [max(case.profile.trials, most if baseline else 0) for case, baseline in selected]
    known = [_seconds(case, baseline, count) for (case, baseline), count in zip(selected, counts, strict=True)]
    return Estimate(
        trials=sum(counts),
        seconds=sum(seconds for seconds, _ in known),
        source="baseline" if known and all(sure for _, sure in known) else "guess",
        added=sum(counts) - sum(case.profile.trials for case, _ in selected),
    )


def _seconds(case: Case, baseline: Baseline | None, count: int) -> tuple[float, bool]:
    each = statistics.median(t.seconds for t in baseline.trials) if baseline else case.profile.guess
    return count * each, baseline is not None
