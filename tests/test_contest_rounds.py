"""Pairs of trials until all is decided: order, planning, what is dropped and made again, and what ends a call."""

from __future__ import annotations

from dataclasses import replace

import pytest
from contests import CASE, Field, carded, numbers, played
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import gpu_case

from benchsuite.contest.conditions import Reason
from benchsuite.contest.order import arm_of
from benchsuite.contest.rounds import MOST_DROPPED, play
from benchsuite.nouns import Outcome, Status, SuiteError

CAPPED = 0x4


def outcomes(card):
    """Outcome of each timed figure of a card's first case."""
    return {v.metric: v.outcome for section in card.cases[0].sections for v in section.verdicts if v.interval}


def test_pairs_take_turns():
    """A B, B A, A B, ...: whatever drifts in a line falls on both arms alike."""
    field = Field()
    end = played(field)
    assert "".join(field.ordered)[:8] == "ABBAABBA"
    assert [arm_of(record) for record in end.standings[0].records] == field.ordered


def test_an_unchanged_stack_is_ok_within_the_budget():
    """All is decided, nothing regressed, and no pair was begun that the budget did not hold."""
    end = played(Field())
    card = carded(end)
    assert card.exit_code == 0
    assert set(outcomes(card).values()) == {Outcome.OK}
    assert end.seconds <= 300


@pytest.mark.parametrize("name", ["device.kernel_time.step", "time.host.step", "time.step"])
def test_a_slower_figure_is_found_alone(name):
    """5 % on one of device, host and wall time is told of that one only."""
    card = carded(played(Field(scale={name: 1.05})))
    assert card.exit_code == 1
    assert {metric for metric, outcome in outcomes(card).items() if outcome is Outcome.REGRESSED} == {name}


def test_a_large_effect_ends_a_call_early():
    """What is clear is decided at an early look: half of the budget is not spent."""
    slow = dict.fromkeys(("device.kernel_time.step", "time.host.step", "time.step", "time.train", "latency.batch"), 1.5)
    end = played(Field(scale=slow), budget=600)
    assert carded(end).exit_code == 1
    assert end.seconds < 300


def test_looks_are_planned_from_seconds_not_from_values():
    """The same durations lead to the same looks whatever was measured."""
    assert played(Field()).looks == played(Field(scale={"time.step": 2.0}, seed=5)).looks


def test_a_plan_stands_though_pairs_turn_out_slower():
    """By up to a tenth of the budget: else its last look would be lost, and with it the answer."""

    def later(seconds):
        return lambda record, _, attempt: replace(record, seconds=12.0 if attempt < 2 else seconds)

    def made(seconds):
        field = Field(spoil=later(seconds))
        end = play([CASE], measure=field, answered=lambda *_: frozenset(), clock=field.clock, budget=300.0)
        return len(end.standings[0].used) - end.looks[-1], end.seconds

    missing, seconds = made(13.0)
    assert (missing, 300 < seconds <= 330) == (0, True)
    missing, seconds = made(20.0)
    assert (missing < 0, seconds <= 330) == (True, True)


def test_a_plan_counts_what_pairs_have_together():
    """A pair's seconds are its own and its share of what was done for several: 24 s and 3 s, not 24 or 44."""

    def looks(ahead):
        field = Field()
        ahead = iter([17.0, *[-3.0] * 99] if ahead else [0.0] * 99)

        def measure(at):
            field.now += 20.0 if not at.used and started else 0.0
            return field(at)

        started = True
        return play(
            [CASE], measure=measure, answered=lambda *_: frozenset(), clock=field.clock, budget=300.0,
            ahead=lambda: next(ahead),
        ).looks  # fmt: skip

    assert looks(ahead=True)[-1] < looks(ahead=False)[-1]


def test_cases_take_turns_and_share_the_rate():
    """Two cases have as many pairs, and each question of both has its share."""
    end = played(Field(), (CASE, gpu_case("qlora")))
    assert {len(at.used) for at in end.standings} == {len(end.standings[0].used)}
    assert len(carded(end).cases) == 2


def test_a_small_budget_ends_without_an_answer_and_says_what_to_give():
    """3, and the line on top names the budget that would do."""
    card = carded(played(Field(), budget=10), budget=10)
    assert card.exit_code == 3
    assert card.headline.startswith("NOT DECIDED: ")
    assert card.headline.endswith("give it more time: --budget 20s")


# ---------------------------------------------------------------- what is dropped


def strangers(record, arm, attempt):
    """Somebody else's process, seen in B's second trial."""
    if arm == "B" and attempt == 1:
        note = Reason(kind="process", words="another process used the GPU during the trial").note
        return replace(record, status=Status.INVALID, problem=note)
    return record


def hot(record, arm, attempt):
    """Heat in the third trial of A."""
    return numbers(record, nvml__throttle_reasons=0x20) if arm == "A" and attempt == 2 else record


def other_inputs(record, arm, attempt):
    """The first B had other data."""
    odd = replace(record.provenance, data_digest="x")
    return replace(record, provenance=odd) if arm == "B" and attempt == 0 else record


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (strangers, "attempt 2: in B, another process used the GPU during the trial"),
        (hot, "attempt 3: the GPU was slowed down by heat"),
        (other_inputs, "attempt 1: the arms had other inputs: data_digest 5f1d0c3b9a7e4420 / x"),
        (lambda r, arm, n: numbers(r, nvml__sm_clock=1200.0) if (arm, n) == ("B", 3) else r,
         "attempt 4: the GPU's clock was 1590 MHz in A and 1200 MHz in B, and no power cap acted in both"),
    ],
    ids=["process", "heat", "inputs", "clock"],
)  # fmt: skip
def test_a_disturbed_pair_is_made_again_in_its_own_order(spoil, words):
    """It is told, kept on the list of trials, and neither counts nor moves the order of those that do."""
    end = played(Field(spoil=spoil))
    (at,) = end.standings
    assert carded(end).cases[0].dropped == (words,)
    assert [arm_of(pair.a) + arm_of(pair.b) for pair in at.used] == ["AB"] * len(at.used)
    assert [pair.a.order for pair in at.used] == [i % 2 for i in range(len(at.used))]
    assert len(at.records) == 2 * len(at.used) + 2
    assert carded(end).exit_code == 0


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, 30)))
def test_whatever_is_disturbed_a_call_ends_in_order(when):
    """Pairs that count still alternate, every trial is on the list, and what is dropped is bounded."""

    def spoil(record, arm, attempt):
        return numbers(record, nvml__throttle_reasons=0x20) if attempt in when else record

    end = played(Field(spoil=spoil), budget=400)
    (at,) = end.standings
    assert [pair.a.order for pair in at.used] == [i % 2 for i in range(len(at.used))]
    assert {d.attempt for d in at.dropped} == {n for n in when if n < at.attempts}
    assert len(at.dropped) <= max(MOST_DROPPED, len(at.used))
    assert len(at.records) == 2 * at.attempts
    assert end.seconds <= 440


def test_inputs_that_never_agree_end_the_call():
    """Nothing of such trials is compared; what to give both arms is said."""

    def odd(record, arm, attempt):
        return replace(record, provenance=replace(record.provenance, weights_digest=arm))

    card = carded(played(Field(spoil=odd)))
    assert card.exit_code == 3
    assert card.headline.endswith("weights_digest A / B; give both arms the same data and weights: --data, --model")


def test_a_machine_that_never_comes_to_rest_ends_the_call_with_what_to_change():
    """After three pairs dropped of three: invalid, 3, and the way out."""
    end = played(Field(spoil=lambda r, *_: numbers(r, nvml__throttle_reasons=0x40)))
    card = carded(end)
    assert (len(end.standings[0].records), card.cases[0].pairs) == (6, 0)
    assert card.exit_code == 3
    assert card.headline == (
        "NOT DECIDED: 3 pairs were dropped, the last since the GPU was slowed down by heat (hardware); let it cool, "
        "mend its cooling or power, or lower its load; then call again"
    )


def test_a_power_cap_in_both_arms_is_a_condition_and_is_decided():
    """Clocks from 900 to 1590 MHz throughout, as a T4 shows: nothing is dropped, all is decided, the cap is told."""

    def t4(record, arm, attempt):
        clock = 900.0 + 690.0 * ((attempt * 2 + (arm == "B")) * 37 % 100) / 99
        return numbers(record, nvml__throttle_reasons=CAPPED, nvml__sm_clock=clock)

    end = played(Field(spoil=t4))
    card = carded(end)
    assert card.cases[0].dropped == ()
    assert card.exit_code == 0
    assert (
        card.cases[0].conditions[0]
        == f"a power cap acted in {2 * card.cases[0].pairs} of {2 * card.cases[0].pairs} trials"
    )
    assert carded(played(Field(spoil=t4, scale={"time.step": 1.08}))).exit_code == 1


# ---------------------------------------------------------------- what ends a call


def failing(when, problem="RuntimeError in train: no room"):
    """B fails at those attempts."""

    def spoil(record, arm, attempt):
        if arm == "B" and when(attempt):
            return replace(record, status=Status.FAILED, problem=problem, metrics={}, fingerprint={})
        return record

    return spoil


def test_one_failure_may_be_chance():
    """The pair is made again, and the call is decided."""
    end = played(Field(spoil=failing(lambda n: n == 1)))
    assert carded(end).cases[0].dropped == ("attempt 2: in B, RuntimeError in train: no room",)
    assert carded(end).exit_code == 0


@pytest.mark.parametrize("when", [lambda n: n % 2, lambda _: True], ids=["half of the time", "always"])
def test_an_arm_that_keeps_failing_ends_the_call(when):
    """One message: which arm, how often either failed, why, and what to do."""
    with pytest.raises(SuiteError) as caught:
        played(Field(spoil=failing(when)))
    said = str(caught.value)
    assert said.startswith("environment B cannot be measured in sst2--fp32--quick--")
    assert "RuntimeError in train: no room" in said
    assert "Trials that failed: A in 0 of " in said
    assert "and B in 2 of " in said


def test_an_arm_that_hangs_ends_the_call_at_once():
    """A second wait of that length would tell nothing more."""
    field = Field(spoil=failing(lambda n: n == 0, "the trial was killed after its 600 s: it hung, or ..."))
    with pytest.raises(SuiteError, match="killed after its 600 s"):
        played(field)
    assert field.ordered == ["A", "B"]


def test_arms_on_different_gpus_end_the_call():
    """Their times say nothing of the arms."""

    def moved(record, arm, attempt):
        hardware = {"gpu": "Tesla T4" if arm == "B" else "NVIDIA H100", "gpu_memory": "15 GiB"}
        return replace(record, environment=replace(record.environment, hardware=hardware))

    with pytest.raises(
        SuiteError, match=r"different GPUs \(NVIDIA H100, 15 GiB / Tesla T4, 15 GiB\): give one to both"
    ):
        played(Field(spoil=moved))
