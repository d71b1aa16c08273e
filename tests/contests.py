"""Calls of `benchsuite ab` that nobody had to wait for: synthetic pairs of trials on a GPU, and a field of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from judging import gpu_case, gpu_record, values

from benchsuite.contest import timing
from benchsuite.contest.call import Asked
from benchsuite.contest.card import Card, card
from benchsuite.contest.order import arm_at
from benchsuite.contest.rounds import Played, Standing, play
from benchsuite.contest.verdicts import result
from benchsuite.nouns import Case, Measured, Record, Status
from benchsuite.pooling import PREDICTIONS
from benchsuite.registry import judges, metrics, rules
from benchsuite.versus import Bench

BENCH = Bench(metrics=metrics(), judges=judges(), rules=rules(), tolerances={})
CASE = gpu_case("fp32")
QUIET = {"nvml.throttle_reasons": 0, "nvml.sm_clock": 1590.0}
NOISE = {"device.kernel_time.step": 0.0004, "time.host.step": 0.004, "time.step": 0.002, "time.train": 0.004,
         "latency.batch": 0.004}  # fmt: skip
"""Relative standard deviation of a process."""
BASE = {"device.kernel_time.step": 0.0316, "time.host.step": 0.012, "time.step": 0.0332, "time.train": 120.5,
        "latency.batch": 0.0081}  # fmt: skip
SECONDS = 12.0
Spoil = Callable[[Record, str, int], Record]
"""Given a trial, its arm and its attempt: the trial as it came out."""


def kept(record: Record, arm: str, attempt: int) -> Record:
    """Nothing is spoilt."""
    return record


def numbers(record: Record, **new: float) -> Record:
    """The record with figures set; dots of names are written as two underscores."""
    moved = {name.replace("__", "."): Measured(value=value) for name, value in new.items()}
    return replace(record, metrics={**record.metrics, **moved})


@dataclass
class Field:
    """Hands out pairs whose times are noisy, B's scaled; what it handed out tells the time."""

    scale: Mapping[str, float] = field(default_factory=dict)
    spoil: Spoil = kept
    seed: int = 1
    now: float = 0.0
    ordered: list[str] = field(default_factory=list)

    def __call__(self, at: Standing) -> tuple[Record, ...]:
        """The next pair, as `field.Live` makes it."""
        made: list[Record] = []
        for place in (0, 1):
            arm = arm_at(len(at.used), place)
            self.ordered.append(arm)
            made.append(self.spoil(self._trial(at, arm, place), arm, at.attempts))
            self.now += made[-1].seconds
            if made[-1].status is Status.FAILED:
                break
        return tuple(made)

    def _trial(self, at: Standing, arm: str, place: int) -> Record:
        draw = random.Random(f"{self.seed} {at.case.regime} {at.attempts} {place}")
        times = {
            name: base * (1 + draw.gauss(0, NOISE[name])) * (self.scale.get(name, 1.0) if arm == "B" else 1.0)
            for name, base in BASE.items()
        }
        figures = {name: Measured(value=v) for name, v in {**times, **QUIET}.items()}
        known = {name: m for name, m in values().items() if name in metrics() and name not in PREDICTIONS}
        return gpu_record(
            at.case, at.attempts, pair=len(at.used), order=place, seconds=SECONDS, metrics={**known, **figures},
            fingerprint={"model.attention": "sdpa"},
        )  # fmt: skip

    def clock(self) -> float:
        """Seconds that the trials so far took."""
        return self.now


def played(made: Any, cases: Iterable[Case] = (CASE,), *, budget: float = 300.0, names: tuple[str, ...] = ()) -> Played:
    """The call played to its end."""
    given = tuple(cases)
    asked = timing.questions(given, timing.declared(names, metrics()), metrics(), {})
    return play(
        given, measure=made, answered=lambda at, looks: timing.answered(asked, at, looks), clock=made.clock,
        budget=budget,
    )  # fmt: skip


def carded(end: Played, *, names: tuple[str, ...] = (), budget: float = 300.0, b: str = "transformers==6.0.0") -> Card:
    """Its card."""
    given = tuple(at.case for at in end.standings)
    asked = timing.questions(given, timing.declared(names, metrics()), metrics(), {})
    standing = {question.case: at for question, at in ((q, _at(end, q.case)) for q in asked)}
    said = timing.timings(asked, standing, end.looks, ended=True)
    return card(
        run="20251104-070000-0a1b2c", texts={"A": ".venv", "B": b}, standings=end.standings, budget=budget,
        seconds=end.seconds, results=[result(at, said.get(name, {}), BENCH) for name, at in standing.items()],
    )  # fmt: skip


def _at(end: Played, name: str) -> Standing:
    from benchsuite.cases import slug

    return next(at for at in end.standings if slug(at.case) == name)


__all__ = ["BENCH", "CASE", "Asked", "Field", "carded", "numbers", "played"]
