"""The kernel census reads a profile: what ran on the device, and what the host asked of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.meters.kernels import PROFILED, Event, calls, summary

NAMES = st.sampled_from(["cudaLaunchKernel", "cuLaunchKernelEx", "cudaEventQuery", "aten::mm", "Memcpy HtoD", "gemm"])
PROFILES = st.lists(st.builds(Event, NAMES, st.floats(0, 1), st.booleans()))


def each(*events: Event) -> list[Event]:
    """The same events in every profiled step."""
    return list(events) * PROFILED


def test_copies_and_fills_are_no_kernels() -> None:
    """They are counted and timed by name beside them."""
    found = summary(each(Event("gemm", 2e-3, True), Event("gemm", 1e-3, True), Event("Memcpy HtoD", 5e-3, True)))
    assert found["device.kernel_time.step"] == pytest.approx(3e-3)
    assert (found["count.kernels.step"], found["count.copies.step"]) == (2, 1)
    assert found["kernels.by_name"] == {"gemm": 2, "Memcpy HtoD": 1}


def test_calls_of_runtime_and_driver_are_told_by_name() -> None:
    """Operators, Python's functions and what ran on the device are none of them."""
    launch, driver = Event("cudaLaunchKernel", 1e-6, False), Event("cuLaunchKernelEx", 1e-6, False)
    found = calls(each(launch, launch, driver, Event("aten::mm", 1e-5, False), Event("cudaLaunchKernel", 1e-3, True)))
    assert found == {
        "count.cuda_calls.step": 3,
        "cuda_calls.by_name": {"cuLaunchKernelEx": 1, "cudaLaunchKernel": 2},
    }


@given(profile=PROFILES, polls=st.integers(0, 50))
def test_how_often_the_host_polls_is_not_counted(profile: list[Event], polls: int) -> None:
    """That hangs on how fast the device is, not on what the stack does."""
    assert calls([*profile, *[Event("cudaEventQuery", 1e-6, False)] * polls]) == calls(profile)


@given(profile=PROFILES)
def test_the_order_of_events_and_their_times_change_no_count(profile: list[Event]) -> None:
    """What a profile counts is exact."""
    slower = [Event(event.name, event.seconds * 2, event.on_device) for event in reversed(profile)]
    assert calls(slower) == calls(profile)
    assert summary(slower)["kernels.by_name"] == summary(profile)["kernels.by_name"]
