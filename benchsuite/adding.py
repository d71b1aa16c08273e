"""Which verdicts more trials could decide, and in which words it is told that they are made. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .nouns import Case, Kind, Outcome, Role, Verdict

SCATTER = frozenset({Kind.WALL, Kind.DEVICE})
"""Kinds that are judged over trials; another trial of the same seed says nothing new of the others."""
NAMED = 2


def undecided(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """Gate metrics without an answer that further trials may give."""
    return tuple(
        v.metric for v in verdicts
        if v.outcome is Outcome.INCONCLUSIVE and v.role is Role.GATE and v.kind in SCATTER
    )  # fmt: skip


def label(together: Sequence[Case], trial: int, most: int, added: str) -> str:
    """What a trial is called while it runs: "fp32 quick (bert-base-uncased), trial 2 of 5".

    Args:
        together: The cases that it measures.
        trial: Its number, from 0.
        most: Trials up to which the run may go on.
        added: Why it is made beyond those that were asked for; empty for one of these.
    """
    case, names = together[0], " + ".join(case.regime for case in together)
    count = f"at most {most}, since {added}" if added else str(case.profile.trials)
    return f"{names} {case.profile.name} ({case.model.id}), trial {trial + 1} of {count}"


def why(metrics: Sequence[str]) -> str:
    """Why a trial is added: "inconclusive: time.step, time.load and 3 more"."""
    more = len(metrics) - NAMED
    return f"inconclusive: {', '.join(metrics[:NAMED])}" + (f" and {more} more" if more > 0 else "")
