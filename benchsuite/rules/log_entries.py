"""The log of training has more entries, or fewer: every step is logged, and not every tenth."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import first

LOSS, NORM, UPDATES = "quality.loss", "quality.grad_norm", "optimizer.updates"


def find(seen: Evidence) -> Clue | None:
    """Another number of losses is in it."""
    moved = first(seen, LOSS)
    if moved is None or not all(isinstance(side, list) for side in moved[1:]):
        return None
    was, now = (len(side) for side in moved[1:])
    if was == now:
        return None
    steps = seen.numbers(UPDATES)
    often = [_often(*pair) for pair in zip(steps, (was, now), strict=True)] if steps else []
    words = f"the log of training has {now} entries of the loss, was {was}"
    return Clue(
        words=f"{words} ({often[1]}, was {often[0]})" if often and all(often) else words, parts=seen.like(LOSS, NORM)
    )


def _often(steps: float, entries: int) -> str:
    """How often there is an entry, or nothing where that is no whole number of steps."""
    if not entries or steps % entries:
        return ""
    each = int(steps // entries)
    return "every step" if each == 1 else f"every {each} steps"


RULE = Rule(
    name="log_entries",
    rank=33,
    find=find,
    effects={"trainer.log.counts": 0, "time.train": 0},
    unless=("updates", "arguments"),
    packages=("transformers",),
)
