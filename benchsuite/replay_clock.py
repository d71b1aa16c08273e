"""Hands durations that a trial measured to pytest-benchmark, as if they were measured here.

pytest-benchmark takes any callable as timer: this one stands still but for what `target` moves it on,
so that its tables, JSON and comparisons show the trial's own, device-synchronised times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


class TrialClock:
    """A clock that only `advance` moves. Named, because pytest-benchmark's JSON stores a timer's name."""

    __name__ = __qualname__ = "trial_clock"

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Seconds since its making."""
        return self.now

    def advance(self, seconds: Iterator[float]) -> None:
        """Move on by the next duration."""
        self.now += next(seconds)


trial_clock = TrialClock()


def replay(benchmark: Any, durations: Sequence[float]) -> None:
    """One round a duration, through the `benchmark` fixture of a test marked with `timer=trial_clock`.

    Without any there is no row: that nothing was measured is for the verdict to tell.
    """
    if not durations:
        benchmark.disabled = True
        benchmark.pedantic(tuple)
        return
    benchmark.pedantic(trial_clock.advance, args=(iter(durations),), rounds=len(durations), iterations=1)
