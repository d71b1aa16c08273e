"""History: what is kept of a run, the index under bad luck, what is shown of a metric, and the command.

`python tests/test_history.py` rewrites the golden files; read the difference before you keep it.
"""

from __future__ import annotations

import json
import math
import sqlite3
import subprocess
import sys
import xml.etree.ElementTree as ET
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from factories import (
    PACKAGES,
    make_approval,
    make_baseline,
    make_case,
    make_environment,
    make_metrics,
    make_provenance,
    make_record,
)
from hypothesis import given
from hypothesis import strategies as st
from judging import GOLDEN
from replays import STARTED, failed, recorded, recordings, slug_of
from test_cli import Command, command, measured  # noqa: F401 - a fixture

from benchsuite import known, promote, registry, store
from benchsuite.cases import slug
from benchsuite.history import ask, index, keep
from benchsuite.history.entries import Point, entry, typical
from benchsuite.history.plot import ASCII, HEIGHT, UNICODE, plot
from benchsuite.history.series import Event, Series, series
from benchsuite.history.svg import svg
from benchsuite.history.table import WIDTH, overview, render
from benchsuite.marks import mark
from benchsuite.nouns import Better, Measured, Status, SuiteError, UsageError
from benchsuite.units import show_many

CASE = slug(make_case())
SPACE = "{http://www.w3.org/2000/svg}"


def trial(day, step=0.012, **overrides):
    """A trial of that day, with a step time."""
    metrics = make_metrics() | {"time.step": Measured(value=step)}
    return make_record(**{"started": f"2026-11-{day:02d}T02:17:00+00:00", "metrics": metrics} | overrides)


def kept(day, *trials, outcome="ok", **overrides):
    """What history keeps of that day's run."""
    made = trials or (trial(day, **overrides),)
    return entry(f"202611{day:02d}-021700-abc{day:03d}", CASE, made, {"time.step": outcome}, registry.metrics())


def upgraded(version):
    """An environment with another transformers."""
    return make_environment(packages={**PACKAGES, "transformers": version})


def story():
    """Eleven nights: an upgrade makes steps slower, it is approved, another machine takes over, a fault is planted."""
    steps = [12.1, 12.0, 12.2, 12.1, 13.0, 13.1, 13.0, 12.9, 12.2, 12.3]
    nights = []
    for day, step in enumerate(steps, 1):
        environment = upgraded("5.23.0" if day < 5 else "5.24.0")
        if day > 8:
            environment = replace(environment, hardware={**environment.hardware, "cpu_model": "Another CPU"})
        trials = [trial(day, (step + i / 10) / 1000, trial=i, environment=environment) for i in range(3)]
        nights.append(kept(day, *trials, outcome="regressed" if day in (5, 6) else "ok"))
    planted = kept(11, trial(11, 0.020, injected="fault.py:slow", environment=environment), outcome="regressed")
    return [*nights, planted]


BASELINE = make_baseline(
    trials=(trial(6, 0.013),),
    history=(
        make_approval(when="2026-10-01T08:00:00+00:00", reason="an older one"),
        make_approval(when="2026-10-31T08:00:00+00:00", reason="first figures"),
        make_approval(when="2026-11-02T08:00:00+00:00", reason="of memory alone", only="*/vram.*"),
        make_approval(when="2026-11-06T09:00:00+00:00", reason="upgrade reviewed, see issue 12", only="*fp32*/time.*",
                      changes=("time.train: 4.8 -> 4.9 s", "time.step: 12.1 -> 13.1 ms (+8.3 %)")),
    ),
)  # fmt: skip


def told(results, metric="time.step", **more):
    """The series of a metric in an index."""
    return series(index.points(results, metric, **more), registry.metrics(), {("cpu-x86_64", CASE): BASELINE})


@pytest.fixture
def results(tmp_path):
    """A folder whose index holds the story."""
    index.add(tmp_path / "results", story())
    return tmp_path / "results"


# ---------------------------------------------------------------- what is kept


def test_every_metric_of_a_run_is_kept_with_its_trials_and_outcome():
    """Numbers as they are, structures by their mark, whatever else failed left out."""
    bad = make_record(trial=2, status=Status.FAILED, problem="no memory\nat all", metrics={}, fingerprint={})
    found = kept(1, trial(1, 0.012), trial(1, 0.014, trial=1), bad)
    figures = {f.metric: f for f in found.figures}
    assert figures["time.step"].values == (0.012, 0.014)
    assert (figures["time.step"].outcome, figures["time.train"].outcome) == ("ok", "")
    assert figures["optimizer.lr"].values == (mark([0.0005, 0.00025, 0.0]),) * 2
    assert figures["optimizer.lr"].values[:1] == known.values([trial(1)], "optimizer.lr"), "what known.toml takes"
    assert (found.problem, found.injected, found.suite) == ("", "", "0.1.0")
    assert found.packages["transformers"] == "5.23.0"
    assert "pytest" not in found.packages
    nothing = kept(1, bad)
    assert (nothing.figures, nothing.problem) == ((), "no memory")


def test_the_same_trials_have_one_id_whatever_the_run_is_called():
    """Judged again or downloaded, they are the same measurement; another trial is another."""
    first, again = (entry(run, CASE, (trial(1),), {}, {}) for run in ("one", "two"))
    assert first.id == again.id
    assert first.id != entry("one", CASE, (trial(1, seconds=12.500001),), {}, {}).id


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_typical_number_lies_among_its_trials(values):
    """The median."""
    assert min(values) <= typical(values) <= max(values) or math.isinf(sum(map(abs, values)))


def test_typical_marks_are_one_or_counted():
    """Trials that differ are not told as one of them."""
    assert typical(["#a", "#a"]) == "#a"
    assert typical(["#a", "#b", "#a"]) == "2 different"


@given(st.lists(st.floats(1e-6, 1e6), min_size=2), st.sampled_from(["s", "B", "1", "J", ""]))
def test_values_of_a_column_tell_a_tenth_of_their_span(values, unit):
    """Where ends differ by more than what people never want to see, their texts differ."""
    low, high = min(values), max(values)
    if high - low > 1e-3 * high:
        a, b = show_many((low, high), unit)
        assert a != b


# ---------------------------------------------------------------- the index


def test_points_come_oldest_first_and_by_glob(results):
    """By metric, case and machine."""
    points = index.points(results, "time.step")
    assert [p.started[8:10] for p in points] == [f"{day:02d}" for day in range(1, 12)]
    assert points[4].values == pytest.approx((0.0130, 0.0131, 0.0132))
    assert (points[4].outcome, points[4].value, points[10].injected) == (
        "regressed",
        typical(points[4].values),
        "fault.py:slow",
    )
    assert {p.metric for p in index.points(results, "time.*")} == {"time.step", "time.train"}
    assert index.points(results, "time.step", case="*qlora*") == ()
    assert index.points(results, "time.step", machine="tesla-*") == ()
    assert "optimizer.lr" in index.metrics(results)
    assert len(index.entries(results)) == 11


def test_without_an_index_there_is_nothing_and_nothing_is_made(tmp_path):
    """Reading writes no file."""
    assert (index.points(tmp_path), index.entries(tmp_path), index.metrics(tmp_path)) == ((), (), ())
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_goes_on_replaces_what_it_had_said(results):
    """Resumed, it has more trials; its other cases stay."""
    index.add(results, [kept(3, trial(3, 0.5), trial(3, 0.7, trial=1))])
    points = index.points(results, "time.step")
    assert len(points) == 11
    assert points[2].values == (0.5, 0.7)


def test_the_same_trials_are_kept_once(results):
    """A copy under another name is told and not added."""
    copy = replace(story()[2], run="copy")
    assert index.add(results, [copy]) == (story()[2].run,)
    assert len(index.points(results, "time.step")) == 11


WRITER = """
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
folder, results, name = sys.argv[1:]
sys.path[:0] = [folder]
from test_history import kept, trial
from benchsuite.history import index
for day in range(1, 26):
    index.add(Path(results), [replace(kept(day, trial(day, trial=int(name))), run=f"{name}-{day}")])
"""


def test_runs_that_end_at_once_do_not_lose_each_other(tmp_path):
    """Two processes, twenty-five runs each, into an index that neither of them found there."""
    words = [sys.executable, "-c", WRITER, str(Path(__file__).parent), str(tmp_path / "results")]
    writers = [subprocess.Popen([*words, name], stderr=subprocess.PIPE) for name in "12"]
    assert [(w.communicate()[1], w.returncode) for w in writers] == [(b"", 0)] * 2
    assert len(index.points(tmp_path / "results", "time.step")) == 50


KILLED = """
import os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA cache_size=1")
db.execute("BEGIN IMMEDIATE")
db.execute("DELETE FROM figures")
db.execute("UPDATE entries SET run='half'")
os._exit(9)
"""


def test_a_run_that_is_killed_while_it_writes_leaves_no_half(results):
    """The next reader undoes what it had begun."""
    before = index.points(results)
    subprocess.run([sys.executable, "-c", KILLED, str(index.place(results))], check=False)
    assert index.place(results).with_name(f"{index.NAME}-journal").exists()
    assert index.points(results) == before
    assert keep.rebuild(results) == keep.Kept(cases=0, runs=0, left_out=())


def damage(path, how):
    """Does to an index what disks and hands do."""
    if how == "overwritten":
        path.write_bytes(b"no database at all" * 100)
    elif how == "cut short":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    elif how == "pages lost":
        data = bytearray(path.read_bytes())
        data[4096:] = bytes(len(data) - 4096)
        path.write_bytes(data)
    else:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute({"newer": "PRAGMA user_version=99", "a table gone": "DROP TABLE figures",
                        "another's": "PRAGMA application_id=7",
                        "strange words": "UPDATE entries SET packages='{'"}[how])  # fmt: skip


WAYS = {
    "overwritten": "is damaged (file is not a database). Make it anew from the records: benchsuite history --rebuild",
    "cut short": "is damaged (database disk image is malformed)",
    "pages lost": "is damaged (",
    "a table gone": "is damaged (no such table: figures)",
    "strange words": "is damaged (",
    "newer": "was written by a newer benchsuite (schema 99, this one reads 1): upgrade benchsuite",
    "another's": "is no index of benchsuite's. Move it away, or: benchsuite history --rebuild",
}


@pytest.mark.parametrize("how", WAYS)
def test_a_damaged_index_is_told_in_one_sentence_and_made_anew(results, how):
    """The file and the way out are named; the way out works, from the records of the runs that are there."""
    run = store.new_run(results, now=STARTED)
    for record in recordings():
        store.save_record(run, record)
    damage(index.place(results), how)
    with pytest.raises(SuiteError) as found:
        index.points(results, "time.step")
    assert f"{index.place(results)} {WAYS[how]}" in str(found.value)
    assert keep.rebuild(results) == keep.Kept(cases=2, runs=1, left_out=())
    assert {p.run for p in index.points(results, "time.step")} == {run.name}
    assert {p.name for p in results.iterdir()} == {index.NAME, run.name}


def test_an_index_that_is_held_is_waited_for_and_then_told(results, monkeypatch):
    """Not damaged: nothing is made anew."""
    monkeypatch.setattr(index, "PATIENCE", 0.1)
    with closing(sqlite3.connect(index.place(results))) as other:
        other.execute("BEGIN EXCLUSIVE")
        for call in (lambda: index.add(results, story()[:1]), lambda: index.rebuild(results, ())):
            with pytest.raises(SuiteError, match=r"database is locked.*wait for the run that holds it"):
                call()
    assert len(index.points(results, "time.step")) == 11


def test_a_rebuild_keeps_what_ended_meanwhile_and_drops_what_is_gone(results):
    """Runs without a folder go; one that was added after the records were read stays."""
    (results / story()[7].run / "records").mkdir(parents=True)
    index.rebuild(results, [kept(20)])
    assert [p.started[8:10] for p in index.points(results, "time.step")] == ["08", "20"]


# ---------------------------------------------------------------- what happened between


def test_promotions_versions_and_machines_stand_between_runs(results):
    """Those of this metric; of what came before the first run the last alone."""
    (found,) = told(results)
    assert [(m.event, m.at, m.text) for m in found.marks] == [
        (Event.PROMOTED, 0, "2026-10-31: first figures"),
        (Event.VERSIONS, 4, "transformers 5.23.0 -> 5.24.0"),
        (Event.PROMOTED, 6, "2026-11-06: upgrade reviewed, see issue 12 (12.1 -> 13.1 ms (+8.3 %))"),
        (Event.HARDWARE, 8, "cpu_model Example CPU @ 2.00GHz -> Another CPU"),
    ]
    assert (found.baseline, found.unit, found.better) == (0.013, "s", Better.LOWER)


def test_a_newer_suite_is_told(tmp_path):
    """It may read a metric otherwise."""
    index.add(tmp_path, [kept(1), kept(2, suite="0.2.0")])
    (found,) = told(tmp_path)
    assert [m.text for m in found.marks if m.event is Event.VERSIONS] == ["benchsuite 0.1.0 -> 0.2.0"]


def test_another_case_under_the_same_name_is_told(tmp_path):
    """Its definition, its rows, or a meter that reads in another way: such values do not compare."""
    other = make_provenance(data="real", data_digest="00")
    runs = [kept(1), kept(2, digest="0" * 16), kept(3, digest="0" * 16, provenance=other),
            kept(4, digest="0" * 16, provenance=other, readings={"time.step": 2})]  # fmt: skip
    index.add(tmp_path, runs)
    (found,) = told(tmp_path)
    assert [(m.at, m.text) for m in found.marks if m.event is Event.CASE] == [
        (1, f"definition {make_record().digest} -> {'0' * 16}"),
        (2, "data synthetic -> real, data_digest 5f1d0c3b9a7e4420 -> 00"),
        (3, "reading 1 -> 2"),
    ]


def test_cases_and_machines_are_apart(tmp_path):
    """One series each."""
    other = replace(kept(2), machine="tesla-t4-15gb", id="x")
    index.add(tmp_path, [kept(1), other, replace(kept(3), case="another", id="y")])
    assert [(s.machine, s.case) for s in told(tmp_path)] == [
        ("cpu-x86_64", "another"), ("cpu-x86_64", CASE), ("tesla-t4-15gb", CASE),
    ]  # fmt: skip


# ---------------------------------------------------------------- what is shown


def structures(tmp_path):
    """A structure that changed once, and back."""
    prints = [{"optimizer.lr": lr} for lr in ([1.0], [1.0], [0.5], [1.0])]
    index.add(tmp_path, [kept(day, fingerprint=p) for day, p in enumerate(prints, 1)])
    return told(tmp_path, "optimizer.lr")


def shown(folder):
    """The golden files of the story, by their names."""
    index.add(folder / "a", story())
    found = told(folder / "a")
    left_out = ["20261112-021700-abc012, " + CASE + ": no trial went well: no memory"]
    return {
        "history.txt": render(found, left_out),
        "history-structure.txt": render(structures(folder / "b"), []),
        "history-overview.txt": overview(index.entries(folder / "a"), index.metrics(folder / "a"), registry.metrics()),
        "history.svg": svg(found),
    }


@pytest.mark.parametrize("name", ["history.txt", "history-structure.txt", "history-overview.txt", "history.svg"])
def test_golden(name, tmp_path):
    """The whole output is as approved."""
    assert shown(tmp_path)[name] == (GOLDEN / name).read_text(encoding="utf-8")


def test_the_text_is_narrow(tmp_path):
    """At most 100 columns, whatever a reason says."""
    assert max(len(line) for text in list(shown(tmp_path).values())[:3] for line in text.splitlines()) <= WIDTH


def test_the_newest_runs_are_listed_and_the_rest_counted(results):
    """`last` limits the list; the plot keeps what fits."""
    text = render(told(results), [], last=2)
    assert "9 earlier runs: --last 0 lists them" in text
    assert text.count("20261111-") == 1
    assert "20261109-" not in text


def point(day, *values):
    """A point of a metric in seconds."""
    return Point(
        metric="m", unit="s", run=f"r{day}", machine="x", case="c", started=f"2026-01-{day % 28 + 1:02d}", suite="1",
        packages={}, hardware={}, definition="d", inputs={}, reading=1, injected="",
        value=typical(values), values=values, outcome="ok",
    )  # fmt: skip


def of(*points, baseline=None):
    """A series of points."""
    return Series(metric="m", title="m", unit="s", better=Better.LOWER, case="c", machine="x", points=points,
                  marks=(), baseline=baseline)  # fmt: skip


NUMBERS = st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=4)


@given(st.lists(NUMBERS, min_size=2, max_size=200), st.one_of(st.none(), st.floats(1e-9, 1e9)))
def test_any_numbers_can_be_drawn(runs, baseline):
    """A point a run that fits, within the width."""
    points = [point(i, *values) for i, values in enumerate(runs)]
    drawn = plot(of(*points, baseline=baseline), width=60)
    assert max(map(len, drawn)) <= 62
    assert min(len(points), 15) <= sum(line.count(UNICODE.point) for line in drawn[:HEIGHT]) <= len(points)
    ET.fromstring(svg([of(*points, baseline=baseline)]))


@pytest.mark.parametrize("values", [(math.nan, 1.0), (math.inf, 1.0), (0.0, 0.0), (-math.inf, math.inf)])
def test_what_no_axis_has_is_drawn_without_an_error(values):
    """NaN and infinities are somewhere, and the file is XML."""
    found = of(*(point(i, value) for i, value in enumerate(values)))
    assert len(plot(found, width=60, glyphs=ASCII)) >= HEIGHT
    ET.fromstring(svg([found]))


def test_one_run_has_no_plot():
    """A single point is no course."""
    assert plot(of(point(1, 1.0)), width=60) == []


def test_the_svg_tells_everything_in_words(results):
    """Each point and mark has a title; failing and injected runs have another shape; nothing comes from elsewhere."""
    text = svg(told(results))
    root = ET.fromstring(text)
    titles = [each.text for each in root.iter(f"{SPACE}title")]
    assert titles[0] == "History of time.step"
    assert "promoted 2026-10-31: first figures" in titles
    assert sum("regressed" in title for title in titles) == 2
    assert sum("injected: fault.py:slow" in title for title in titles) == 1
    assert len(list(root.iter(f"{SPACE}circle"))) == 8
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_words_from_elsewhere_are_text_in_the_svg():
    """A downloaded record cannot bring markup."""
    evil = replace(point(1, 1.0), run="<script>x</script>", case='"><script>')
    text = svg([replace(of(evil, point(2, 2.0)), case=evil.case)])
    assert "<script" not in text
    ET.fromstring(text)


# ---------------------------------------------------------------- questions


def asked(results, metric="time.step", **more):
    """The answer to a question, with no baselines."""
    return ask.ask(metric, results=results, baselines=results / "none", **more)


def test_runs_with_a_planted_fault_are_left_out_unless_asked_for(results):
    """And told."""
    found = asked(results)
    assert len(found.series[0].points) == 10
    (line,) = found.left_out
    assert "a fault was planted, fault.py:slow (--injected shows it)" in line
    found = asked(results, injected=True)
    assert (len(found.series[0].points), found.left_out) == (11, ())


def test_runs_without_a_good_trial_are_told(results):
    """They have no point."""
    index.add(results, [kept(20, make_record(status=Status.FAILED, problem="no memory", metrics={}, fingerprint={}))])
    assert any(line.endswith("no trial went well: no memory") for line in asked(results).left_out)


@pytest.mark.parametrize(
    ("metric", "more", "words"),
    [
        (
            "tme.step",
            {},
            "no run measured 'tme.step'. Did you mean 'time.step'? benchsuite history lists what there is.",
        ),
        ("time.step", {"case": "*fp33*"}, f"no case '*fp33*' has 'time.step'. It is measured in: {CASE}."),
        ("time.step", {"machine": "t4"}, "no case '*' on 't4' has 'time.step'."),
    ],
)
def test_a_misspelt_question_is_answered_with_a_suggestion(results, metric, more, words):
    """A usage error in one sentence."""
    with pytest.raises(UsageError) as found:
        asked(results, metric, **more)
    assert words in str(found.value)


def test_before_the_first_run_it_is_said_how_one_gets_there(tmp_path):
    """Asked for a metric, and asked for anything."""
    with pytest.raises(UsageError, match=r"no run is in the history .* yet: measure, or benchsuite history --add RUN"):
        asked(tmp_path)
    assert "no run is in the history yet" in overview((), (), {})


# ---------------------------------------------------------------- runs on disk


def run_of(folder, *records, name="source"):
    """A run's folder with records."""
    run = store.new_run(folder, now=STARTED)
    for record in records or recordings():
        store.save_record(run, record)
    return run.rename(run.with_name(name))


def test_a_rebuild_reads_records_and_verdicts_once_each(tmp_path):
    """A run judged again is no second measurement; pairs and what cannot be read are left out and told."""
    run = run_of(tmp_path, name="1-first")
    verdicts = [{"case": slug_of("fp32"), "metric": "time.step", "outcome": "regressed"}]
    (run / "verdicts.json").write_text(json.dumps(verdicts))
    run_of(tmp_path, name="2-judged-again")
    run_of(tmp_path, replace(recorded("fp32"), pair=0, order=1, seconds=1.0), name="3-pairs")
    (run_of(tmp_path, name="4-broken") / "records" / "x.json").write_text("{")
    (run_of(tmp_path, replace(recorded("fp32"), seconds=2.0), name="5-odd") / "verdicts.json").write_text("[3]")
    run_of(tmp_path, name=".1-first.0a1b.tmp")
    (tmp_path / "latest").symlink_to("1-first")
    found = keep.rebuild(tmp_path)
    assert [line.partition(":")[0] for line in found.left_out] == ["3-pairs", "4-broken", "5-odd"]
    points = index.points(tmp_path, "time.step")
    assert {(p.run, p.case, p.outcome) for p in points} == {
        ("1-first", slug_of("fp32"), "regressed"), ("1-first", slug_of("qlora"), ""),
    }  # fmt: skip


def test_a_run_from_elsewhere_is_taken_in_with_its_files(tmp_path):
    """By its folder, or all of a folder; it can be compared and rebuilt from afterwards. Twice changes nothing."""
    away, here = tmp_path / "away", tmp_path / "results"
    run_of(away, name="a")
    run_of(away, failed(replace(recorded("fp32"), seconds=3.0)), name="b")
    assert keep.bring([str(away)], here) == keep.Kept(cases=3, runs=2, left_out=())
    assert {p.name for p in here.iterdir()} == {"a", "b", index.NAME}
    assert keep.bring([str(here / "a")], here).left_out == ()
    assert keep.bring([str(away / "a")], here).left_out == ("a: the same trials are there as a",)
    before = index.points(here)
    index.place(here).unlink()
    keep.rebuild(here)
    assert index.points(here) == before


def test_the_same_run_under_another_name_is_told(tmp_path):
    """No copy is made."""
    here = tmp_path / "results"
    keep.bring([str(run_of(tmp_path / "away", name="a"))], here)
    found = keep.bring([str(run_of(tmp_path / "away", name="b"))], here)
    assert found == keep.Kept(cases=0, runs=0, left_out=("b: the same trials are there as a",))
    assert not (here / "b").exists()


def not_there(away, here):
    """No run at all."""
    return away / "nothing"


def of_pairs(away, here):
    """What `benchsuite ab` leaves."""
    return run_of(away, replace(recorded("fp32"), pair=1), name="p")


def one_record(away, here):
    """A file of a run."""
    return next((run_of(away) / "records").iterdir())


def namesake(away, here):
    """A run whose name is taken."""
    run_of(here, replace(recorded("fp32"), seconds=9.0), name="x")
    return run_of(away, name="x")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (not_there, "no run '"),
        (of_pairs, "holds pairs of two environments"),
        (one_record, "is one record: give its run's folder"),
        (namesake, "has another run x: rename one of them"),
    ],
)
def test_what_cannot_be_taken_in_is_told(tmp_path, make, words):
    """In one sentence; nothing is copied."""
    text = str(make(tmp_path / "away", tmp_path / "results"))
    with pytest.raises(UsageError) as found:
        keep.bring([text], tmp_path / "results")
    assert words in str(found.value)
    assert not index.place(tmp_path / "results").exists()


# ---------------------------------------------------------------- the command


@pytest.mark.usefixtures("imported")
def test_the_command_takes_in_lists_and_shows(command: Command, tmp_path):  # noqa: F811
    """From a run of elsewhere to table, plot and JSON; a mistake ends with 2."""
    run_of(tmp_path / "away", name="20251103-one")
    second = [replace(r, started=r.started.replace("2026", "2027"), seconds=1.0) for r in recordings()]
    run_of(tmp_path / "away", *second, name="20261103-two")
    code, out, err = command("history", "--add", "away")
    assert (code, out, err) == (0, "", "2 runs, 4 cases taken in")
    code, out, _ = command("history")
    assert code == 0
    assert out.startswith("2 runs, ")
    promote.promote([tmp_path / "away" / "20251103-one"], baselines=tmp_path / "baselines", reason="ours",
                    now="2025-12-01T00:00:00+00:00", metrics=registry.metrics())  # fmt: skip
    words = ("history", "time.step", "--case", "*qlora*", "--svg", "plot.svg", "--json", "points.json")
    code, out, _ = command(*words)
    assert code == 0
    assert "promoted 2025-12-01: ours" in out
    assert "20251103-one" in out
    ET.fromstring(Path("plot.svg").read_text())
    (one,) = json.loads(Path("points.json").read_text())["series"]
    assert [p["run"] for p in one["points"]] == ["20251103-one", "20261103-two"]
    code, out, _ = command("history", "time.step", "--json", "-")
    assert len(json.loads(out)["series"]) == 2
    code, _, err = command("history", "tme.step")
    assert code == 2
    assert "Did you mean 'time.step'?" in err
    index.place(tmp_path / "results").write_bytes(b"x" * 5000)
    code, _, err = command("history", "time.step")
    assert code == 2
    assert "benchsuite history --rebuild" in err
    assert command("history", "--rebuild")[2] == "2 runs, 4 cases taken in"
    assert command("history", "time.step")[0] == 0


@pytest.mark.usefixtures("imported")
def test_a_judged_again_run_is_not_measured_again(command: Command, tmp_path):  # noqa: F811
    """A replay adds nothing to the history."""
    measured()
    assert command("run", "--replay", "source")[0] == 0
    assert not index.place(tmp_path / "results").exists()


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as made:
        for file, text in shown(Path(made)).items():
            (GOLDEN / file).write_text(text, encoding="utf-8")
