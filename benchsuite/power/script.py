"""What a recorded process does at each of its steps: which arm is planted, and how the step is measured. Pure.

An arm is a delay at each step's begin: on the device by a kernel that only waits, or on the host. All arms take turns
inside one process, so that it says what each would have read there; a call then takes its arms from different ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..nouns import Device

KERNEL, HOST, STEP = "device.kernel_time.step", "time.host.step", "time.step"
"""What is recorded, under the names by which trials know it."""
EFFECTS = (0.0025, 0.005, 0.01, 0.02, 0.05)
CLEAN, AGAIN = "clean", "clean again"
WARM = 20
"""Steps before anything is planted."""
BLOCK = 6
"""Timed steps of an arm in a row; the first is not counted, since the arm before is still in it."""
PROFILED = 4
"""Profiled steps of an arm. Kernel times need no block: what is summed is the step's own."""
SIZING = 10
TIMED_SECONDS = 22.0
"""What a process's timed steps may take."""
ROUNDS = (8, 4, 2)
"""Timed blocks of an arm, as many as fit; few choices, so that sittings of a case have the same. Eight count 40 steps,
and a trial of `benchsuite ab` 54, of which either shows the fastest."""


class Place(StrEnum):
    """Where a delay is planted."""

    NOWHERE = "nowhere"
    DEVICE = "device"
    HOST = "host"


class Mode(StrEnum):
    """How a step is measured."""

    WARM = "warm"
    TIMED = "timed"
    PROFILED = "profiled"


@dataclass(frozen=True, kw_only=True)
class Arm:
    """What is planted, relative to the clean step of the same place."""

    name: str
    place: Place = Place.NOWHERE
    effect: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a recorded process."""

    arm: int
    """Its number."""
    mode: Mode


def arms(device: Device) -> tuple[Arm, ...]:
    """Clean, clean again, and each effect on the device, where there is one, and on the host."""
    places = (Place.DEVICE, Place.HOST) if device is Device.CUDA else (Place.HOST,)
    slowed = [Arm(name=name(place, each), place=place, effect=each) for place in places for each in EFFECTS]
    return (Arm(name=CLEAN), Arm(name=AGAIN), *slowed)


def name(place: Place, effect: float) -> str:
    """Such as "device +0.5 %"."""
    return f"{place} +{effect * 100:g} %"


def steps(count: int, *, number: int, rounds: int, profiled: bool) -> tuple[Step, ...]:
    """Every step of a process: warm-up, timed blocks, profiled steps.

    Args:
        count: Arms.
        number: Of the process. Each begins with another arm: what a place in the process does to times is then noise
            of its arms, and no effect.
        rounds: Timed blocks of each arm.
        profiled: Whether there is a device to profile.
    """
    warm = [Step(arm=0, mode=Mode.WARM)] * WARM
    timed = [Step(arm=arm, mode=Mode.TIMED) for arm in _turns(count, number, rounds) for _ in range(BLOCK)]
    traced = [Step(arm=arm, mode=Mode.PROFILED) for arm in _turns(count, number, PROFILED)] if profiled else []
    return (*warm, *timed, *traced)


def rounds(count: int, step: float) -> int:
    """Timed blocks of each of `count` arms in a process whose steps take `step` seconds."""
    return next((each for each in ROUNDS if each * count * BLOCK * step <= TIMED_SECONDS), ROUNDS[-1])


def _turns(count: int, number: int, rounds: int) -> Sequence[int]:
    """Arms in order and back again, so that a drift falls on all alike."""
    order = [(arm + number) % count for arm in range(count)]
    return [arm for turn in range(rounds) for arm in (order, order[::-1])[turn % 2]]


def sizing(*, profiled: bool) -> tuple[Step, ...]:
    """Steps of the process that tells how long a clean step is."""
    modes = [Mode.WARM] * WARM + [Mode.TIMED] * SIZING + [Mode.PROFILED] * (PROFILED if profiled else 0)
    return tuple(Step(arm=0, mode=mode) for mode in modes)
