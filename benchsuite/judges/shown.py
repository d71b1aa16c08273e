"""For what is recorded to be looked at, and has no judge: always `ok`."""

from __future__ import annotations

from ..nouns import JSON, Finding, Kind, Measured, Metric, Outcome


class ShownJudge:
    """Says how much there is, and nothing of it."""

    name = "shown"
    kind: Kind | None = None

    def __call__(self, metric: Metric, old: tuple[Measured, ...], new: tuple[Measured, ...]) -> Finding:
        """See the package's docstring."""
        return Finding(
            outcome=Outcome.OK, old=_size(old[0].value), new=_size(new[0].value), effect=None, interval=None,
            detectable=None, detail="",
        )  # fmt: skip


def _size(value: JSON) -> str:
    return f"{len(value)} entries" if isinstance(value, dict | list) else str(value)


JUDGE = ShownJudge()
