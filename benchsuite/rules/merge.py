"""Merging the adapter into the base changes the answer."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule

DRIFT = "function.merge_drift"
ELSEWHERE = ("function.logits_trained", "quality.*")
"""Where these moved too, other weights were trained, and those merge with another drift."""


def find(seen: Evidence) -> Clue | None:
    """Merged and unmerged model answer differently, and did not; the training is as it was."""
    drift = seen.number_moved(DRIFT)
    if drift is None or drift[1] <= drift[0] or seen.like(*ELSEWHERE):
        return None
    return Clue(words=f"merging the adapter moves logits by {drift[1]:.3g} (was {drift[0]:.3g})", parts=(DRIFT,))


RULE = Rule(name="merge", rank=24, find=find, unless=("evaluation_random",), packages=("peft", "bitsandbytes"))
