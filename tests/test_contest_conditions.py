"""What voids a trial or a pair, what is a condition only, and how the machine is watched meanwhile."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from contests import numbers
from fakes import nvml
from judging import gpu_case, gpu_record

from benchsuite.contest import conditions, watch
from benchsuite.contest.conditions import QUIET, Reason, Seen
from benchsuite.contest.order import Pair, arm_at, arm_of

RECORD = gpu_record(gpu_case("fp32"))


def pair(a, b):
    """Two trials with throttle reasons and clock each."""
    sides = [numbers(RECORD, nvml__throttle_reasons=mask, nvml__sm_clock=clock) for mask, clock in (a, b)]
    return Pair(attempt=0, a=sides[0], b=sides[1])


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ((0, 1590), (0, 1590), None),
        ((0, 1590), (0, 1575), None),
        ((0x1, 1590), (0x2, 1590), None),
        ((0x4, 1590), (0x4, 900), None),
        ((0x4, 1590), (0, 1200), "the GPU's clock was 1590 MHz in A and 1200 MHz in B, and no power cap acted in both"),
        ((0, 1200), (0, 1590), "the GPU's clock was 1200 MHz in A and 1590 MHz in B, and no power cap acted in both"),
        ((0x8, 1590), (0, 1590), "the GPU was slowed down by a hardware slowdown"),
        ((0x4, 1590), (0x24, 1590), "the GPU was slowed down by heat"),
        ((0, 1590), (0xC0, 1590), "the GPU was slowed down by heat (hardware) and the power brake"),
    ],
)
def test_what_voids_a_pair(a, b, words):
    """Heat and hardware do; idling, application clocks and a power cap in both arms do not."""
    found = conditions.reason(pair(a, b))
    assert (found.words if found else None) == words
    assert found is None or found.action


def test_how_far_clocks_may_lie_apart_is_given():
    """A measured spread replaces the built-in one."""
    assert conditions.reason(pair((0, 1590), (0, 1500)), spread=0.1) is None
    assert conditions.reason(pair((0, 1590), (0, 1575)), spread=0.001) is not None


def test_a_trial_without_clocks_is_judged_all_the_same():
    """A CPU has none, and some drivers tell none."""
    assert conditions.reason(Pair(attempt=0, a=RECORD, b=RECORD)) is None
    assert conditions.told([Pair(attempt=0, a=RECORD, b=RECORD)]) == ()


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (QUIET, None),
        (Seen(strangers=0, swapped=2**20), None),
        (Seen(strangers=0, swapped=2**25), "swap: the system swapped 32 MiB during the trial"),
        (Seen(strangers=1, swapped=0), "process: another process used the GPU during the trial"),
        (Seen(strangers=3, swapped=0), "process: 3 other processes used the GPU during the trial"),
    ],
)
def test_what_the_parent_sees_voids_a_trial(seen, words):
    """What a record keeps of it can be read again."""
    found = conditions.disturbance(seen)
    assert (found.note if found else None) == words
    assert found is None or conditions.recalled(found.note) == found


def test_a_problem_of_another_kind_stays_as_it_is():
    """Not every invalid record was disturbed."""
    assert conditions.recalled("the parent holds: CUDA") == Reason(kind="", words="the parent holds: CUDA")


@pytest.mark.parametrize(("number", "arms"), [(0, "AB"), (1, "BA"), (2, "AB"), (7, "BA")])
def test_a_records_arm_follows_from_its_place(number, arms):
    """A B, B A, and so on; a record of no pair is of no arm."""
    assert "".join(arm_at(number, place) for place in (0, 1)) == arms
    assert [arm_of(replace(RECORD, pair=number, order=place)) for place in (0, 1)] == list(arms)
    assert arm_of(RECORD) == ""


# ---------------------------------------------------------------- watching


def watched(monkeypatch, looks):
    """What a watch sees where the driver shows these processes, look by look."""
    left = list(looks)

    def running(_):
        return [SimpleNamespace(pid=pid) for pid in (left.pop(0) if len(left) > 1 else left[0])]

    driver = nvml([{"uuid": "GPU-0", "name": "T4", "memory": 15 << 30}], DeviceGetComputeRunningProcesses=running)
    driver.nvmlDeviceGetHandleByUUID = lambda uuid: uuid
    monkeypatch.setitem(__import__("sys").modules, "pynvml", driver)
    monkeypatch.setattr(watch, "INTERVAL", 0.01)
    monkeypatch.setattr(watch, "PATIENCE", 0.3)
    monkeypatch.setattr(watch, "children", lambda: set(OURS))
    with watch.watching("GPU-0") as found:
        time.sleep(0.1)
        return found.seen()


OURS = (10**9, 10**9 + 1)
"""The trial's process, and one that waits for the next."""
THEIRS = 10**9 + 7


@pytest.mark.parametrize(
    ("looks", "strangers"),
    [
        ([[], [1]], 0), ([[], [1], [1, 2], [1]], 1), ([[1], [], [2]], 0), ([[1]], 1), ([[]], 0),
        ([[], OURS[:1]], 0), ([OURS[1:], OURS], 0), ([[], OURS[:1], [*OURS, THEIRS], OURS[:1]], 1),
        ([[THEIRS], OURS], 0), ([[THEIRS]], 1), ([[THEIRS, *OURS]], 1),
    ],
    ids=[
        "alone", "somebody came and went", "the last trial was still shown", "somebody was there", "driver tells none",
        "alone, by number", "the next one waits", "somebody came and went, by number",
        "the last trial was still shown, by number", "somebody was there, by number", "somebody stays",
    ],
)  # fmt: skip
def test_other_processes_on_the_gpu_are_counted(monkeypatch, looks, strangers):
    """The trial's own is not one of them, nor what waits for its turn; the driver's numbers may be others than ours."""
    seen = watched(monkeypatch, looks)
    assert seen.strangers == strangers
    assert seen.named == any(pid in OURS for look in looks for pid in look)


def test_without_a_gpu_only_swapping_is_watched(monkeypatch):
    """Bytes moved while the trial ran, of what the system counts since it started."""
    moved = iter((2**20, 2**25))
    monkeypatch.setattr(watch, "_swapped", lambda: next(moved))
    with watch.watching("") as found:
        assert found.seen() == Seen(strangers=0, swapped=2**25 - 2**20)
