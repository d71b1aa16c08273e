"""Which verdicts more trials could decide, and in which words it is told that they are made. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .nouns import Kind, Outcome, Role, Verdict

SCATTER = frozenset({Kind.WALL, Kind.DEVICE})
"""Kinds that are judged over trials; another trial of the same seed says nothing new of the others."""
NAMED = 2


def undecided(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """Gate metrics without an answer that further trials may give."""
    return tuple(
        v.metric for v in verdicts
        if v.outcome is Outcome.INCONCLUSIVE and v.role is Role.GATE and v.kind in SCATTER
    )  # fmt: skip


def why(metrics: Sequence[str]) -> str:
    """Why a trial is added: "inconclusive: time.step, time.load and 3 more"."""
    more = len(metrics) - NAMED
    return f"inconclusive: {', '.join(metrics[:NAMED])}" + (f" and {more} more" if more > 0 else "")
