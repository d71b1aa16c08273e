"""Whole-output golden tests.

`python tests/test_reporters.py` rewrites the golden files; read the difference before you keep it.
"""

import csv
import io
from dataclasses import replace

import pytest
from judging import GOLDEN, cpu_result, gpu_case, gpu_record, published, result, run, unchanged, upgraded

from benchsuite.explain import explain
from benchsuite.nouns import Outcome, RunResult, Verdict
from benchsuite.registry import reporters, rules
from benchsuite.reporters._columns import HEADERS
from benchsuite.wording import tally


def explained():
    """The upgrade with its causes told, and one verdict accepted as known."""
    found = upgraded()
    known = {"params.total": Outcome.KNOWN}
    verdicts = tuple(replace(v, outcome=known.get(v.metric, v.outcome)) for v in found.verdicts)
    old = found.baseline.trials
    told = explain(verdicts, case=found.case, old=old, new=found.records, rules=rules())
    return replace(found, verdicts=told)


RUNS = {
    "upgrade-gone-wrong": lambda: run(explained(), unchanged(), cpu_result()),
    "unchanged": lambda: run(unchanged()),
    "first-run-on-cpu": lambda: replace(run(cpu_result()), machine="cpu-x86_64", published={}),
}
SUFFIX = {"terminal": "txt", "summary_csv": "csv", "markdown": "md"}
PAIRS = [(reporter, name) for reporter in SUFFIX for name in RUNS]


def golden(reporter, name):
    """The golden file of a reporter's output for a run."""
    return GOLDEN / f"{name}.{SUFFIX[reporter]}"


def render(reporter, given):
    """What a reporter says of a run."""
    return reporters()[reporter].render(given)


@pytest.mark.parametrize(("reporter", "name"), PAIRS)
def test_golden(reporter, name):
    """The whole output is as approved."""
    assert render(reporter, RUNS[name]()) == golden(reporter, name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", RUNS)
def test_terminal_is_narrow_plain_and_ends_with_the_tally(name):
    """At most 100 columns, no colour codes, failures before tables, the tally last."""
    given = RUNS[name]()
    lines = render("terminal", given).splitlines()
    assert max(map(len, lines)) <= 100
    assert "\x1b" not in "".join(lines)
    assert lines[-1] == tally([v for r in given.results for v in r.verdicts])


def test_terminal_holds_its_width_with_absurd_names():
    """A name or a text longer than a line is broken, not let through."""
    case = upgraded()
    long = tuple(
        replace(v, metric="m" * 150, case="c" * 130, title="t" * 90, detail="d" * 300, old="o" * 200)
        for v in case.verdicts
    )
    lines = render("terminal", run(replace(case, slug="s" * 130, verdicts=long))).splitlines()
    assert max(map(len, lines)) <= 100


def test_terminal_shows_failures_first():
    """The first section after the headline is what fails; an ok case's table stands below."""
    text = render("terminal", RUNS["upgrade-gone-wrong"]())
    order = [
        "FAILED: 6",
        "PACKAGES that differ",
        "IMPROVED: 1",
        "NOT JUDGED, inconclusive",
        "sst2--fp32--quick",
        "judged ",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_summary_has_the_eight_published_columns():
    """Columns are the published ones, rows the cases and then the published rows, as printed there."""
    table = list(csv.reader(io.StringIO(render("summary_csv", RUNS["upgrade-gone-wrong"]()))))
    assert table[0] == published()["columns"] == list(HEADERS)
    assert [row[0] for row in table[1:]] == [
        "qlora (bert-base-uncased, sst2, quick, cuda)",
        "fp32 (bert-base-uncased, sst2, quick, cuda)",
        "fp32 (toy-bert, toy, tiny, cpu)",
        "FP32 (published, Tesla T4)",
        "QLoRA (published, Tesla T4)",
    ]
    for row, name in ((table[4], "fp32"), (table[5], "qlora")):
        assert dict(zip(HEADERS[1:], row[1:], strict=True)) == published()["printed"][name]


def test_summary_leaves_empty_what_was_not_measured():
    """A CPU case has no VRAM; zero would be a lie."""
    row = next(csv.DictReader(io.StringIO(render("summary_csv", RUNS["first-run-on-cpu"]()))))
    assert [row[name] for name in HEADERS if "VRAM" in name] == ["", "", ""]
    assert row["Training Wall Time (min)"] == "0.0802"


def test_summary_is_the_median_over_good_trials():
    """Five trials are one row, at their middle."""
    case = gpu_case("fp32")
    records = tuple(gpu_record(case, i) for i in range(5))
    table = list(csv.DictReader(io.StringIO(render("summary_csv", run(result(case, records, None))))))
    assert table[0]["Training Wall Time (min)"] == f"{120.5 * 1.02 / 60:.2f}"


def test_markdown_tells_the_four_confounds_where_the_numbers_stand():
    """Every confound of the published run is told with its figures, below the table."""
    text = render("markdown", RUNS["unchanged"]())
    after = text[text.index("## The published columns") : text.index("## `sst2--fp32")]
    for part in (
        "about 1254 MB of the 1638.87",
        "432 MB",
        "13.8 ms",
        "no fp16 control",
        "no warm-up",
        "`notebook` profile",
    ):
        assert part in after, part


def test_markdown_cells_cannot_break_their_table():
    """Bars and newlines inside a value stay inside its cell."""
    case = unchanged()
    first = replace(case.verdicts[0], outcome=Outcome.INCONCLUSIVE, detail="a | b\nc", new="x | y")
    text = render("markdown", run(replace(case, verdicts=(first,))))
    table = [line for line in text.splitlines() if line.startswith("| INCONCLUSIVE")]
    assert table == [line for line in table if r"a \| b c" in line]
    assert len(table) == 1


@pytest.mark.parametrize("reporter", SUFFIX)
def test_an_empty_run_is_reported(reporter):
    """No case at all is no reason to crash."""
    assert render(reporter, RunResult(run="r", machine="m", results=(), published={}))


@pytest.mark.parametrize("reporter", ["terminal", "markdown"])
def test_every_verdict_is_shown(reporter):
    """No verdict of a run is left out of a report, whatever its outcome or role."""
    given = upgraded()
    base = given.verdicts[0]
    for outcome in Outcome:
        for role in type(base.role):
            odd: Verdict = replace(base, metric="the.odd.one", outcome=outcome, role=role, old="a", new="b")
            assert "the.odd.one" in render(reporter, run(replace(given, verdicts=(odd,)))), (outcome, role)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for chosen, run_name in PAIRS:
        golden(chosen, run_name).write_text(render(chosen, RUNS[run_name]()), encoding="utf-8")
