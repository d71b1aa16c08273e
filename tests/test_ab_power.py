"""Noise that is simulated is fitted back; calls are counted, drawn and shown as they are."""

import dataclasses
import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.ab import blocks, noise, others, standard, tables
from benchsuite.ab.decide import FASTER, OK, OPEN, SLOWER
from benchsuite.ab.estimate import arms
from benchsuite.ab.power import Outcomes, Row, exact, row, run_calls, simulate, smallest_found
from benchsuite.ab.spending import Question, rules
from benchsuite.nouns import Better, Kind, SuiteError

QUIET = dataclasses.replace(standard.DEVICE, within=0.0)


def a_row(effect, found, calls=100, **more):
    """A row of so many found."""
    given_ = {"rule": "gate", "scene": "s", "alarms": 0, "pairs": 5.0, "seconds": 120.0} | more
    return Row(effect=effect, calls=calls, found=found, **given_)


# ---------------------------------------------------------------- noise


def test_fit_finds_what_was_simulated():
    """Offsets, inner noise, correlation and spikes of 60 processes come back."""
    true = dataclasses.replace(standard.WALL, offset=0.01, spike_size=0.3, steps=200)
    rng = np.random.default_rng(1)
    logs = noise.offsets(true, rng, 1, 60)[0][:, None] + noise.rounds(true, rng, (60,))
    found = noise.fit(np.exp(logs))
    assert found.offset == pytest.approx(0.01, rel=0.35)
    assert found.within == pytest.approx(0.006, rel=0.25)
    assert found.correlation == pytest.approx(0.5, abs=0.15)
    assert found.spike_share == pytest.approx(0.09, abs=0.02)
    assert found.spike_size == pytest.approx(0.3, rel=0.2)
    assert (found.burst_share, found.drift, found.steps) == (0.0, 0.0, 200)


def test_fit_sees_a_burst_a_drift_a_walk_and_a_tail():
    """Each, planted alone in many processes, is named and not taken for offset."""
    rng = np.random.default_rng(2)
    burst = noise.fit([[1.0 + 0.001 * (i % 3) + 0.2 * (i == 7)] * 4 for i in range(30)])
    assert (burst.burst_share, burst.burst_size) == (pytest.approx(1 / 30), pytest.approx(math.log(1.2), rel=0.02))
    steady = QUIET.offset * rng.standard_normal(40)
    drift = noise.fit([[math.exp(0.01 * i + v)] * 4 for i, v in enumerate(steady)])
    assert drift.drift == pytest.approx(0.01, rel=0.05)
    walk = noise.fit([[math.exp(v)] * 4 for v in np.cumsum(0.01 * rng.standard_normal(400))])
    assert walk.walk > 3 * walk.offset
    tail = noise.fit([[math.exp(0.01 * v)] * 4 for v in rng.standard_t(4, 400)])
    assert 4 < tail.tail < 40


def test_few_processes_say_nothing_of_walk_and_tail():
    """Five are taken for offsets alone."""
    found = noise.fit([[1.0, 1.1], [1.2, 1.1], [0.9, 1.0], [1.1, 1.1], [1.0, 1.0]])
    assert (found.walk, found.tail, found.correlation) == (0.0, math.inf, 0.0)
    assert found.offset > 0


@pytest.mark.parametrize("processes", [[], [[1.0, 2.0]], [[1.0], []], [[1.0], [0.0]]])
def test_fit_refuses_what_tells_nothing(processes):
    """One process, an empty one, or a time of zero."""
    with pytest.raises(SuiteError, match="two processes at least"):
        noise.fit(processes)


@pytest.mark.parametrize("kept", [0.0, 0.9])
def test_rounds_have_the_spread_and_correlation_they_are_given(kept):
    """A process's steps vary by `within` whatever their correlation."""
    steps = noise.rounds(dataclasses.replace(QUIET, within=0.02, correlation=kept), np.random.default_rng(3), (2000,))
    assert steps.shape == (2000, 54)
    assert steps.std() == pytest.approx(0.02, rel=0.05)
    assert np.corrcoef(steps[:, :-1].ravel(), steps[:, 1:].ravel())[0, 1] == pytest.approx(kept, abs=0.03)


# ---------------------------------------------------------------- rates


@given(st.integers(0, 300), st.integers(1, 300))
def test_exact_intervals_agree_with_scipy(hits, calls):
    """Clopper and Pearson's."""
    from scipy.stats import binomtest

    hits = min(hits, calls)
    theirs = binomtest(hits, calls).proportion_ci(0.95, method="exact")
    assert exact(hits, calls) == pytest.approx((theirs.low, theirs.high))


def test_a_row_counts_finds_and_alarms_apart():
    """Of a planted metric slower is found; of any other, every move is an alarm."""
    said = np.array([[SLOWER, FASTER, OK, OPEN], [OK, OK, FASTER, OPEN]])
    every = Outcomes(said=said, pairs=np.array([3.0, 3, 5, 5]))
    planted = row("gate", "s", every, [True, False], effect=0.01, pair=10.0)
    assert (planted.found, planted.alarms, planted.pairs, planted.seconds) == (1, 1, 4.0, 40.0)
    clean = row("gate", "s", every, [False, False], effect=0.0, pair=10.0)
    assert (clean.found, clean.alarms) == (3, 3)


def test_a_call_stops_when_all_its_questions_have_an_answer():
    """At the first look where both are settled; a question that stays open keeps it to the end."""
    questions = [
        Question(case="c", metric=m, better=Better.LOWER, smallest=0.005, weight=1.0) for m in ("calm", "wild")
    ]
    rng = np.random.default_rng(4)
    calm, wild = (scale * rng.standard_normal((50, 10)) for scale in (1e-5, 0.05))
    both = rules(questions, (3, 5))
    assert (run_calls(both, [calm, calm]).pairs == 3).all()
    assert run_calls(both, [calm, wild]).pairs.mean() > 4.5


def test_the_same_seed_gives_the_same_row():
    """And another one another."""
    streams = standard.streams(standard.scenes()[0], standard.SETUPS[2], cases=("one",))
    run = [simulate("s", streams, (3, 5), effect=0.004, calls=300, seed=s, pair=24.0) for s in (1, 1, 2)]
    assert run[0] == run[1] != run[2]


@pytest.mark.parametrize("scene", standard.scenes()[1:], ids=lambda scene: scene.name)
def test_whole_calls_keep_their_rate_where_any_move_counts(scene):
    """Of 1,500 calls with six metrics, about 1 % at most say that something moved."""
    streams = standard.streams(scene, standard.SETUPS[0], cases=("one",))
    found = simulate("s", streams, (3, 5), effect=0.0, calls=1_500, seed=6, pair=24.0)
    assert found.interval[0] < 0.01
    assert found.rate < 0.014


def test_half_a_percent_of_device_time_is_found_in_five_pairs():
    """In 9 of 10 calls of two cases, at twice the spread that was recorded."""
    setup = dataclasses.replace(standard.SETUPS[2], effects=(0.005,))
    (found,) = standard.own(standard.scenes()[0], setup, calls=1_000, seed=6)
    assert found.rate > 0.89
    assert found.alarms == 0
    assert found.seconds <= 120


def test_smallest_found_is_the_start_of_what_is_always_found():
    """A lucky small effect below one that is missed does not count."""
    rows = [a_row(0.0, 1), a_row(0.001, 95), a_row(0.0025, 50), a_row(0.005, 90), a_row(0.01, 100)]
    assert smallest_found(rows) == 0.005
    assert smallest_found(rows[:3]) is None


# ---------------------------------------------------------------- the rules of others


def test_rules_on_rounds_agree_with_scipy():
    """Student's t and Mann-Whitney's test call the same calls as scipy's."""
    from scipy.stats import mannwhitneyu, ttest_ind

    rng = np.random.default_rng(7)
    a, b = rng.standard_normal((200, 12)), rng.standard_normal((200, 12)) + 0.8
    named = {other.name: other.judge(a, b) != 0 for other in others.OTHERS}
    t = ttest_ind(a, b, axis=1).pvalue < 0.05
    u = mannwhitneyu(a, b, axis=1, method="asymptotic", use_continuity=False).pvalue < 0.05
    assert (named["t on rounds, 5 % level"] == t).all()
    assert (named["Mann-Whitney on rounds, 5 % level"] == u).all()


@pytest.mark.parametrize(
    ("name", "slower", "said"),
    [
        ("min, 5 %", 1.04, 0), ("min, 5 %", 1.06, 1), ("min, 5 %", 0.9, -1), ("median, 5 %", 1.06, 1),
        ("median, 7 %", 1.06, 0), ("median, 7 %", 1.08, 1), ("Mann-Whitney and 10 %", 1.09, 0),
        ("Mann-Whitney and 10 %", 1.11, 1),
    ],
)  # fmt: skip
def test_thresholds_of_others(name, slower, said):
    """Each calls what lies beyond its own threshold."""
    steps = 1e-4 * np.random.default_rng(8).standard_normal((1, 2, 30)) + math.log(slower) * (arms(1) > 0)[:, None]
    (other,) = [each for each in others.OTHERS if each.name == name]
    assert others.judged(other, steps, pooled=False).tolist() == [said]


def test_tests_on_rounds_raise_false_alarms_where_processes_differ():
    """An offset of half the rounds' spread gives them more than 25 % at a nominal 5 %."""
    model = dataclasses.replace(QUIET, offset=0.005, within=0.01)
    steps = others.simulated(model, calls=2000, pairs=1, effect=0.0, seed=9, steps=10)
    (rows,) = [[r for r in others.compared("s", steps, effect=0.0, pair=24.0) if r.rule.startswith("t on rounds")]]
    assert rows[0].rule == "t on rounds, 5 % level; 1 process a side"
    assert 0.25 < rows[0].rate < 0.32
    assert rows[0].found == rows[0].alarms


# ---------------------------------------------------------------- recorded blocks


def recorded(*sizes, names=("clean", "clean again", "1 %")):
    """Sittings of so many processes, whose values tell sitting, process, arm and block."""
    value = [[[[1 + s + p / 100 + a / 1e4 + k / 1e6 for k in range(3)] for a in range(3)] for p in range(n)]
             for s, n in enumerate(sizes)]  # fmt: skip
    return blocks.Recorded(arms=names, sittings=tuple(map(np.array, value)))


def test_calls_are_cut_from_neighbours_and_share_no_process():
    """Five processes hold one call of two pairs, eight hold two; each process shows the arm of its place."""
    found = np.exp(blocks.calls(recorded(5, 8), "clean", "1 %", pairs=2))
    assert found.shape == (3, 4, 3)
    assert found[0, :, 0] == pytest.approx([1.0, 1.0102, 1.0202, 1.03])
    starts = [round(float(each), 4) for each in found[:, 0, 0]]
    assert starts == [1.0, 2.0, 2.04]


@pytest.mark.parametrize(("arm", "pairs", "said"), [("5 %", 2, "no arm '5 %'"), ("1 %", 5, "takes 10 processes")])
def test_calls_that_cannot_be_cut_are_refused(arm, pairs, said):
    """An arm that was not recorded, or sittings too short."""
    with pytest.raises(SuiteError, match=said):
        blocks.calls(recorded(5, 8), "clean", arm, pairs=pairs)


# ---------------------------------------------------------------- what people see


ROWS = [
    a_row(0.0, 0, calls=10_000, alarms=0, scene="still & <quiet>"),
    a_row(0.005, 9_370, calls=10_000, alarms=12, scene="still & <quiet>", pairs=4.25, seconds=102.0),
    a_row(0.05, 10_000, calls=10_000, scene="still & <quiet>"),
]


def test_text_table():
    """Columns line up, rates carry their exact intervals."""
    assert tables.text(ROWS).splitlines() == [
        "scene            rule  effect   calls   found     95 % interval  other alarms  pairs  seconds",
        "still & <quiet>  gate    none  10,000     0 %     0 % to 0.04 %                  5.0      120",
        "still & <quiet>  gate   0.5 %  10,000  93.7 %  93.2 % to 94.2 %        0.12 %    4.2      102",
        "still & <quiet>  gate     5 %  10,000   100 %  99.96 % to 100 %           0 %    5.0      120",
    ]


@pytest.mark.parametrize(
    ("rate", "said"),
    [(0.0, "0 %"), (1.0, "100 %"), (1e-5, "<0.01 %"), (0.99999, ">99.99 %"), (0.0042, "0.42 %"), (0.974, "97.4 %")],
)
def test_rates_that_are_not_whole_do_not_look_so(rate, said):
    """Only 0 and 1 are told as such."""
    assert tables.share(rate) == said


def test_markdown_table():
    """One line a row below the header."""
    lines = tables.markdown(ROWS).splitlines()
    assert lines[1].count("---:") == 7
    assert lines[3] == "| still & <quiet> | gate | 0.5 % | 10,000 | 93.7 % | 93.2 % to 94.2 % | 0.12 % | 4.2 | 102 |"


def test_data_carries_rates_for_programs():
    """Counts, rates and both intervals."""
    found = tables.data(ROWS)[1]
    assert (found["found"], found["rate"], found["scene"]) == (9370, 0.937, "still & <quiet>")
    assert found["alarm_interval"] == list(exact(12, 10_000))


def test_plot_is_well_formed_and_draws_every_planted_point():
    """One line of two points, labelled with its names as text; clean calls are not drawn."""
    root = ET.fromstring(tables.svg(ROWS))
    space = "{http://www.w3.org/2000/svg}"
    (line,) = root.iter(f"{space}polyline")
    assert len(line.get("points").split()) == 2
    assert "still & <quiet>: gate" in [text.text for text in root.iter(f"{space}text")]


def test_a_plot_of_nothing_is_still_a_plot():
    """Clean calls alone leave axes and no line."""
    root = ET.fromstring(tables.svg(ROWS[:1]))
    assert not list(root.iter("{http://www.w3.org/2000/svg}polyline"))


def test_standard_calls_ask_six_metrics_a_case():
    """Device time and the step's wall time get most of the error rate, and the effect is on one metric."""
    for setup in standard.SETUPS:
        streams = standard.streams(standard.scenes()[0], setup)
        assert len(streams) == 12
        assert [s.question.metric for s in streams if s.hit] == ["device 0" if setup.hit is Kind.DEVICE else "wall 1"]
    shared = rules([s.question for s in streams], (3, 5))
    assert shared[0].alpha == pytest.approx(0.8 * 0.01 / 4)
