"""Judges what is identical run to run: parameter counts, module maps, optimizer groups, digests, series.

Any difference is `changed`, shown as a readable diff of arbitrary JSON: paths that moved alike are
one line, series say where they part. Whether a change matters is not judged here; numbers that may
move a little belong to `distance`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.judges import _diff as diff
from benchsuite.judges._common import Trials, finding, ratio
from benchsuite.nouns import JSON, Finding, Kind, Metric, Outcome
from benchsuite.units import is_number


@dataclass(frozen=True)
class Exact:
    """Any value of this run that no trial of the baseline had is a change."""

    name: str = "exact"
    kind: Kind | None = Kind.EXACT

    def __call__(self, metric: Metric, old: Trials, new: Trials) -> Finding:
        """Judge; see the module."""
        a, b = [diff.plain(t.value) for t in old], [diff.plain(t.value) for t in new]
        strangers = [value for value in b if not any(diff.same(value, known) for known in a)]
        notes = _disagreement(a, b)
        if not strangers:
            return finding(Outcome.OK, diff.brief(a[0]), diff.brief(b[0]), detail="\n".join(notes))
        lines = diff.lines(a[0], strangers[0])
        first, second = diff.brief(a[0]), diff.brief(strangers[0])
        numeric = is_number(first) and is_number(second)
        return finding(
            Outcome.CHANGED,
            first,
            second,
            effect=ratio(first, second) if numeric else None,
            detail="\n".join([*notes, *lines]),
        )


def _disagreement(old: Sequence[JSON], new: Sequence[JSON]) -> list[str]:
    sides = (("the baseline's", old), ("this run's", new))
    counted = [(side, len(values), _distinct(values)) for side, values in sides]
    return [
        f"{side} {total} trials disagree among themselves: {distinct} different values"
        for side, total, distinct in counted
        if distinct > 1
    ]


def _distinct(values: Sequence[JSON]) -> int:
    seen: list[JSON] = []
    for value in values:
        if not any(diff.same(value, known) for known in seen):
            seen.append(value)
    return len(seen)


JUDGE = Exact()
