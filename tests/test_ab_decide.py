"""Decisions on pairs of processes hold what they promise, whatever the values."""

import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.ab.decide import FASTER, OK, OPEN, SLOWER, codes, decide, keep, settled
from benchsuite.ab.estimate import REFERENCE, ROBUST_FROM, arms, estimate
from benchsuite.ab.pairs import affordable, in_order, looks, order
from benchsuite.ab.spending import BETA, MOST_TIMED, SPENT, Question, Rule, increments, rules
from benchsuite.nouns import Better, Outcome, UsageError

RANK = {FASTER: 0, OK: 1, OPEN: 2, SLOWER: 3}
MIRROR = {Outcome.REGRESSED: Outcome.IMPROVED, Outcome.IMPROVED: Outcome.REGRESSED}
values = st.floats(0.9, 1.1)
effects = st.floats(-0.2, 0.2)


def a_rule(*, better=Better.LOWER, smallest=0.005, alpha=0.005, at=(3, 5)):
    """One question that has a call's device share to itself."""
    question = Question(case="c", metric="m", better=better, smallest=smallest, weight=1.0)
    return Rule(question=question, alpha=alpha, beta=BETA, looks=tuple(at))


def sides(pairs):
    """Two arms of values near 1."""
    return st.tuples(*[st.lists(values, min_size=pairs, max_size=pairs)] * 2)


# ---------------------------------------------------------------- before the first pair


def test_order_is_abba():
    """Every second pair runs the other way round, so that a drift takes turns too."""
    assert "".join(itertools.chain(*order(4))) == "abbaabba"
    assert arms(3).tolist() == [-1, 1, 1, -1, -1, 1]


def test_values_are_put_in_the_order_of_their_processes():
    """The second pair's b ran before its a; a value without a partner is left out."""
    assert in_order([1, 2, 3], [10, 20]) == [1, 10, 20, 2]


@pytest.mark.parametrize(("pairs", "expected"), [(2, (2,)), (3, (3,)), (5, (3, 5)), (6, (3, 6)), (12, (4, 8, 12))])
def test_looks_are_few_and_end_with_the_last_pair(pairs, expected):
    """One to three looks, by how many pairs there are."""
    assert looks(pairs) == expected


@pytest.mark.parametrize(
    ("budget", "pair", "expected"), [(120, 24, 5), (119, 24, 4), (300, 24, 12), (0.3, 0.1, 3), (1e9, 1, 32)]
)
def test_affordable_is_what_fits(budget, pair, expected):
    """Whole pairs within the budget, and no more than 32."""
    assert affordable(budget, pair) == expected


def test_a_budget_of_less_than_two_pairs_is_refused():
    """The message says what would do."""
    with pytest.raises(UsageError, match="48s or more"):
        affordable(30, 24)


@given(st.lists(st.floats(0.1, 20), min_size=1, max_size=6), st.integers(2, 32))
def test_shares_of_the_error_rate_add_up_to_less_than_promised(weights, pairs):
    """Over all questions and looks together, by Bonferroni's inequality."""
    questions = [
        Question(case="c", metric=str(i), better=Better.LOWER, smallest=0.01, weight=w) for i, w in enumerate(weights)
    ]
    shared = rules(questions, looks(pairs), alpha=0.01)
    spent = sum(rule.alpha * share for rule in shared for share in increments(rule.looks))
    assert spent == pytest.approx(SPENT * 0.01)


def test_a_seventh_timed_metric_is_refused():
    """Six a case are allowed, in as many cases as one likes."""
    some = [
        Question(case=case, metric=str(i), better=Better.LOWER, smallest=0.01, weight=1.0)
        for case in "pq"
        for i in range(MOST_TIMED)
    ]
    assert len(rules(some, (3,))) == 2 * MOST_TIMED
    with pytest.raises(UsageError, match="at most 6"):
        rules([*some, some[0]], (3,))


# ---------------------------------------------------------------- the estimate


@given(sides(5))
def test_of_few_pairs_the_estimate_is_least_squares(both):
    """Effect and error agree with an ordinary regression on arm and time."""
    logs = np.log([in_order(*both)])
    design = np.stack([np.ones(10), arms(5) / 2, np.linspace(-0.5, 0.5, 10)], axis=1)
    theirs, rest, *_ = np.linalg.lstsq(design, logs[0], rcond=None)
    ours = estimate(logs, arms(5), floor=0.0)
    error = math.sqrt(max(0.0, rest[0]) / 7 * np.linalg.inv(design.T @ design)[1, 1])
    assert ours.effect[0] == pytest.approx(theirs[1], abs=1e-12)
    assert ours.error[0] == pytest.approx(error, abs=1e-9)
    assert ours.freedom == 7


@given(sides(4), st.floats(-0.1, 0.1))
def test_a_linear_drift_changes_nothing(both, slope):
    """However much the machine slows down evenly, effect and error stay."""
    logs = np.log([in_order(*both)])
    still, drifting = (estimate(logs + s * np.arange(8), arms(4)) for s in (0.0, slope))
    assert drifting.effect[0] == pytest.approx(still.effect[0], abs=1e-9)
    assert drifting.error[0] == pytest.approx(still.error[0], abs=1e-9)


def test_with_even_pairs_the_estimate_is_the_mean_log_ratio():
    """Since the arms are balanced in time, the line takes nothing from it."""
    a, b = [1.0, 1.1, 0.9, 1.05], [1.2, 1.0, 1.1, 1.15]
    mean = statistics.fmean(math.log(y / x) for x, y in zip(a, b, strict=True))
    assert estimate(np.log([in_order(a, b)]), arms(4)).effect[0] == pytest.approx(mean)


def test_a_disturbed_process_moves_a_robust_estimate_little():
    """One of 16 processes 10 % slower moves the mean by 1.25 %, and the estimate of 8 pairs by less than a fifth."""
    logs = 0.001 * np.random.default_rng(3).standard_normal((1, 16))
    disturbed = logs + 0.1 * (np.arange(16) == 5)
    moved = estimate(disturbed, arms(8)).effect[0] - estimate(logs, arms(8)).effect[0]
    assert abs(moved) < 0.0025


def test_no_two_processes_are_believed_to_agree_exactly():
    """Identical values leave the floor as the error's source, not zero."""
    found = estimate(np.zeros((1, 10)), arms(5), floor=0.001)
    assert found.error[0] == pytest.approx(0.001 * math.sqrt(2 / 5), rel=0.05)


@pytest.mark.parametrize("pairs", [6, 9, 12])
def test_the_reference_of_a_robust_estimate_is_that_of_its_simulation(pairs):
    """Of 40,000 calls of normal noise as many lie beyond the 1 % and 0.1 % tails as should."""
    from scipy.special import stdtrit

    rng = np.random.default_rng(pairs)
    found = estimate(rng.standard_normal((40_000, 2 * pairs)), arms(pairs), floor=1e-9)
    scores = np.abs(found.effect / found.error)
    assert pairs >= ROBUST_FROM
    assert pairs in REFERENCE
    for tail, slack in ((0.01, 0.1), (0.001, 0.3)):
        assert (scores > stdtrit(found.freedom, 1 - tail)).mean() == pytest.approx(2 * tail, rel=slack)


# ---------------------------------------------------------------- decisions


@given(sides(5), effects, st.floats(0, 0.1))
def test_a_larger_slowdown_is_never_judged_more_kindly(both, effect, more):
    """At one look the code only rises with the effect; over all looks what regressed goes on to regress."""
    rule, logs = a_rule(at=(3, 5)), np.log([in_order(*both)])
    one_look = a_rule(at=(5,))
    small, large = (logs + e * (arms(5) > 0) for e in (effect, effect + more))
    assert RANK[codes(one_look, small)[-1, 0]] <= RANK[codes(one_look, large)[-1, 0]]
    assert codes(rule, small)[-1, 0] != SLOWER or codes(rule, large)[-1, 0] == SLOWER


@given(sides(5), effects)
def test_the_other_way_up_is_the_other_way_round(both, effect):
    """Throughput judged as higher-is-better says the same as its inverse, a time."""
    a, b = both[0], [v * math.exp(effect) for v in both[1]]
    time = decide(a_rule(), a, b)
    rate = decide(a_rule(better=Better.HIGHER), [1 / v for v in a], [1 / v for v in b])
    assert time.outcome == rate.outcome
    assert 1 + rate.effect == pytest.approx(1 / (1 + time.effect))


@given(sides(5), effects)
def test_swapped_arms_swap_regressed_and_improved(both, effect):
    """A move that was found is found from the other side, at a single look."""
    logs = np.log([in_order(*both)]) + effect * (arms(5) > 0)
    swap = {SLOWER: FASTER, FASTER: SLOWER}
    for better in (Better.LOWER, Better.NEITHER):
        rule = a_rule(better=better, at=(5,))
        here, there = (int(codes(rule, sign * logs)[-1, 0]) for sign in (1, -1))
        if here in swap or there in swap or better is Better.NEITHER:
            assert there == swap.get(here, here)


@given(sides(5), effects, st.floats(1e-6, 1e6))
def test_units_do_not_matter(both, effect, factor):
    """Seconds and nanoseconds give the same decision."""
    a, b = both[0], [v * math.exp(effect) for v in both[1]]
    here, there = (decide(a_rule(), [v * f for v in a], [v * f for v in b]) for f in (1.0, factor))
    assert here.outcome == there.outcome
    assert here.effect == pytest.approx(there.effect, abs=1e-9)


@given(sides(5), effects)
def test_what_is_said_agrees_with_what_is_shown(both, effect):
    """The interval excludes 0 where something moved; the largest harm lies below what counts where all is ok."""
    said = decide(a_rule(), both[0], [v * math.exp(effect) for v in both[1]])
    low, high = said.interval
    assert low <= said.effect <= high
    if said.outcome is Outcome.REGRESSED:
        assert low > 0
    if said.outcome is Outcome.IMPROVED:
        assert high < 0
    if said.outcome is Outcome.OK:
        assert said.worst < 0.005
    assert said.detectable > 0


CALM = [1.0, 1.0002, 0.9999, 1.0001, 1.0]
WILD = [1.0, 1.3, 0.8, 1.2, 0.9]


def times(values_, factor):
    """All values, slower by a factor."""
    return [v * factor for v in values_]


@pytest.mark.parametrize(
    ("a", "b", "better", "outcome"),
    [
        (CALM, times(CALM, 1.02), Better.LOWER, Outcome.REGRESSED),
        (CALM, times(CALM, 0.98), Better.LOWER, Outcome.IMPROVED),
        (CALM, times(CALM, 0.98), Better.HIGHER, Outcome.REGRESSED),
        (CALM, times(CALM, 1.02), Better.NEITHER, Outcome.CHANGED),
        (CALM, CALM, Better.LOWER, Outcome.OK),
        (CALM, times(CALM, 1.001), Better.LOWER, Outcome.OK),
        (CALM, times(CALM, 1.001), Better.NEITHER, Outcome.OK),
        (CALM, times(CALM[::-1], 1.0), Better.NEITHER, Outcome.OK),
        (WILD, times(WILD[::-1], 1.02), Better.LOWER, Outcome.INCONCLUSIVE),
    ],
)
def test_outcomes(a, b, better, outcome):
    """Clear cases end as they should, at five pairs."""
    said = decide(a_rule(better=better), a, b)
    assert said.outcome is outcome
    assert said.decided


def test_before_the_first_look_there_is_nothing_to_say():
    """Two pairs of a plan that looks after three are open, and inconclusive if the budget has ended."""
    open_, ended = (decide(a_rule(), CALM[:2], CALM[:2], ended=e) for e in (False, True))
    assert (open_.decided, ended.decided) == (False, True)
    assert ended.outcome is Outcome.INCONCLUSIVE
    assert open_.detail == "2 pairs, and the first look at the data is planned after 3"


def test_between_looks_the_last_look_stands():
    """A fourth pair is not looked at where looks are planned after three and five."""
    rule = a_rule()
    assert decide(rule, CALM[:4], times(WILD[:4], 1)) == decide(rule, CALM[:3], times(WILD[:3], 1))


def test_a_regression_found_early_stands():
    """What later pairs show does not undo it, and it is told as it was seen."""
    slow = [1.05, 1.0502, 1.0499, 0.7, 1.2]
    early, late = decide(a_rule(), CALM[:3], slow[:3]), decide(a_rule(), CALM, slow)
    assert early == late
    assert early.outcome is Outcome.REGRESSED
    assert early.detail == "+5.0 %, between +4.8 % and +5.2 %, after 3 pairs"


def test_ok_gives_way_to_a_move_that_further_pairs_show():
    """They come for the sake of another metric, and their look is paid for."""
    assert keep(np.array([OK, OK, SLOWER, OPEN]), np.array([SLOWER, OPEN, OK, OK])).tolist() == [SLOWER, OK, SLOWER, OK]


def test_inconclusive_says_what_could_have_been_seen():
    """The detail names what counts and what this spread would have shown."""
    said = decide(a_rule(), WILD, WILD[::-1])
    assert "; 0.5 % would count, and with this spread" in said.detail
    assert said.detectable > 0.5


def test_a_call_is_settled_when_every_question_is():
    """One open question keeps it going."""
    done, open_ = decide(a_rule(), CALM, CALM), decide(a_rule(), CALM[:1], CALM[:1])
    assert settled([done, done])
    assert not settled([done, open_])


@pytest.mark.parametrize(("kind", "scale"), [("normal", 0.001), ("walk", 0.001), ("tails", 0.0005)])
def test_an_unchanged_metric_is_called_moved_no_more_often_than_stated(kind, scale):
    """Over two looks, in 20,000 calls with any move counting, at a stated rate of 1 %."""
    rng = np.random.default_rng(8)
    noise = rng.standard_t(3, (20_000, 10)) if kind == "tails" else rng.standard_normal((20_000, 10))
    logs = scale * (noise + (np.cumsum(rng.standard_normal((20_000, 10)), axis=1) if kind == "walk" else 0.0))
    said = codes(a_rule(smallest=1e-6, alpha=0.01), logs)[-1]
    assert np.isin(said, [SLOWER, FASTER]).mean() < 0.0115


def test_a_change_that_counts_is_called_ok_no_more_often_than_stated():
    """Of 20,000 calls slower by just the smallest effect, at most 5 %."""
    logs = 0.002 * np.random.default_rng(5).standard_normal((20_000, 10)) + math.log(1.005) * (arms(5) > 0)
    assert (codes(a_rule(), logs)[-1] == OK).mean() < 0.053
