"""Each kind's judge: what it calls, what it leaves open, and that no value makes it raise."""

import json
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.judges import bytes as bytes_judge
from benchsuite.judges import count, device, distance, exact, mcnemar, values, wall
from benchsuite.nouns import Better, Kind, Measured, Metric, Outcome

JUDGES = {m.JUDGE.name: m.JUDGE for m in (bytes_judge, count, device, distance, exact, mcnemar, values, wall)}
O = Outcome  # noqa: E741 - tables below stay readable


def metric(**overrides):
    """A metric that is better lower, with any field replaced."""
    fields = {"name": "m", "unit": "1", "kind": Kind.COUNT, "concern": "c", "title": "m", "better": Better.LOWER}
    return Metric(**fields | overrides)


def trials(*values):
    """One trial a value."""
    return tuple(Measured(value=v) for v in values)


def judge(name, old, new, **overrides):
    """Judge lists of values by the judge of that name."""
    return JUDGES[name](metric(**overrides), trials(*old), trials(*new))


def test_every_kind_has_one_default_judge():
    """Each kind is claimed once; distance must be named."""
    claimed = [j.kind for j in JUDGES.values() if j.kind is not None]
    assert sorted(claimed) == sorted(Kind)
    assert JUDGES["distance"].kind is None


MIB = 2**20


@pytest.mark.parametrize(
    ("name", "old", "new", "overrides", "outcome"),
    [
        ("count", [868], [868], {}, O.OK),
        ("count", [868], [876], {}, O.OK),
        ("count", [868], [877], {}, O.REGRESSED),
        ("count", [868], [850], {}, O.IMPROVED),
        ("count", [868], [877], {"better": Better.NEITHER}, O.CHANGED),
        ("count", [868], [850], {"better": Better.HIGHER}, O.REGRESSED),
        ("count", [868], [869], {"relative": 0.0}, O.REGRESSED),
        ("count", [100], [104], {"absolute": 5.0}, O.OK),
        ("count", [0], [0], {}, O.OK),
        ("count", [0], [5], {}, O.REGRESSED),
        ("count", [5], [0], {}, O.IMPROVED),
        ("count", [-1], [5], {}, O.INVALID),
        ("count", [10, 10, 99], [10], {}, O.OK),
        ("bytes", [100 * MIB], [101 * MIB - 1], {}, O.OK),
        ("bytes", [100 * MIB], [101 * MIB], {}, O.REGRESSED),
        ("bytes", [100 * MIB], [99 * MIB], {}, O.IMPROVED),
        ("bytes", [1000 * MIB], [1004 * MIB], {}, O.OK),
        ("bytes", [1000 * MIB], [1005 * MIB], {}, O.REGRESSED),
        ("bytes", [100 * MIB], [100 * MIB + 1], {"absolute": 0.0, "relative": 0.0}, O.REGRESSED),
        ("bytes", [None], [1], {}, O.INVALID),
        ("device", [0.0316], [0.0316], {}, O.OK),
        ("device", [0.031608], [0.031640], {}, O.OK),
        ("device", [0.0316], [0.0318], {}, O.REGRESSED),
        ("device", [0.0316], [0.0314], {}, O.IMPROVED),
        ("device", [0.0316], [0.0317], {}, O.INCONCLUSIVE),
        ("device", [0.0316] * 5, [0.03172] * 5, {}, O.REGRESSED),
        ("device", [0.030, 0.033], [0.031, 0.034], {}, O.INCONCLUSIVE),
        ("device", [0.0], [0.0316], {}, O.INVALID),
        ("wall", [1.0, 1.01, 0.99], [1.0, 1.01, 0.99], {}, O.OK),
        ("wall", [1.0, 1.01, 0.99], [1.5, 1.51, 1.49], {}, O.REGRESSED),
        ("wall", [1.0, 1.01, 0.99], [0.5, 0.51, 0.49], {}, O.IMPROVED),
        ("wall", [1.0, 1.01, 0.99], [1.5, 1.51, 1.49], {"better": Better.HIGHER}, O.IMPROVED),
        ("wall", [1.0, 1.01, 0.99], [0.5, 0.51, 0.49], {"better": Better.NEITHER}, O.CHANGED),
        ("wall", [1.0, 1.01, 0.99], [1.15, 1.3, 1.0], {}, O.INCONCLUSIVE),
        ("wall", [1.0, 1.01, 0.99], [1.2, 1.21, 1.19], {"relative": 0.5}, O.OK),
        ("wall", [1.0, 1.01, 0.99], [1.2, 1.21, 1.19], {"relative": 0.0, "absolute": 0.5}, O.OK),
        ("wall", [1.0, 1.0], [1.0, 1.0], {}, O.OK),
        ("wall", [1.0], [9.0], {}, O.INCONCLUSIVE),
        ("wall", [1.0, 1.1], [9.0], {}, O.INCONCLUSIVE),
        ("wall", [1.0, 0.0], [1.0, 1.0], {}, O.INVALID),
        ("wall", [1.0, 1.0], [1.0, -1.0], {}, O.INVALID),
        ("wall", [1.0, math.nan], [1.0, 1.0], {}, O.INVALID),
        ("distance", [0.5], [0.5009], {}, O.OK),
        ("distance", [0.5], [0.502], {}, O.CHANGED),
        ("distance", [10.0], [10.5], {"absolute": 0.0, "relative": 0.1}, O.OK),
        ("distance", [[0.5, None]], [[0.5, math.nan]], {}, O.OK),
        ("distance", [[0.5, 0.4]], [[0.5, None]], {}, O.CHANGED),
        ("distance", [[0.5, None]], [[0.5, 0.4]], {}, O.CHANGED),
        ("distance", [[0.5, 0.4]], [[0.5]], {}, O.CHANGED),
        ("distance", [[[1.0, 2.0]]], [[[1.0, 2.0005]]], {}, O.OK),
        ("distance", [[1.0], [2.0]], [[2.0]], {}, O.OK),
        ("distance", [math.inf], [math.inf], {}, O.OK),
        ("distance", [1.0], [math.inf], {}, O.CHANGED),
        ("distance", ["text"], [1.0], {}, O.INVALID),
        ("exact", [1], [1.0], {}, O.OK),
        ("exact", [1], [2], {}, O.CHANGED),
        ("exact", [1], [True], {}, O.CHANGED),
        ("exact", [math.nan], [math.nan], {}, O.OK),
        ("exact", [1, 2], [2], {}, O.OK),
        ("exact", [1, 2], [2, 3], {}, O.CHANGED),
        ("exact", [{"a": (1, 2)}], [{"a": [1, 2]}], {}, O.OK),
        ("exact", [None], [0], {}, O.CHANGED),
    ],
)
def test_outcomes(name, old, new, overrides, outcome):
    """A judge calls what its smallest effect says, and nothing else."""
    found = judge(name, old, new, **overrides)
    assert found.outcome is outcome, found.detail


def test_a_small_move_of_a_count_is_told_exactly():
    """Below the smallest effect the verdict is ok, with the exact numbers."""
    found = judge("count", [868], [870])
    assert (found.old, found.new, found.detail) == (868, 870, "exactly 868 -> 870")


def test_disagreeing_trials_are_told():
    """Counts and bytes that differ between identical trials are said to."""
    assert "this run's trials disagree: 868 to 870" in judge("count", [868, 868], [868, 870]).detail
    assert "the baseline's trials disagree: 1 to 2 bytes" in judge("bytes", [1, 2], [1, 1]).detail


def test_invalid_values_name_their_side():
    """An unusable value says whose it is and what is wrong."""
    assert judge("wall", [1.0, 1.0], [1.0, -2.0]).detail == "in this run, -2 is not above zero"
    assert judge("bytes", ["x"], [1]).detail == "in the baseline, 'x' is not a number"
    assert "too large" in judge("count", [1], [10**400]).detail


# ---------------------------------------------------------------- wall and device


def test_wall_with_one_trial_says_how_many_are_needed():
    """One trial a side gives no verdict, but says the move it saw and what more trials could do."""
    found = judge("wall", [1.0], [3.0])
    assert found.outcome is O.INCONCLUSIVE
    assert found.effect == pytest.approx(2.0)
    assert "only from two on a side" in found.detail
    assert found.detectable is None


def test_wall_tells_interval_and_what_could_be_seen():
    """A verdict carries its interval, and the smallest move that this many trials could have shown."""
    found = judge("wall", [1.0, 1.05, 0.95, 1.02, 0.98], [1.0, 1.05, 0.95, 1.02, 0.98])
    assert found.interval[0] < 0 < found.interval[1]
    assert found.detectable > 0.1
    moved = judge(
        "wall", [1.0, 1.05, 0.95, 1.02, 0.98], [v * (1.02 + found.detectable) for v in (1.0, 1.05, 0.95, 1.02, 0.98)]
    )
    assert moved.outcome is O.REGRESSED


@pytest.mark.parametrize("spread", [0.02, 0.10])
def test_wall_raises_no_alarm_on_an_unchanged_stack(spread):
    """Of 300 unchanged comparisons of five noisy trials each not one in a hundred is called worse."""
    rng = random.Random(3)
    sides = [[[math.exp(rng.gauss(0, spread)) for _ in range(5)] for _ in range(2)] for _ in range(300)]
    assert [judge("wall", old, new).outcome for old, new in sides].count(O.REGRESSED) <= 3


def test_device_judges_one_trial_a_side_by_the_known_spread():
    """Single trials that move as processes do are ok, and a move of half a percent is found."""
    rng = random.Random(5)
    outcomes = [
        judge("device", [math.exp(rng.gauss(0, 4e-4))], [math.exp(rng.gauss(0, 4e-4))]).outcome for _ in range(300)
    ]
    assert outcomes.count(O.OK) > 280
    assert outcomes.count(O.REGRESSED) + outcomes.count(O.IMPROVED) == 0
    assert judge("device", [1.0], [1.006]).outcome is O.REGRESSED


# ---------------------------------------------------------------- mcnemar


def correctness(right, wrong):
    """A trial that got `right` examples right and then `wrong` ones wrong."""
    samples = (1.0,) * right + (0.0,) * wrong
    return Measured(value=right / (right + wrong), samples=samples)


def flipped(trial, *, lost=0, won=0):
    """`trial` with its first `lost` right examples turned wrong, and its last `won` wrong ones right."""
    samples = list(trial.samples)
    samples[:lost] = [0.0] * lost
    samples[len(samples) - won :] = [1.0] * won
    return Measured(value=sum(samples) / len(samples), samples=tuple(samples))


BASE = correctness(800, 72)


def by_mcnemar(old, new, **overrides):
    """Judge trials of correctness."""
    better = {"kind": Kind.QUALITY, "better": Better.HIGHER}
    return mcnemar.JUDGE(metric(**better | overrides), tuple(old), tuple(new))


@pytest.mark.parametrize(
    ("lost", "won", "outcome"),
    [
        (0, 0, O.OK),
        (3, 2, O.OK),
        (8, 0, O.INCONCLUSIVE),
        (9, 0, O.REGRESSED),
        (40, 5, O.REGRESSED),
        (40, 31, O.INCONCLUSIVE),
        (0, 9, O.IMPROVED),
        (60, 60, O.INCONCLUSIVE),
        (10, 12, O.OK),
    ],
)
def test_mcnemar_on_paired_examples(lost, won, outcome):
    """A drop fails when it is significant and beyond the margin; little movement is ok; much noise is left open."""
    found = by_mcnemar([BASE], [flipped(BASE, lost=lost, won=won)])
    assert found.outcome is outcome, found.detail
    assert found.effect == pytest.approx((won - lost) / 872)


def test_identical_predictions_are_said_to_be():
    """No example that turned is a stronger statement than an equal accuracy."""
    found = by_mcnemar([BASE], [BASE])
    assert "identical predictions" in found.detail
    assert found.detectable == pytest.approx(0.0149, abs=1e-4)
    assert "a drop of 1.5 points would have been seen in 9 of 10 runs" in found.detail


def test_equal_accuracy_by_other_examples_is_told():
    """Thirty lost and thirty won leave the accuracy where it was, and are still reported."""
    found = by_mcnemar([BASE], [flipped(BASE, lost=30, won=30)])
    assert found.old == found.new
    assert "30 turned wrong and 30 turned right" in found.detail


def test_trials_vote():
    """One odd trial of three does not decide."""
    odd = flipped(BASE, lost=100)
    assert by_mcnemar([BASE], [BASE, odd, BASE]).outcome is O.OK
    assert by_mcnemar([BASE], [odd, odd, BASE]).outcome is O.REGRESSED


def test_different_numbers_of_examples_cannot_be_paired():
    """Another validation set is not compared."""
    found = by_mcnemar([BASE], [correctness(80, 8)])
    assert (found.outcome, found.detail) == (O.INCOMPARABLE, "different numbers of examples: 88 and 872")


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [(0.92, 0.92, O.OK), (0.92, 0.90, O.INCONCLUSIVE), (0.92, 0.80, O.REGRESSED), (0.80, 0.92, O.IMPROVED)],
)
def test_without_predictions_shares_are_compared_and_said_to_be(old, new, outcome):
    """Without samples only a gross difference counts, and the detail says why."""
    found = by_mcnemar(trials(old), trials(new))
    assert found.outcome is outcome
    assert "without per-example predictions" in found.detail
    assert "872 examples, an assumption" in found.detail


def test_samples_that_are_no_votes_are_invalid():
    """Correctness is 0 or 1."""
    assert by_mcnemar([BASE], [Measured(value=0.5, samples=(0.5, math.nan))]).outcome is O.INVALID


def test_a_percentage_is_a_margin_in_points():
    """A relative tolerance on a share is its margin."""
    worse = flipped(BASE, lost=12)
    assert by_mcnemar([BASE], [worse]).outcome is O.REGRESSED
    assert by_mcnemar([BASE], [worse], relative=0.03, absolute=0.0).outcome is O.OK


# ---------------------------------------------------------------- exact


def modules(dtype, count=12):
    """A module map as the fingerprint has it."""
    names = [f"encoder.layer.{i}.attention.self.query" for i in range(count)]
    return {name: {"class": "Linear4bit", "dtype": dtype} for name in names}


def test_places_that_moved_alike_are_one_line():
    """Twelve layers that changed dtype are one line with a range."""
    found = judge("exact", [modules("float16")], [modules("float32")])
    assert found.detail == "encoder.layer.{0..11}.attention.self.query.dtype: float16 -> float32 (12 places)"


def test_a_branch_that_came_or_went_is_one_place():
    """Added and removed branches are named as such, once each, wherever they lie."""
    old, new = modules("float16", 2), modules("float16", 1) | {"score": {"class": "Linear"}}
    assert judge("exact", [old], [new]).detail.splitlines() == [
        'encoder.layer.1.attention.self.query: removed (was {"class": "Linear4bit", "dtype": "float16"})',
        'score: added ({"class": "Linear"})',
    ]


def test_gaps_in_a_range_are_listed():
    """Layers that are not neighbours are spelled out."""
    new = modules("float16") | {
        f"encoder.layer.{i}.attention.self.query": {"class": "Linear4bit", "dtype": "x"} for i in (1, 5)
    }
    assert "layer.{1,5}." in judge("exact", [modules("float16")], [new]).detail


def test_places_of_one_leaf_that_moved_alike_are_one_line():
    """Three modules or more that moved alike are told once, with where; fewer keep a line each."""
    names = ["bert.embeddings.LayerNorm", "bert.pooler.dense", "classifier", *modules("x", 2)]
    old, new = ({name: {"dtype": dtype} for name in names} for dtype in ("float16", "float32"))
    assert judge("exact", [old], [new]).detail == (
        "dtype: float16 -> float32 in bert.embeddings.LayerNorm, bert.pooler.dense, classifier, "
        "encoder.layer.{0..1}.attention.self.query"
    )
    kinds = {"a.query": "Linear float16", "a.key": "Linear float16", "b": "Linear float16", "c": ""}
    moved = dict.fromkeys(kinds, "Linear float32")
    assert judge("exact", [kinds], [moved]).detail.splitlines() == [
        "Linear float16 -> Linear float32 in a.query, a.key, b", 'c: "" -> Linear float32',
    ]  # fmt: skip
    some = {**old, "classifier": {"dtype": "float32"}, "bert.pooler.dense": {"dtype": "float32"}}
    assert len(judge("exact", [old], [some]).detail.splitlines()) == 2


def test_a_census_is_told_from_its_largest_move_on():
    """Counts that moved stand by how much, whatever their names."""
    old, new = {"a": 10, "b": 300, "c": 5}, {"a": 11, "b": 340, "d": 7}
    assert judge("exact", [old], [new]).detail.splitlines() == [
        "b: 300 -> 340", "d: added (7)", "c: removed (was 5)", "a: 10 -> 11",
    ]  # fmt: skip


def test_digests_are_not_spelled_out():
    """That a digest is another is all that its digits say."""
    old, new = ({f"m{i}.weight": digit * 16 for i in range(9)} for digit in "ab")
    assert judge("exact", [old], [new]).detail == "weight: another digest in m0, m1, m2, m3 and 5 more"
    assert judge("exact", ["a" * 16], ["b" * 16]).detail == "another digest"


def test_lists_of_names_are_told_by_what_came_and_went():
    """By index one name that came would make every later one differ."""
    assert judge("exact", [["b", "c"]], [["a", "b"]]).detail == "added a; removed c"
    assert judge("exact", [["b", "c"]], [["c", "b"]]).detail == "the same names in another order"


def test_distance_takes_tables_by_name():
    """Ratios and spreads by name are held against their own; a name that is gone is another shape."""
    old = {"loss_ratio": 1.0, "grad_norm_ratio": 1.0}
    found = judge("distance", [old], [old | {"loss_ratio": 4.0}], absolute=0.01)
    assert (found.outcome, found.old, found.new) == (
        O.CHANGED, "loss_ratio 1, grad_norm_ratio 1", "loss_ratio 4, grad_norm_ratio 1",
    )  # fmt: skip
    assert "worst at loss_ratio" in found.detail
    assert judge("distance", [old], [old | {"loss_ratio": 1.001}], absolute=0.01).outcome is O.OK
    assert judge("distance", [old], [{"loss_ratio": 1.0}]).detail == "another shape: 2 -> 1 elements"


def test_a_long_diff_is_cut_and_counted():
    """At most twelve lines, then how many more."""
    old = {chr(97 + i): i for i in range(20)}
    lines = judge("exact", [old], [{k: v + i + 1 for i, (k, v) in enumerate(old.items())}]).detail.splitlines()
    assert len(lines) == 13
    assert lines[-1] == "and 8 more"


def test_series_say_where_they_part():
    """A long list of numbers tells first difference, how many and by how much."""
    old = [1.0] * 10
    found = judge("exact", [old], [[1.0] * 3 + [1.5] + [1.25] * 6])
    assert found.detail == "first differs at [3]: 1.0 -> 1.5; 7 of 10 differ, by at most 0.5"
    assert judge("exact", [old], [old[:9]]).detail == "length 10 -> 9"


def test_short_lists_are_compared_by_element():
    """Optimizer groups and the like are told by their index."""
    found = judge("exact", [[{"lr": 1}, {"lr": 1}]], [[{"lr": 2}, {"lr": 2}]])
    assert found.detail == "[{0..1}].lr: 1 -> 2 (2 places)"


def test_trials_that_disagree_are_said_to():
    """A value that is not repeatable is noted, even where the verdict is ok."""
    assert judge("exact", [1, 2], [2]).detail == "the baseline's 2 trials disagree among themselves: 2 different values"
    assert "this run's 2 trials disagree" in judge("exact", [1], [1, 3]).detail


def test_scalars_show_themselves_and_structures_their_size():
    """Numbers keep their value and effect; a map is told by its size."""
    found = judge("exact", [100], [150])
    assert (found.old, found.new, found.effect) == (100, 150, 0.5)
    assert judge("exact", [{"a": 1}], [{"a": 2}]).old == "1 entries"


# ---------------------------------------------------------------- distance


def test_distance_tells_where_and_how_far():
    """The worst element is named with how many went beyond the limit."""
    found = judge("distance", [[[1.0, 2.0], [3.0, 4.0]]], [[[1.0, 2.0], [3.5, 4.1]]])
    assert found.detail == "largest distance 0.5, worst at [1][0]; 2 of 4 beyond 0.001"


def test_distance_says_bit_identical():
    """No distance at all is said to be none."""
    assert judge("distance", [[1.0, 2.0]], [[1.0, 2.0]]).detail == "bit-identical (2 values)"


def test_a_nan_that_came_is_said_plainly():
    """A curve that ends in NaN says so, and where it begins."""
    found = judge("distance", [[1.0, 2.0, 3.0]], [[1.0, math.nan, None]])
    assert found.detail == "NaN where the baseline has numbers: 2 of 3, first at [1]"


# ---------------------------------------------------------------- any value

numeric = st.one_of(st.floats(), st.integers(), st.integers(10**300, 10**330), st.none(), st.booleans())
anything = st.recursive(
    st.one_of(numeric, st.text(max_size=4)),
    lambda sub: st.one_of(st.lists(sub, max_size=4), st.dictionaries(st.text(max_size=3), sub, max_size=3)),
    max_leaves=8,
)
side = st.lists(st.one_of(st.floats(min_value=0), numeric, anything), min_size=1, max_size=4)
samples = st.lists(st.sampled_from([0.0, 1.0, math.nan, 0.5]), max_size=3)


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(JUDGES)),
    st.tuples(side, side),
    samples,
    st.sampled_from(Better),
    st.sampled_from([None, 0.0, 0.1]),
)
def test_no_value_makes_a_judge_raise(name, sides, rounds, better, tolerance):
    """Whatever the values, a judge answers, in finite numbers that JSON can hold."""
    given_metric = metric(better=better, relative=tolerance, absolute=tolerance)
    old, new = (tuple(Measured(value=v, samples=tuple(rounds)) for v in values) for values in sides)
    found = JUDGES[name](given_metric, old, new)
    assert isinstance(found.outcome, Outcome)
    json.dumps([found.old, found.new, found.effect, found.interval, found.detectable], allow_nan=False)
    if found.outcome is not O.OK:
        assert found.detail or found.effect is not None or found.old != found.new


@settings(max_examples=100)
@given(st.sampled_from(["exact", "distance", "count", "bytes"]), st.one_of(st.floats(0, 1e12), st.integers(0, 10**12)))
def test_a_repeatable_value_equals_itself(name, value):
    """A value judged against itself is ok under every judge of repeatable numbers."""
    assert judge(name, [value], [value]).outcome is O.OK


@settings(max_examples=100)
@given(anything, anything)
def test_exact_is_symmetric(old, new):
    """What is changed one way is changed the other way."""
    assert judge("exact", [old], [new]).outcome is judge("exact", [new], [old]).outcome


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.5, 2.0), min_size=2, max_size=6), st.lists(st.floats(0.5, 2.0), min_size=2, max_size=6))
def test_wall_never_calls_a_move_worse_both_ways(old, new):
    """Swapping the sides never leaves a loss a loss: each side's own spread counts for more as the baseline's."""
    assert {judge("wall", old, new).outcome, judge("wall", new, old).outcome} not in ({O.REGRESSED}, {O.IMPROVED})


# ---------------------------------------------------------------- named values


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [
        ({"a": 1}, {"a": 2}, O.CHANGED),
        ({"a": 1, "gone": 2}, {"a": 1, "came": 3}, O.OK),
        ({"a": []}, {"a": None}, O.OK),
        ({"a": ""}, {"a": {}}, O.OK),
        ({"fsdp": {"min": 0, "xla": False, "sub": {"x": None}}}, {"fsdp": None}, O.OK),
        ({"fsdp": {"min": 0, "xla": True}}, {"fsdp": None}, O.CHANGED),
        ({"fused": None}, {"fused": False}, O.CHANGED),
        ({"tokens_seen": False}, {"tokens_seen": "no"}, O.OK),
        ({"tokens_seen": "no"}, {"tokens_seen": "all"}, O.CHANGED),
        ({"rank": None}, {"rank": 0}, O.CHANGED),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, O.OK),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, O.CHANGED),
        ({"a": {"b": 1}}, {"a": "crash: ValueError: no"}, O.CHANGED),
        ({"a": ["x"]}, {"a": []}, O.CHANGED),
    ],
)
def test_named_values(old, new, outcome):
    """A value that both name and that says something else is a change; names that come and go and what is unset not."""
    assert judge("values", [old], [new], better=Better.NEITHER).outcome is outcome
    assert judge("values", [new], [old], better=Better.NEITHER).outcome is outcome


unset = st.recursive(
    st.sampled_from([None, "", []]),
    lambda sub: st.dictionaries(st.text(max_size=3), st.one_of(sub, st.sampled_from([0, False, 0.0])), max_size=3),
    max_leaves=4,
)


@given(unset, st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=3))
def test_unset_is_unset_however_it_is_written(nothing, rest):
    """Any way to write nothing is null, beside any other values, and differs from something."""
    assert judge("values", [{**rest, "x": nothing}], [{**rest, "x": None}]).outcome is O.OK
    assert judge("values", [{"x": nothing}], [{"x": "something"}]).outcome is O.CHANGED
