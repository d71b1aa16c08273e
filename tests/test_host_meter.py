"""Processor time of a training step, by a clock that the test moves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from benchsuite.meters import host
from benchsuite.nouns import Phase


@pytest.fixture
def measured(monkeypatch):
    """`measured(costs)`: what the meter yields after steps of these costs, with 5 s of other work between them."""

    def run(costs):
        now = [100.0]
        monkeypatch.setattr(host, "time", SimpleNamespace(process_time=lambda: now[0]))
        meter = host.HostMeter()
        (marks,) = meter.callbacks(None)
        for cost in costs:
            marks.on_step_begin()
            now[0] += cost
            marks.on_step_end()
            now[0] += 5.0
        return meter.stop(Phase.TRAIN, None)

    return run


def test_the_median_of_the_counted_steps_is_told(measured):
    """The first tenth is warm-up; what runs between two steps is not in it."""
    found = measured([9.0, *[0.25] * 9, 0.75])["time.host.step"]
    assert found.value == pytest.approx(0.25)
    assert found.samples == pytest.approx((*[0.25] * 9, 0.75))


def test_without_steps_and_in_other_phases_nothing_is_told(measured):
    """A trial that trained nothing has no such figure."""
    assert measured([]) == {}
    assert host.HostMeter().stop(Phase.LOAD, None) == {}
