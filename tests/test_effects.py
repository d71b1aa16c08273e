"""The parts of a difference: they sum to the whole, whatever was measured, and what cannot be told is said."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise, permutations

import pytest
from factories import make_case, make_record
from hypothesis import given
from hypothesis import strategies as st

from benchsuite import cases, effects, effects_words, lattice, registry, side_by_side
from benchsuite.effects import Decomposition, Effect, decompose
from benchsuite.nouns import CaseResult, Device, Measured, Options, Record, RunResult, Status, UsageError
from benchsuite.page import parts
from benchsuite.page.blocks import Note, Table

CHAIN = ("fp32", "lora", "lora-half", "qlora-nodq-nogc", "qlora-nogc", "qlora-nodq", "qlora")
METRICS = tuple(registry.metrics().values())
FIGURES = st.floats(1e-3, 1e3)


def record(regime: str, time: float, peak: float = 1e9, accuracy: float = 0.9, **more: object) -> Record:
    """A trial of a regime with these figures."""
    (case,) = cases.cases(Options(profiles=("tiny",), regimes=(regime,)))
    metrics = {"time.train": time, "vram.peak.train": peak, "quality.accuracy.reloaded": accuracy}
    return make_record(case=case, metrics={name: Measured(value=value) for name, value in metrics.items()}, **more)


def told(records: Iterable[Record], start: str = "fp32", end: str = "qlora") -> Decomposition:
    """The one decomposition of these records."""
    (found,) = decompose(tuple(records), [(start, end)], registry.regimes())
    return found


def effect(found: Decomposition, metric: str = "time.train") -> Effect:
    """One metric's."""
    return next(each for each in found.effects if each.metric == metric)


@st.composite
def measured(draw: st.DrawFn, among: tuple[str, ...] = tuple(registry.regimes())) -> dict[str, tuple[float, float]]:
    """Time and peak of both ends and of some regimes besides."""
    names = {"fp32", "qlora-dyn", *draw(st.sets(st.sampled_from(among)))}
    return {name: (draw(FIGURES), draw(FIGURES)) for name in sorted(names)}


@given(measured())
def test_parts_sum_to_the_whole(figures: Mapping[str, tuple[float, float]]) -> None:
    """Ratios multiply to it and differences add up to it, shares to 1, with any regimes missing."""
    found = told((record(name, *values) for name, values in figures.items()), end="qlora-dyn")
    time, peak = effect(found), effect(found, "vram.peak.train")
    assert math.prod(part.effect for part in time.parts) == pytest.approx(time.whole, rel=1e-9)
    assert time.whole == pytest.approx(figures["qlora-dyn"][0] / figures["fp32"][0])
    assert sum(part.effect for part in peak.parts) == pytest.approx(peak.whole, abs=1e-6)
    assert peak.whole == pytest.approx(figures["qlora-dyn"][1] - figures["fp32"][1])
    for each in (time, peak):
        if all(part.share is not None and abs(part.share) < 1e3 for part in each.parts):
            assert sum(part.share or 0 for part in each.parts) == pytest.approx(1, abs=1e-6)
        assert all(
            part.low - 1e-6 * abs(part.low) - 1e-6 <= part.effect <= part.high + 1e-6 * abs(part.high) + 1e-6
            for part in each.parts
        )


@given(measured())
def test_every_change_has_a_part_once(figures: Mapping[str, tuple[float, float]]) -> None:
    """Whatever is missing, each change is in one part, and what is told together is said to be."""
    found = told((record(name, *values) for name, values in figures.items()), end="qlora-dyn")
    parts = effect(found).parts
    names = [name for part in parts for name in part.factors]
    assert sorted(names) == sorted(
        ["fewer trained parameters", "half precision", "4 bits", "double quantisation", "checkpointing", "padding"]
    )
    joint = [part.factors for part in parts if len(part.factors) > 1]
    assert [note.startswith("only measured together: ") for note in found.missing] == [True] * len(joint)


@given(st.permutations(list(CHAIN)), st.lists(FIGURES, min_size=7, max_size=7))
def test_the_order_of_records_does_not_matter(names: list[str], times: list[float]) -> None:
    """Parts are the same whichever regime was measured first."""
    by_name = dict(zip(CHAIN, times, strict=True))
    assert told(record(name, by_name[name]) for name in names) == told(record(name, by_name[name]) for name in CHAIN)


FACTORS = "abc"


@given(st.lists(st.floats(-100, 100), min_size=8, max_size=8))
def test_over_a_whole_lattice_a_part_is_its_shapley_value(values: list[float]) -> None:
    """The mean of what a change adds, over all orders of the changes."""
    places = [frozenset(f for i, f in enumerate(FACTORS) if bits >> i & 1) for bits in range(8)]
    value = dict(zip(places, values, strict=True))
    ways = lattice.finest(lattice.paths(places, places[-1]), FACTORS)
    assert len(ways) == 6
    for factor in FACTORS:
        steps = [value[b] - value[a] for way in ways for a, b in pairwise(way) if b - a == {factor}]
        orders = [frozenset(order[: order.index(factor)]) for order in permutations(FACTORS)]
        shapley = [value[before | {factor}] - value[before] for before in orders]
        assert sum(steps) / 6 == pytest.approx(sum(shapley) / 6, abs=1e-9)


def test_what_each_change_does_is_found_again() -> None:
    """Where changes do not interact, each has the effect that it was given, and the order does not count."""
    times = {"lora": 0.5, "lora-half": 0.25, "qlora-nodq-nogc": 0.5, "qlora-nogc": 0.55, "qlora-nodq": 0.75}
    found = told(record(name, time) for name, time in {"fp32": 1.0, **times, "qlora": 0.825}.items())
    parts = {part.factors: part.effect for part in effect(found).parts}
    assert parts == pytest.approx(
        {("fewer trained parameters",): 0.5, ("half precision",): 0.5, ("4 bits",): 2.0,
         ("double quantisation",): 1.1, ("checkpointing",): 1.5}
    )  # fmt: skip
    assert found.paths == 2
    assert all(part.low == pytest.approx(part.high) for part in effect(found).parts)
    assert found.missing == ()


@pytest.mark.parametrize(
    ("there", "joint", "advice"),
    [
        ("lora lora-half qlora-nogc qlora-nodq", "4 bits, double quantisation", "measure qlora-nodq-nogc too"),
        ("lora qlora-nodq-nogc qlora-nogc", "half precision, 4 bits", "measure lora-half too"),
        ("lora-half qlora-nodq-nogc qlora-nogc", "fewer trained parameters, half precision", "measure lora too"),
        ("lora lora-half qlora-nodq", "4 bits, checkpointing", "measure qlora-nodq-nogc too"),
    ],
)
def test_what_was_measured_together_only_is_said(there: str, joint: str, advice: str) -> None:
    """With the regimes that would tell it apart."""
    found = told(record(name, 1.0) for name in ("fp32", *there.split(), "qlora"))
    assert found.missing == (f"only measured together: {joint}; {advice}",)


def test_what_a_regime_did_not_measure_is_said() -> None:
    """The metric is left out, and the regime named."""
    lacking = record("lora", 1.0)
    lacking = replace(lacking, metrics={k: v for k, v in lacking.metrics.items() if k != "time.train"})
    found = told([record("fp32", 2.0), lacking, record("qlora", 1.0)])
    assert "time.train was not measured in lora" in found.missing
    assert [each.metric for each in found.effects] == ["vram.peak.train", "quality.accuracy.reloaded"]


def test_failed_trials_and_other_seeds_do_not_count() -> None:
    """Medians are over good trials of cases that differ in their regime alone."""
    ends = [record("fp32", 4.0), record("fp32", 1e6, status=Status.FAILED), record("qlora", 1.0)]
    other = replace(ends[0], case=replace(ends[0].case, seed=7))
    assert effect(told([*ends, other])).whole == pytest.approx(0.25)


def test_two_names_for_the_same_have_no_parts() -> None:
    """Regimes that differ in nothing are no way to take apart."""
    one = record("fp32", 2.0)
    other = replace(one, case=replace(one.case, regime="qlora"))
    assert decompose([one, other], [("fp32", "qlora")], registry.regimes()) == ()


def test_a_recipe_goes_with_what_it_trains() -> None:
    """Adapters have their own learning rate: no factor by itself, and none of another's regime."""
    places = lattice.between(
        {name: lattice.factors(make_transforms(name)) for name in ("fp32", "lora", "amp", "int8-lora", "qlora")},
        "fp32", "qlora",
    )  # fmt: skip
    assert places["lora"] == {"trained"}
    assert {"amp", "int8-lora"}.isdisjoint(places)


def make_transforms(regime: str) -> tuple[Mapping[str, object], ...]:
    """A regime's transforms as a case holds them."""
    return tuple(map(cases.describe, registry.regimes()[regime]))


def test_a_regime_of_somebody_elses_is_a_factor_by_its_transform() -> None:
    """What is not ours is told by its name, and lies on no path of ours."""
    mine = lattice.factors([{"name": "Smoothing", "share": 0.1}, {"name": "Recipe", "lr": 1}])
    assert mine == {"smoothing": 'Smoothing {"share": 0.1}', "trained": 'Recipe {"lr": 1}'}


def test_the_fast_regime_is_taken_apart_too() -> None:
    """Mixed precision, padding, graphs."""
    names = ("fp32", "amp", "fp32-dyn", "amp-dyn", "amp-fast")
    found = told([on_cuda(record(name, 1.0)) for name in names], end="amp-fast")
    assert [part.factors for part in effect(found).parts] == [("mixed precision",), ("padding",), ("CUDA graphs",)]
    assert found.paths == 2


def on_cuda(trial: Record) -> Record:
    """The trial, had its device been a GPU."""
    return replace(trial, case=replace(trial.case, device=Device.CUDA))


def test_on_a_cpu_graphs_have_no_part() -> None:
    """They do nothing there: what differs is noise, and no change's doing."""
    found = told([record(name, 1.0) for name in ("fp32", "amp", "fp32-dyn", "amp-fast")], end="amp-fast")
    assert [part.factors for part in effect(found).parts] == [("mixed precision",), ("padding",)]
    assert found.regimes == ("fp32", "amp", "fp32-dyn", "amp-fast")


@pytest.mark.parametrize(("trials", "said"), [(1, "1 trial a regime: "), (4, "4 trials a regime: "), (5, "")])
def test_few_trials_are_said_to_be_few(trials: int, said: str) -> None:
    """Of the regime that has the fewest."""
    found = told([*(record("fp32", 2.0) for _ in range(5)), *(record("qlora", 1.0) for _ in range(trials))])
    notes = [note for note in effects_words.notes(found) if "from process to process" in note]
    assert [note.startswith(said) for note in notes] == ([True] if said else [])


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        ("", "nothing to take apart: no case has both ends of fp32 -> qlora or fp32 -> qlora-dyn or fp32 -> amp-fast"),
        ("fp32,qlra", "unknown regime 'qlra'"),
        ("fp32", "--ends takes two regimes, FROM,TO, not 'fp32'. The run holds: fp32, lora."),
        ("fp32,fp32", "--ends takes two regimes"),
    ],
)
def test_ends_that_make_no_sense_are_refused(ends: str, message: str) -> None:
    """One message, with what the run holds."""
    with pytest.raises(UsageError) as caught:
        effects.of_run([record("fp32", 1.0), record("lora", 1.0)], ends)
    assert str(caught.value).startswith(message)


def test_ends_may_be_any_two_regimes() -> None:
    """One change alone is the whole."""
    (found,) = effects.of_run([record("fp32", 1.0), record("lora", 0.5)], "fp32, lora")
    assert [(part.effect, part.share) for part in effect(found).parts] == [(pytest.approx(0.5), pytest.approx(1))]


def test_parts_are_told_in_words() -> None:
    """For the terminal by metric, for a page as a table: sizes, shares, what could not be told."""
    found = told([record("fp32", 2.0, 2e9, 0.92), record("lora", 0.5, 1e9, 0.92), record("qlora", 1.0, 1e9, 0.9)])
    said = effects_words.text([found], METRICS)
    assert "  time.train  2.00 s -> 1.00 s, x0.5\n" in said
    assert "    x0.25   200 %    fewer trained parameters\n" in said
    assert "       x2  -100 %    half precision + 4 bits + double quantisation + checkpointing\n" in said
    assert "not told: only measured together: half precision, 4 bits, double quantisation, checkpointing" in said
    head, first, _, last = effects_words.table(found, METRICS)
    assert head == ("Change", "time.train", "vram.peak.train", "quality.accuracy.reloaded")
    assert first == ("fewer trained parameters", "x0.25, 200 %", "-953.7 MB, 100 %", "+0.00 points, 0 %")
    assert last == ("all together", "x0.5", "-953.7 MB", "-2.00 points")


def test_regimes_are_told_side_by_side() -> None:
    """Medians over good trials; what a regime did not measure is an empty cell; one regime alone is no matrix."""
    trials = [record("fp32", time, 2e9) for time in (3.0, 1.0, 2.0)]
    bare = record("lora", 1.0)
    bare = replace(bare, metrics={"time.train": bare.metrics["time.train"]})
    failed = record("amp", 1.0, status=Status.FAILED)
    (matrix,) = side_by_side.matrices([*trials, bare, failed])
    assert matrix.figures["fp32"]["time.train"] == 2.0
    assert effects_words.regimes(matrix, METRICS) == [
        ("Regime", "time.train", "vram.peak.train", "quality.accuracy.reloaded"),
        ("fp32", "2.00 s", "1907.3 MB", "0.9000"),
        ("lora", "1.00 s", "", ""),
    ]
    assert side_by_side.matrices(trials) == ()


def test_the_report_shows_parts_only_where_there_are_several() -> None:
    """A run of the two regimes that are the default says nothing that its figures do not."""
    assert make_case().regime == "fp32"
    page = registry.reporters()["markdown"]
    assert "What makes the difference" not in page.render(run_of(record("fp32", 2.0), record("qlora", 1.0)))
    shown = page.render(run_of(record("fp32", 2.0), record("lora", 0.5), record("qlora", 1.0)))
    assert "## What makes the difference\n\n### fp32 -> qlora: toy, tiny" in shown
    assert "| fewer trained parameters | x0.25, 200 % |" in shown
    assert "| lora | 500.0 ms | 953.7 MB | 0.9000 |" in shown.split("## Regimes side by side")[1]


def run_of(*records: Record) -> object:
    """A run of these trials, nothing judged."""
    from benchsuite.nouns import CaseResult, RunResult

    results = tuple(
        CaseResult(slug=cases.slug(r.case), case=r.case, records=(r,), baseline=None, verdicts=()) for r in records
    )
    return RunResult(run="run", machine="here", results=results, published={})


def test_the_page_shows_regimes_side_by_side_and_their_parts() -> None:
    """Both tables and what could not be told; nothing where there is nothing to take apart."""
    records = [record("fp32", 2.0, 2e9, 0.92), record("lora", 0.5, 1e9, 0.92), record("qlora", 1.0, 1e9, 0.9)]
    section = parts.section(of_regimes(records))
    assert section is not None
    beside, found, *said = section.blocks
    assert isinstance(beside, Table)
    assert [row[0] for row in beside.rows] == ["fp32", "lora", "qlora"]
    assert isinstance(found, Table)
    assert found.rows[0] == ("fewer trained parameters", "x0.25, 200 %", "-953.7 MB, 100 %", "+0.00 points, 0 %")
    assert any(isinstance(note, Note) and note.text.startswith("not told: only measured together") for note in said)
    assert parts.section(of_regimes(records[:1])) is None


def of_regimes(records: Iterable[Record]) -> RunResult:
    """A run of these records, a case each."""
    found = [
        CaseResult(slug=cases.slug(each.case), case=each.case, records=(each,), baseline=None, verdicts=())
        for each in records
    ]
    return RunResult(run="r", machine="m", results=tuple(found), published={})
