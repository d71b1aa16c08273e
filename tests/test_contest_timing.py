"""What a trial's timed figure is: of steps or batches that were timed one by one, the fastest."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from contests import CASE, Field, carded, played
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contest import timing
from benchsuite.contest.rounds import Standing
from benchsuite.nouns import Measured, Outcome, Role

RECORD = Field()(Standing(case=CASE))[0]


def with_step(measured: Measured):
    """A trial whose step took that."""
    return replace(RECORD, metrics={**RECORD.metrics, "time.step": measured})


@given(st.lists(st.floats(1e-6, 1e3), min_size=1), st.floats(1e-6, 1e3))
def test_a_figure_of_many_steps_is_the_fastest_of_them(samples: list[float], value: float) -> None:
    """A figure that was not sampled is itself."""
    assert timing.value(with_step(Measured(value=value, samples=tuple(samples))), "time.step") == min(samples)
    assert timing.value(with_step(Measured(value=value)), "time.step") == value


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf, "crash: x", None])
def test_what_is_no_positive_number_is_no_figure(bad: object) -> None:
    """A crash as a value, a clock that stood still."""
    assert timing.value(with_step(Measured(value=bad)), "time.step") is None  # type: ignore[arg-type]
    assert timing.value(RECORD, "no.such") is None


def busy(record, arm, attempt):
    """On a host that others use: most steps wait for it, for another while in each process; a few never do."""
    draw = random.Random(f"{arm} {attempt}")
    quiet = record.metrics["time.step"].value
    slow = quiet * (1 + draw.uniform(0.02, 0.2))
    samples = tuple(slow if draw.random() < 0.7 else quiet * (1 + draw.uniform(0, 0.004)) for _ in range(54))
    return with_samples(record, samples)


def with_samples(record, samples):
    """A trial with these steps; its figure is their median, as the meter has it."""
    middle = sorted(samples)[len(samples) // 2]
    return replace(record, metrics={**record.metrics, "time.step": Measured(value=middle, samples=samples)})


def blurred(record, arm, attempt):
    """The same trial as only its median tells of it."""
    steps = busy(record, arm, attempt).metrics["time.step"]
    return replace(record, metrics={**record.metrics, "time.step": Measured(value=steps.value)})


def said(spoil, scale):
    """What a call of twelve pairs says of the step's time."""
    field = Field(spoil=spoil, scale={"time.step": scale})
    card = carded(played(field, (CASE,), budget=300, names=("time.step",)), budget=300, names=("time.step",))
    (verdict,) = (v for s in card.cases[0].sections for v in s.verdicts if v.metric == "time.step")
    return verdict, card.cases[0].conditions


def test_two_percent_are_found_on_a_host_that_others_use() -> None:
    """Medians of the same trials lie too far apart for it; and that it is the fastest step is said."""
    verdict, conditions = said(busy, 1.02)
    assert verdict.outcome is Outcome.REGRESSED
    assert verdict.effect == pytest.approx(0.02, abs=0.004)
    assert "of each trial its fastest: time.step" in conditions
    assert said(busy, 1.0)[0].outcome is Outcome.OK
    verdict, conditions = said(blurred, 1.02)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert not any("fastest" in line for line in conditions)


def noisy_host(record, arm, attempt):
    """A host whose processor time scatters by a sixth from process to process."""
    factor = random.Random(f"{arm} {attempt} host").uniform(0.85, 1.2)
    steps = record.metrics["time.host.step"].value
    return replace(record, metrics={**record.metrics, "time.host.step": Measured(value=steps * factor)})


@pytest.mark.parametrize(
    ("scale", "outcome", "role", "code"),
    [(1.0, Outcome.INCONCLUSIVE, Role.EXPLAIN, 0), (2.0, Outcome.REGRESSED, Role.GATE, 1)],
)
def test_a_call_needs_no_answer_of_the_hosts_time(scale, outcome, role, code) -> None:
    """What the host does is counted exactly besides; where its time has plainly grown, that counts."""
    card = carded(played(Field(spoil=noisy_host, scale={"time.host.step": scale}), (CASE,), budget=300), budget=300)
    (verdict,) = (v for s in card.cases[0].sections for v in s.verdicts if v.metric == "time.host.step")
    assert (verdict.outcome, verdict.role, card.exit_code) == (outcome, role, code)
