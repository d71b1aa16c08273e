"""The simulated table of error rates: named noises, whole calls of two cases with six timed metrics each.

Noises are rounded from recorded processes where their line says so; the others are stress.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchsuite.nouns import Better, Kind

from .noise import Noise
from .others import compared, simulated
from .pairs import looks
from .power import Row, Stream, simulate
from .spending import DEVICE_WEIGHT, LEAD_WEIGHT, OTHER_WEIGHT, Question

CASES = ("fp32", "qlora")
WALLS = 5
"""Metrics of a case beside its device time: step, host time, latency, training, load."""
SHARES = (DEVICE_WEIGHT, LEAD_WEIGHT, *[OTHER_WEIGHT] * (WALLS - 1))
PAIR = 24.0
"""Seconds of a pair: two processes of 12 s."""
CALLS = 10_000
SEED = 4
OTHER_CALLS = 2_000
"""Calls for the rules on rounds, whose rates are so large that fewer tell enough."""

DEVICE = Noise(
    offset=0.001, tail=math.inf, burst_share=0.0, burst_size=0.0, drift=0.0, walk=0.0, within=0.0005, correlation=0.0,
    spike_share=0.0, spike_size=0.0, steps=54,
)  # fmt: skip
"""Kernel time at twice the spread between processes that was measured on an H200 (0.03 to 0.06 %)."""
WALL = replace(DEVICE, offset=0.003, within=0.006, correlation=0.5, spike_share=0.09, spike_size=0.067)
"""A step's wall time as in five recorded processes of FP32, rounded up, without the one that was disturbed."""
BURSTS = replace(WALL, burst_share=0.2, burst_size=0.0255)
"""The same with it: one process of five was slower throughout, by 2.55 %."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What both kinds of metric of a call scatter like."""

    name: str
    device: Noise
    wall: Noise


def _changed(name: str, **both: float) -> Scene:
    return Scene(name=name, device=_with(DEVICE, both), wall=_with(WALL, both))


def _with(noise: Noise, changes: Mapping[str, float]) -> Noise:
    more: dict[str, Any] = dict(changes)
    return replace(noise, **more)


def scenes() -> tuple[Scene, ...]:
    """Noises from harmless to adverse."""
    burst = {"burst_share": 0.1}
    return (
        Scene(name="recorded, undisturbed", device=DEVICE, wall=WALL),
        Scene(name="recorded, 1 process of 5 disturbed", device=DEVICE, wall=BURSTS),
        _changed("linear drift, 2 % in 10 processes", drift=0.002),
        Scene(
            name="random walk, steps like the offset",
            device=replace(DEVICE, walk=0.001),
            wall=replace(WALL, walk=0.003),
        ),
        _changed("heavy tails (Student, 3)", tail=3.0),
        Scene(
            name="bursts of 8 offsets in 1 of 10",
            device=_with(DEVICE, burst | {"burst_size": 0.008}),
            wall=_with(WALL, burst | {"burst_size": 0.024}),
        ),
        _changed("steps correlated by 0.95", correlation=0.95),
    )


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What is planted where, and what counts."""

    name: str
    hit: Kind
    """Kind of metric that the effect is on."""
    pairs: int
    """Pairs that the budget holds."""
    effects: tuple[float, ...]
    smallest: tuple[float, float]
    """Smallest effect that counts, in device time and in wall time."""


ANYTHING = (1e-6, 1e-6)
"""Where every move counts, "ok" is never said, and all of the error rate can be used up: the bare test."""
COUNTS = (0.005, 0.02)
SETUPS = (
    Setup(name="anything counts, 5 pairs", hit=Kind.DEVICE, pairs=5, effects=(0.0,), smallest=ANYTHING),
    Setup(name="anything counts, 12 pairs", hit=Kind.DEVICE, pairs=12, effects=(0.0,), smallest=ANYTHING),
    Setup(name="device, 5 pairs", hit=Kind.DEVICE, pairs=5, effects=(0.0, 0.001, 0.0025, 0.005, 0.01), smallest=COUNTS),
    Setup(name="wall, 12 pairs", hit=Kind.WALL, pairs=12, effects=(0.0, 0.005, 0.01, 0.02, 0.05), smallest=COUNTS),
)
"""5 pairs fit into 120 s, 12 into 300 s."""


def streams(scene: Scene, setup: Setup, *, cases: tuple[str, ...] = CASES) -> tuple[Stream, ...]:
    """A call's questions; the effect is on the first case's device time, or on its first wall metric."""
    return tuple(_stream(scene, setup, case, i, first=case == cases[0]) for case in cases for i in range(WALLS + 1))


def _stream(scene: Scene, setup: Setup, case: str, number: int, *, first: bool) -> Stream:
    kind = Kind.WALL if number else Kind.DEVICE
    question = Question(
        case=case, metric=f"{kind} {number}", better=Better.LOWER, smallest=setup.smallest[kind is Kind.WALL],
        weight=SHARES[number],
    )  # fmt: skip
    return Stream(question=question, noise=getattr(scene, kind), hit=first and number == (setup.hit is Kind.WALL))


def own(scene: Scene, setup: Setup, *, calls: int = CALLS, seed: int = SEED) -> tuple[Row, ...]:
    """This gate's rows under one noise, one an effect."""
    asked, name = streams(scene, setup), f"{scene.name}; {setup.name}"
    return tuple(
        simulate(name, asked, looks(setup.pairs), effect=effect, calls=calls, seed=seed, pair=PAIR)
        for effect in setup.effects
    )


def theirs(scene: Scene, setup: Setup, *, calls: int = OTHER_CALLS, seed: int = SEED) -> tuple[Row, ...]:
    """Rows of the rules that others use, on the metric that is hit, under the same noise."""
    noise, name = getattr(scene, setup.hit), f"{scene.name}; {setup.name}"
    rounds = ((e, simulated(noise, calls=calls, pairs=setup.pairs, effect=e, seed=seed)) for e in setup.effects)
    return tuple(row for effect, steps in rounds for row in compared(name, steps, effect=effect, pair=PAIR))
