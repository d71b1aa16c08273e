"""Two records, runs or baselines against each other, by function and by command."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from explaining import OLD_PACKAGES, declared, side
from factories import make_case, make_record
from judging import GOLDEN
from typer.testing import CliRunner

from benchsuite import cli, sides, store
from benchsuite.cases import digest, slug
from benchsuite.nouns import Outcome, Status, SuiteError, UsageError
from benchsuite.pooling import pool
from benchsuite.registry import judges, metrics, reporters, rules
from benchsuite.versus import Bench, exit_code, versus

BENCH = Bench(metrics=metrics(), judges=judges(), rules=rules(), tolerances={})
MIB = 2**20
SAME = {"optimizer.updates": 120, "model.attention": "sdpa", "vram.after_load": 90 * MIB}
MAPS = [
    {"bert.embeddings.word_embeddings": {"class": "Embedding", "dtype": dtype, "trains": False},
     "classifier": {"class": "Linear", "dtype": dtype, "trains": True},
     "bert.encoder.layer.0.output.dense": {"class": "Linear4bit", "dtype": "uint8", "quant": "nf4", "trains": False}}
    for dtype in ("float16", "float32")
]  # fmt: skip
OLD = SAME | {"model.modules": MAPS[0], "model.dtypes": {"float16": 23_959_961, "uint8": 42_467_328}}
NEW = SAME | {
    "model.modules": MAPS[1], "model.dtypes": {"float32": 23_959_961, "uint8": 42_467_328},
    "vram.after_load": 90 * MIB + 2 * 23_959_961,
}  # fmt: skip


def compared(old, new):
    """What comes out of two sides."""
    return versus(old, new, name="A -> B", bench=BENCH)


def outcomes(found):
    """The outcomes of a comparison."""
    return {v.outcome for result in found.run.results for v in result.verdicts}


def recased(records, **change):
    """The same trials of a case with fields replaced."""
    case = replace(records[0].case, **change)
    return tuple(replace(record, case=case, digest=digest(case)) for record in records)


def test_the_same_twice_is_ok():
    """A side against itself says ok and ends with 0."""
    found = compared(side(SAME), side(SAME))
    assert outcomes(found) == {Outcome.OK}
    assert exit_code(found.run.results) == 0


def test_an_upgrade_is_judged_and_explained_as_in_a_run():
    """The first side stands for the baseline: same verdicts, same causes, no advice to promote."""
    found = compared(side(OLD, OLD_PACKAGES), side(NEW))
    assert exit_code(found.run.results) == 1
    text = reporters()["terminal"].render(found.run)
    assert "promote" not in text
    assert text == (GOLDEN / "versus.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "said"),
    [({"seed": 7}, "seed 42 -> 7"), ({"task_revision": "9"}, "task_revision 1 -> 9")],
)
def test_other_digests_are_incomparable_and_the_difference_shown(change, said):
    """Cases that meet but were set up otherwise give no answer: exit code 3, and why."""
    found = compared(side(SAME), recased(side(SAME), **change))
    assert outcomes(found) == {Outcome.INCOMPARABLE}
    assert {v.detail for r in found.run.results for v in r.verdicts} == {f"the baseline is of another case: {said}"}
    assert exit_code(found.run.results) == 3


def test_of_several_set_ups_those_on_both_sides_meet():
    """A shared digest is preferred to any other."""
    odd = recased(side(SAME), seed=7)
    found = compared((*side(SAME), *odd), odd)
    assert [result.case.seed for result in found.run.results] == [7]
    assert outcomes(found) == {Outcome.OK}


def test_cases_of_one_side_only_are_named():
    """What cannot be compared is not passed over."""
    alone = recased(side(SAME), regime="amp")
    found = compared((*side(SAME), *alone), side(SAME))
    assert found.only_old == (slug(alone[0].case),)
    assert found.only_new == ()


def test_a_failed_trial_leaves_no_answer():
    """A trial that failed is invalid: 3, unless something else regressed."""
    broken = tuple(replace(r, status=Status.FAILED, problem="no room", trial=9) for r in side(SAME)[:1])
    assert exit_code(compared(side(SAME), (*side(SAME), *broken)).run.results) == 3
    assert exit_code(compared(side(SAME), (*side(NEW), *broken)).run.results) == 1


def test_metrics_are_judged_as_declared():
    """The declarations of these tests are the meters' own."""
    assert declared(OLD) == metrics()


# ---------------------------------------------------------------- from disk


@pytest.fixture
def places(tmp_path):
    """A run "old", a run "new", a baseline and a folder of it, all of one case."""
    for name, records in {"old": side(OLD, OLD_PACKAGES), "new": side(NEW)}.items():
        (tmp_path / "results" / name / "records").mkdir(parents=True)
        for record in records:
            store.save_record(tmp_path / "results" / name, record)
    store.save_baseline(tmp_path / "machine" / "case.json", pool(side(OLD, OLD_PACKAGES)))
    return tmp_path


def record_of(places, run):
    """A run's first record's file."""
    return next(iter(sorted((places / "results" / run / "records").glob("*.json"))))


def call(places, *words):
    """The command's result."""
    return CliRunner().invoke(cli.app, ["compare", *map(str, words), "--results", str(places / "results")])


def test_every_kind_of_side_is_found(places):
    """Run by name and by folder, record by file, baseline by file and by folder."""
    results = places / "results"
    wanted = {"old": 2, str(results / "old"): 2, str(record_of(places, "old")): 1, str(results / "old" / "records"): 2,
              str(places / "machine" / "case.json"): 2, str(places / "machine"): 2}  # fmt: skip
    assert {text: len(sides.records(text, results)) for text in wanted} == wanted


@pytest.mark.parametrize("old", ["old", "machine/case.json", "machine"])
def test_the_command_ends_with_1_and_writes_verdicts(places, old):
    """Text for people, JSON for programs, causes in both."""
    first = old if old == "old" else places / old
    done = call(places, first, "new", "--json", places / "verdicts.json")
    assert done.exit_code == 1, done.output
    assert "24.0 M elements of unquantised modules are float32, were float16" in done.output
    verdicts = {v["metric"]: v for v in json.loads((places / "verdicts.json").read_text())}
    assert verdicts["vram.after_load"]["outcome"] == "regressed"
    assert verdicts["vram.after_load"]["cause"].startswith("24.0 M elements")


def test_the_command_ends_with_0_on_the_same(places):
    """A run against itself."""
    assert call(places, "old", "old").exit_code == 0


def test_what_is_not_there_is_a_usage_error(places):
    """A name that means nothing, a folder without records, a file of something else."""
    (places / "empty" / "records").mkdir(parents=True)
    (places / "note.json").write_text('{"schema": 1}')
    (places / "note.txt").write_text("hello")
    for text, said in {"nought": "no run 'nought'", str(places / "empty"): "holds no records"}.items():
        with pytest.raises(UsageError, match=said):
            sides.records(text, places / "results")
    with pytest.raises(SuiteError, match="neither a record nor a baseline"):
        sides.records(str(places / "note.json"), places / "results")
    with pytest.raises(SuiteError, match="is not valid JSON"):
        sides.records(str(places / "note.txt"), places / "results")


def test_sides_without_a_common_case_are_a_usage_error(places):
    """Both sides' cases are named."""
    other = places / "results" / "other"
    (other / "records").mkdir(parents=True)
    record = make_record(case=make_case(regime="amp"))
    store.save_record(other, record)
    done = call(places, "old", "other")
    assert isinstance(done.exception, UsageError)
    assert slug(record.case) in str(done.exception)
    assert digest(record.case) == record.digest


if __name__ == "__main__":
    made = reporters()["terminal"].render(compared(side(OLD, OLD_PACKAGES), side(NEW)).run)
    (GOLDEN / "versus.txt").write_text(made, encoding="utf-8")
