"""The parts of `report.html`: scales, marks, and what is drawn from which record."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from factories import make_approval, make_baseline, make_case, make_environment, make_record
from hypothesis import given
from hypothesis import strategies as st
from judging import MIB, gpu_case, gpu_record, result, run
from pages import KERNEL, Page, case_result, drawn, failed, whole

from benchsuite.cases import slug
from benchsuite.nouns import Measured, Weights
from benchsuite.page import curves, glance, memory, pareto, points, steps, verdicts, work
from benchsuite.page.blocks import Figures, Note
from benchsuite.page.markup import tag
from benchsuite.page.points import Point
from benchsuite.page.scales import Axis, axis, finite, labels, quantile
from benchsuite.page.scales import steps as round_steps
from benchsuite.page.sides import NEW, OLD, common, names

SIZES = st.floats(min_value=1e-9, max_value=1e15)
VALUES = st.one_of(st.just(0.0), SIZES, SIZES.map(lambda value: -value))
SHARES = st.floats(min_value=0, max_value=1)

# ---------------------------------------------------------------- scales


@given(VALUES, VALUES, st.integers(min_value=2, max_value=10))
def test_ticks_cover_the_range_at_equal_distances(a: float, b: float, count: int) -> None:
    """The first lies at or below the range, the last at or above it, and there are about as many as asked for."""
    low, high = min(a, b), max(a, b)
    marks = round_steps(low, high, count)
    assert marks[0] <= low
    assert marks[-1] >= high
    assert 2 <= len(marks) <= 2 * count + 3
    distances = [y - x for x, y in pairwise(marks)]
    assert max(distances) - min(distances) <= 1e-6 * max(distances) + 1e-12 * max(abs(marks[0]), abs(marks[-1]))


@given(VALUES, VALUES)
def test_labels_of_ticks_differ_and_say_their_value(a: float, b: float) -> None:
    """No two ticks read alike, and zero has no sign."""
    marks = round_steps(min(a, b), max(a, b))
    texts = labels(marks)
    assert len(set(texts)) == len(texts)
    assert not any(text.strip("-0.,") == "" and text.startswith("-") for text in texts)
    for mark, text in zip(marks, texts, strict=True):
        assert float(text.replace(",", "")) == pytest.approx(mark, rel=1e-6, abs=1e-9)


@given(st.lists(VALUES, min_size=1), st.booleans())
def test_an_axis_places_its_values_between_its_ends_in_order(values: list[float], zero: bool) -> None:
    """Whatever is drawn on it lies on it; smaller values come first."""
    scale = axis(values, "s", 10, 110, zero=zero)
    places = [scale(value) for value in sorted(values)]
    assert all(10 <= place <= 110 for place in places)
    assert places == sorted(places)
    assert not zero or scale.low <= 0 <= scale.high


@pytest.mark.parametrize(
    ("values", "unit", "named", "texts"),
    [
        ([0.0341, 0.0379], "s", "ms", ["34", "35", "36", "37", "38"]),
        ([0, 2711994368], "B", "MB", ["0", "500", "1,000", "1,500", "2,000", "2,500", "3,000"]),
        ([130.0, 290.0], "s", "min", ["2.0", "2.5", "3.0", "3.5", "4.0", "4.5", "5.0"]),
        ([0.83, 0.87], "1", "", ["0.83", "0.84", "0.85", "0.86", "0.87"]),
        ([5.0], "W", "W", ["4.7", "4.8", "4.9", "5.0", "5.1", "5.2", "5.3"]),
    ],
)
def test_an_axis_is_labelled_as_people_read(values: list[float], unit: str, named: str, texts: list[str]) -> None:
    """Round numbers in the unit that fits the largest."""
    scale = axis(values, unit, 0, 1)
    assert scale.unit == named
    assert [text for _, text in scale.ticks] == texts


def test_what_cannot_be_drawn_is_left_out() -> None:
    """NaN, infinities and what ran away; an axis without any value is refused."""
    assert finite([1, math.nan, math.inf, -math.inf, 1e31, 2.5]) == (1.0, 2.5)
    with pytest.raises(ValueError, match="needs a value"):
        axis([math.nan], "s", 0, 1)


@given(st.lists(VALUES, min_size=1), SHARES, SHARES)
def test_quantiles_lie_within_and_do_not_cross(values: list[float], a: float, b: float) -> None:
    """Between the extremes, and a larger share never gives a smaller value."""
    low, high = (quantile(values, share) for share in sorted((a, b)))
    room = 1e-9 * max(map(abs, values))
    assert min(values) - room <= low <= high + room
    assert high <= max(values) + room


# ---------------------------------------------------------------- elements


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"])))
def test_everything_is_escaped(text: str) -> None:
    """A browser reads back the very text, in an element and in an attribute, and finds no other element."""
    page = Page(str(tag("p", text, title=text)))
    assert page.all("p") == [{"title": text}]
    assert "".join(page.said("p")) == text
    assert len(page.found) == 1


def test_elements_nest_and_numbers_are_short() -> None:
    """Elements among children stay elements; None leaves an attribute out; two decimals are enough."""
    inner = tag("b", "<x>")
    assert tag("p", inner, x=1.23456, y=-0.0001, stroke_width=2, class_=None) == (
        '<p x="1.23" y="0" stroke-width="2"><b>&lt;x&gt;</b></p>'
    )
    with pytest.raises(ValueError, match="no place"):
        tag("p", x=math.nan)


# ---------------------------------------------------------------- steps


@given(st.lists(st.floats(min_value=0, max_value=1), min_size=1))
def test_a_histogram_shares_out_all_values_on_its_axis(values: list[float]) -> None:
    """The shares add up to one where all lie on the axis."""
    assert sum(steps.histogram(values, 0.0, 1.0)) == pytest.approx(1)


def test_a_histogram_leaves_out_what_lies_beyond() -> None:
    """One of four is beyond, so that three quarters are shown."""
    assert sum(steps.histogram([1, 2, 3, 99], 0, 5)) == pytest.approx(0.75)


def test_steps_of_both_sides_are_drawn_and_told() -> None:
    """The slower regime's caption says by how much, and each trial has its dot and its row."""
    section = steps.section(whole())
    assert section is not None
    (figures,) = section.blocks
    assert isinstance(figures, Figures)
    slow = figures.figures[1]
    assert slow.says.startswith("Median step 33.8 -> 44.0 ms (+30 %); 3 trials of baseline, 3 trials of this run")
    page = Page(str(slow.svg))
    assert sum(attributes["class"] == "dot-old" for attributes in page.all("circle")) == 3
    assert [row[:3] for row in slow.table.rows][3:] == [(NEW, "0", "60"), (NEW, "1", "60"), (NEW, "2", "60")]


# ---------------------------------------------------------------- memory


@given(st.floats(min_value=0, max_value=1e12), st.lists(st.floats(min_value=0, max_value=1e12), max_size=3))
def test_the_parts_of_a_bar_add_up_to_it(total: float, sizes: list[float]) -> None:
    """Never more than the peak, and nothing is negative, whatever was measured beside it."""
    kinds = (memory.WEIGHTS, memory.WORKSPACE, memory.SAVED)
    bar = memory.stacked("train", total, dict(zip(kinds, sizes, strict=False)))
    assert sum(size for _, size in bar.parts) == pytest.approx(total)
    assert all(size > 0 for _, size in bar.parts)


def test_a_peak_is_weights_workspace_and_the_rest() -> None:
    """The part of cuBLAS begins with training; the reloaded model is the one that evaluation holds."""
    bars = {bar.name: dict(bar.parts) for bar in memory.bars(whole().results[0])[NEW]}
    assert bars["prepare"] == {"weights": 88 * MIB, "rest": 90 * MIB}
    assert bars["train"] == {"weights": 88 * MIB, "workspace": 66 * MIB, "rest": (432 - 88 - 66) * MIB}
    assert bars["evaluate"] == {"weights": 90 * MIB, "workspace": 66 * MIB, "rest": (223 - 90 - 66) * MIB}
    assert bars["one step"] == {"saved": 80 * MIB, "rest": 144 * MIB}


def test_a_run_without_memory_figures_has_no_such_section() -> None:
    """Nothing is drawn of what was not measured."""
    assert memory.section(run(result(make_case(), (make_record(),), None))) is None


# ---------------------------------------------------------------- loss


def test_losses_stand_at_the_steps_they_were_logged_at() -> None:
    """Training every `logging_steps`, validation at each epoch's end; what is no number is left out."""
    record = drawn(gpu_record(gpu_case()))
    parts = {**record.fingerprint, "quality.loss": [0.9, math.nan, 0.7], "quality.validation_loss": [0.8, 0.6]}
    course = curves.course(replace(record, fingerprint=parts))
    assert course.training == ((10, 0.9), (30, 0.7))
    assert course.validation == ((30, 0.8), (60, 0.6))


@pytest.mark.parametrize(
    ("moved", "said"), [(0.0, "The curves coincide."), (0.01, "The curves differ by 0.01 at most.")]
)
def test_curves_are_compared_in_words(moved: float, said: str) -> None:
    """Who cannot see the lines is told whether they lie on each other."""
    same = case_result()
    records = tuple(
        replace(r, fingerprint={**r.fingerprint, "quality.loss": [0.86 + moved, 0.72, 0.697, 0.701, 0.681, 0.673]})
        for r in same.records
    )
    found = curves.figure("x", "qlora", curves.courses(replace(same, records=records)))
    assert found is not None
    assert found.says.endswith(said)


# ---------------------------------------------------------------- regimes


SPOTS = st.lists(st.tuples(SIZES, SHARES)).map(
    lambda found: [
        pareto.Spot(regime=str(i), side=NEW, cost=cost, accuracy=share, interval=(share, share))
        for i, (cost, share) in enumerate(found)
    ]
)


@given(SPOTS)
def test_the_front_is_beaten_by_none_and_beats_the_rest(found: list[pareto.Spot]) -> None:
    """Whoever is left out is beaten or equalled in both by one on the front."""
    best = pareto.front(found)
    for spot in found:
        beaten = any(b.cost <= spot.cost and b.accuracy >= spot.accuracy for b in best)
        assert beaten
    for a, b in pairwise(best):
        assert (a.cost, a.accuracy) == (b.cost, b.accuracy) or (a.cost < b.cost and a.accuracy < b.accuracy)


def test_two_that_are_alike_are_both_on_the_front() -> None:
    """Neither beats the other."""
    twins = [pareto.Spot(regime=r, side=NEW, cost=1.0, accuracy=0.9, interval=(0.9, 0.9)) for r in ("a", "b")]
    assert pareto.front(twins) == tuple(twins)


@given(SHARES, st.integers(min_value=1, max_value=10**6))
def test_the_interval_of_an_accuracy_holds_it(share: float, count: int) -> None:
    """It lies between 0 and 1 and shrinks with more examples."""
    low, high = pareto.wilson(share, count)
    assert -1e-9 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1 + 1e-9
    more = pareto.wilson(share, 4 * count)
    assert more[1] - more[0] < high - low


def test_one_regime_is_no_choice() -> None:
    """A note stands where a plot of one point would; two regimes have two plots."""
    alone = pareto.section(run(case_result()))
    assert alone is not None
    assert [type(block) for block in alone.blocks] == [Note]
    both = pareto.section(whole())
    assert both is not None
    figures = [block for block in both.blocks if isinstance(block, Figures)]
    assert [figure.title for figure in figures[0].figures] == [
        "Accuracy against training time", "Accuracy against peak VRAM in training",
    ]  # fmt: skip


def test_accuracy_of_random_weights_is_told_to_say_nothing() -> None:
    """A picture of chance must not read as a recommendation."""
    found = [case_result(regime) for regime in ("fp32", "qlora")]
    random = [replace(r, case=replace(r.case, weights=Weights.RANDOM)) for r in found]
    section = pareto.section(run(*random))
    assert section is not None
    assert any(isinstance(block, Note) and "random" in block.text for block in section.blocks)


# ---------------------------------------------------------------- kernels and operators


def test_kernels_are_ordered_by_time_and_differences_are_named() -> None:
    """A new kernel is new, one as frequent as before is unchanged, an operator gone by four is told so."""
    slow = whole().results[1]
    found = {row.name: row for row in work.rows(slow, work.KERNELS, work.TIMES)}
    assert list(found) == ["gemm", KERNEL, "cast"]
    assert found["cast"].counts == (0, 24)
    assert [row.name for row in found.values() if row.moved] == ["cast"]
    operators = {row.name: row for row in work.rows(slow, work.OPERATORS, "")}
    assert operators["aten.mm.default"].counts == (124, 120)


def test_the_notes_on_work_count_what_moved() -> None:
    """One line says how many names run more or less often, and the sums."""
    section = work.section(whole())
    assert section is not None
    notes = [block.text for block in section.blocks if isinstance(block, Note)]
    assert notes == [
        "fp32: kernels. Each of 2 runs as often as before, 396 a step together; 9.50 -> 9.50 ms (unchanged).",
        "fp32: operators. Each of 2 runs as often as before, 164 a step together.",
        "qlora: kernels. 1 of 3 run more or less often: 396 -> 420 a step; 9.5 -> 10.2 ms (+7.4 %).",
        "qlora: operators. 1 of 2 run more or less often: 164 -> 160 a step.",
    ]


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("gemm", "gemm"),
        (KERNEL, "at::native::vectorized<4, at::native::Add<float>>"),
        ("(anonymous namespace)", "(anonymous namespace)"),
        ("k" * 200, "k" * 109 + "…"),
    ],
)
def test_a_kernels_name_is_shortened(name: str, short: str) -> None:
    """Return type and arguments go, what is still too long is cut."""
    assert work.shortened(name) == short


# ---------------------------------------------------------------- history


def point(run_: str, when: str, value: float, **more: object) -> Point:
    """A point with one version."""
    fields = {"versions": {"torch": "2.13.0"}, "promoted": False} | more
    return Point(run=run_, when=when, value=value, **fields)  # type: ignore[arg-type]


def test_history_is_in_order_and_counts_each_run_once() -> None:
    """Earlier points, the baseline's and this run's by time; runs that were approved are marked."""
    case = make_case()
    baseline = make_baseline(count=2, history=(make_approval(runs=("20251103-100000-ab12cd",)),))
    new = make_record(started="2025-11-05T10:00:00+00:00")
    this = run(result(case, (new,), baseline))
    earlier = {(slug(case), "time.train"): [point("20251101-x", "2025-11-01T00:00:00+00:00", 4.5)]}
    found = points.history(this, earlier)[slug(case), "time.train"]
    assert [(p.run, p.promoted) for p in found] == [
        ("20251101-x", False), ("20251103-100000-ab12cd", True), (this.run, False),
    ]  # fmt: skip
    assert found[-1].value == 4.81


def test_a_run_found_under_results_stands_for_the_baseline_it_became() -> None:
    """Its own figure is shown, marked as approved, and the baseline's is not shown again."""
    case = make_case()
    baseline = make_baseline(count=2, history=(make_approval(runs=("20251103-100000-ab12cd",)),))
    earlier = {(slug(case), "time.train"): [point("20251103-100000-ab12cd", "2025-11-03T10:00:00+00:00", 9.0)]}
    found = points.history(run(result(case, (make_record(),), baseline)), earlier)[slug(case), "time.train"]
    assert [(p.value, p.promoted) for p in found if p.run == "20251103-100000-ab12cd"] == [(9.0, True)]


def test_a_change_of_version_is_told() -> None:
    """Old and new version of each package that moved; nothing where none did."""
    a = point("a", "1", 1.0, versions={"torch": "2.12.0", "peft": "0.21"})
    b = point("b", "2", 1.0, versions={"torch": "2.13.0", "peft": "0.21"})
    assert points.upgraded(a, b) == ("torch 2.12.0 -> 2.13.0",)
    assert points.upgraded(a, a) == ()


def test_failed_and_unnumbered_figures_make_no_points() -> None:
    """Only good trials count, and NaN is no point."""
    record = make_record(metrics={"time.train": Measured(value=math.nan), "time.step": Measured(value=0.1)})
    assert {metric for _, metric in points.points("r", [record], promoted=False)} == {"time.step"}
    assert points.points("r", failed().results[0].records, promoted=False) == {}


# ---------------------------------------------------------------- words


def test_cases_are_called_by_what_tells_them_apart() -> None:
    """The regime always; seed, profile and the like only where they differ."""
    one, two = case_result("fp32"), case_result("qlora")
    assert list(names(run(one, two)).values()) == ["fp32", "qlora"]
    assert common(run(one, two)) == "sst2 · quick · bert-base-uncased · pretrained weights · cuda · seed 42"
    seeded = replace(two, slug="other", case=replace(two.case, seed=7))
    assert list(names(run(two, seeded)).values()) == ["qlora · seed 42", "qlora · seed 7"]


@pytest.mark.parametrize(
    ("given_run", "state", "title"),
    [
        (run, "open", "Nothing was measured"),
        (lambda: run(case_result(baseline=False)), "open", "No verdict yet: there is no baseline"),
        (failed, "failed", "Failed: 1 trial"),
        (lambda: run(case_result("fp32")), "fine", "Nothing failed"),
    ],
)
def test_the_headline_says_where_one_stands(given_run: object, state: str, title: str) -> None:
    """One line for each of the ways a run can end."""
    head = verdicts.summary(given_run())  # type: ignore[operator]
    assert (head.state, head.title[: len(title)]) == (state, title)


def test_what_nothing_explains_is_told_by_what_happened() -> None:
    """The line below the headline is never empty words."""
    assert verdicts.summary(failed()).lead == "Trial 0, qlora: killed by signal 9."


def test_planted_faults_and_lost_trials_stand_in_the_head() -> None:
    """Whoever reads one screen only must not take a planted run, or half a run, for a whole one."""
    found = failed()
    planted = replace(found.results[0], records=tuple(replace(r, injected="f.py:g") for r in found.results[0].records))
    assert verdicts.summary(run(planted)).warnings == (
        "A fault was planted in this run: f.py:g", "qlora, trial 0 failed: killed by signal 9",
    )  # fmt: skip


def test_what_is_said_of_several_cases_alike_is_said_once() -> None:
    """Two cases with one failed trial each share a line under their cause."""
    one = failed().results[0]
    other = replace(one, slug="other", case=replace(one.case, regime="lora"),
                    verdicts=tuple(replace(v, case="other") for v in one.verdicts))  # fmt: skip
    causes = verdicts.causes_of(run(one, other))
    assert [effect.cases for effect in causes[0].effects] == [("qlora", "lora")]


def test_a_cell_shows_value_change_and_a_loud_outcome() -> None:
    """At a glance: the figure, how far it moved, and what was said of it where that is news."""
    section = glance.section(whole())
    assert section is not None
    (table,) = section.blocks
    cells = dict(zip([c.name for c in table.columns], table.rows[0], strict=True))  # type: ignore[union-attr]
    assert cells["Case"] == "fp32"
    assert cells["accuracy"] == "0.9060\nunchanged"
    assert cells["Verdict"].endswith("3 trials, baseline of 3")


def test_an_axis_keeps_what_lies_beyond_at_its_ends() -> None:
    """A step that took ten times as long does not leave the drawing."""
    scale = Axis(low=0, high=10, start=100, end=200, ticks=(), unit="s")
    assert (scale(-5), scale(5), scale(99)) == (100, 150, 200)


def test_trials_of_either_side_are_the_good_ones() -> None:
    """A failed trial is drawn nowhere."""
    found = case_result()
    lost = replace(found, records=(*found.records, *failed().results[0].records))
    assert len(steps.timed(lost)[NEW]) == len(found.records)
    assert OLD in steps.timed(lost)


def test_environment_is_of_the_first_good_trial() -> None:
    """The facts that differ stand open: here the version of transformers."""
    from benchsuite.page import where

    section = where.section(run(case_result()))
    assert section is not None
    table = section.blocks[0]
    assert ("package transformers", "4.57.6", make_environment().packages["transformers"]) in table.rows  # type: ignore[union-attr]
