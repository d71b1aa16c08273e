"""Whole calls, simulated: how often they are wrong, what they find, and what that takes.

A call asks all its questions of the same processes, stops at the look where each has its answer,
and ends with the last look. An alarm is any claim that something moved, either way, on a metric
that did not. Intervals of rates are exact (Clopper and Pearson, 95 %).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .decide import FASTER, OPEN, SLOWER, advance
from .estimate import Array, arms
from .noise import Generator, Noise, medians
from .spending import ALPHA, Question, Rule, rules

CONFIDENCE = 0.95
BATCH = 2000
"""Calls simulated at once, so that memory stays small."""
FOUND = 0.9


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One question of a call, and the noise that its metric has."""

    question: Question
    noise: Noise
    hit: bool
    """Whether the planted effect is on this metric."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One point: a rule under one noise and one effect."""

    rule: str
    scene: str
    effect: float
    """What was planted, relative; 0 for arms that are the same."""
    calls: int
    found: int
    """Calls that say of a planted metric that it became worse; of none planted, alarms."""
    alarms: int
    """Calls with a claim on a metric that did not move."""
    pairs: float
    """Mean pairs used."""
    seconds: float
    """Mean seconds used."""

    @property
    def rate(self) -> float:
        """Share of calls found."""
        return self.found / self.calls

    @property
    def interval(self) -> tuple[float, float]:
        """Exact confidence interval of `rate`."""
        return exact(self.found, self.calls)

    @property
    def alarm_interval(self) -> tuple[float, float]:
        """Exact confidence interval of the share of calls with an alarm."""
        return exact(self.alarms, self.calls)


def exact(hits: int, calls: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Clopper and Pearson's interval of a rate."""
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = float(betaincinv(hits, calls - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, calls - hits, 1 - tail)) if hits < calls else 1.0
    return low, high


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """What many calls said: one code a question and call, and the pairs that each call used."""

    said: Array
    """Questions x calls; codes of `decide`."""
    pairs: Array


def run_calls(shared: Sequence[Rule], logs: Sequence[Array]) -> Outcomes:
    """Decide many calls at once.

    Args:
        shared: Rules of one call, with the same looks.
        logs: For each rule, logarithms, worse upwards, in ABBA order; calls x processes.
    """
    said: Array = np.zeros((len(shared), len(logs[0])), dtype=int)
    pairs = np.full(len(logs[0]), float(shared[0].looks[-1]))
    going = np.arange(len(logs[0]))
    for look, count in enumerate(shared[0].looks):
        for number, (rule, each) in enumerate(zip(shared, logs, strict=True)):
            said[number, going] = advance(rule, each[going], look, said[number, going])
        done = (said[:, going] != OPEN).all(axis=0)
        pairs[going[done]] = count
        going = going[~done]
    return Outcomes(said=said, pairs=pairs)


def simulate(
    scene: str,
    streams: Sequence[Stream],
    looks: Sequence[int],
    *,
    effect: float,
    calls: int,
    seed: int,
    pair: float,
    alpha: float = ALPHA,
) -> Row:
    """Simulate `calls` whole calls.

    Args:
        scene: What to call the noise.
        streams: Every question of the call.
        looks: Planned looks, in pairs.
        effect: Planted relative slowdown of arm b, on the streams that are hit.
        calls: How many.
        seed: Of the generator; the same seed gives the same row.
        pair: Seconds that a pair takes.
        alpha: Rate of the whole call.
    """
    rng = np.random.default_rng(seed)
    shared = rules([stream.question for stream in streams], looks, alpha=alpha)
    sizes = [min(BATCH, calls - start) for start in range(0, calls, BATCH)]
    parts = [run_calls(shared, [_logs(stream, rng, size, looks[-1], effect) for stream in streams]) for size in sizes]
    said = np.concatenate([part.said for part in parts], axis=1)
    every = Outcomes(said=said, pairs=np.concatenate([part.pairs for part in parts]))
    return row("this gate", scene, every, [s.hit and effect != 0 for s in streams], effect=effect, pair=pair)


def _logs(stream: Stream, rng: Generator, calls: int, pairs: int, effect: float) -> Array:
    base = medians(stream.noise, rng, calls, 2 * pairs)
    return base + (np.log1p(effect) * (arms(pairs) > 0) if stream.hit else 0.0)


def row(rule: str, scene: str, every: Outcomes, hit: Sequence[bool], *, effect: float, pair: float) -> Row:
    """Count what calls said into a row."""
    planted = np.array(hit)
    moved = (every.said == SLOWER) | (every.said == FASTER)
    alarms = int(moved[~planted].any(axis=0).sum()) if not planted.all() else 0
    found = int((every.said[planted] == SLOWER).any(axis=0).sum()) if planted.any() else alarms
    pairs = float(every.pairs.mean())
    return Row(
        rule=rule, scene=scene, effect=effect, calls=every.said.shape[1], found=found, alarms=alarms, pairs=pairs,
        seconds=pairs * pair,
    )  # fmt: skip


def smallest_found(rows: Iterable[Row], share: float = FOUND) -> float | None:
    """Smallest planted effect from which on at least `share` of calls find it; None where none is."""
    planted = sorted((row for row in rows if row.effect > 0), key=lambda row: row.effect, reverse=True)
    found = None
    for each in planted:
        if each.rate < share:
            break
        found = each.effect
    return found
