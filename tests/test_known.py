"""Accepted deviations: the file, what it accepts, what it no longer accepts, under pytest and as a command."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import METRICS, MIB, gpu_baseline, gpu_case, gpu_record, result, unchanged, upgraded, values
from replays import Project, bigger, recorded, verdicts, worse
from test_cli import Command, command, measured  # noqa: F401 - a fixture

from benchsuite.known import Accepted, Known, accept, remarks
from benchsuite.known import values as marks
from benchsuite.known_entries import KEYS, OPTIONAL, check, entries
from benchsuite.nouns import Outcome, UsageError

TODAY = date(2026, 11, 24)
ENTRY = 'case = "*qlora*"\nmetric = "vram.after_reload"\nbound = "60 %"\nuntil = 2026-12-31\nreason = "wider head"\n'


def read(text, file="known.toml"):
    """The entries of a file's text."""
    return entries(tomllib.loads(text), file)


def entry(**fields):
    """An entry for all of qlora's cases, with any field replaced."""
    plain = {"place": 1, "case": "*--qlora--*", "metric": "vram.after_reload", "machine": "*", "bound": "60 %",
             "until": date(2026, 12, 31), "reason": "wider head", "link": ""}  # fmt: skip
    return Known(**plain | fields)


def accepted(*known, found=None):
    """A result, by default an upgrade gone wrong, judged with these entries: verdicts by metric, and remarks."""
    found = found or upgraded()
    all_of = Accepted(entries=known, today=TODAY)
    told = replace(found, verdicts=accept(found.verdicts, all_of, found.records))
    return {v.metric: v for v in told.verdicts}, remarks(all_of, [told])


# ---------------------------------------------------------------- the file


def test_an_entry_is_read_whole():
    """Every key arrives; a day may be a text; what is optional has its default."""
    (first, second) = read(
        f"[[known]]\n{ENTRY}\n[[known]]\n{ENTRY.replace('2026-12-31', chr(34) + '2026-12-31' + chr(34))}"
        'link = "https://example.org/7"\nmachine = "tesla-*"\n'
    )
    assert first == entry(case="*qlora*")
    assert second == entry(place=2, case="*qlora*", link="https://example.org/7", machine="tesla-*")
    assert read("") == ()


MALFORMED = {
    "another table": ("[[knwn]]\n", "known.toml knows no 'knwn': each entry stands under a line [[known]]"),
    "one bracket": (f"[known]\n{ENTRY}", "[[known]], in double brackets"),
    "a list of texts": ('known = ["x"]', "[[known]], in double brackets"),
    "an unknown key": (f'[[known]]\n{ENTRY}resaon = "x"', "entry 1 knows no 'resaon'. Did you mean 'reason'?"),
    "no reason": ("[[known]]\n" + ENTRY.replace("reason", "link"), "entry 1 lacks reason: reason is a text"),
    "an empty reason": ("[[known]]\n" + ENTRY.replace("wider head", " "), "entry 1: reason is a text, not ' '"),
    "no such day": ("[[known]]\n" + ENTRY.replace("2026-12-31", '"soon"'), "until is a day such as 2027-01-31"),
    "a number as day": ("[[known]]\n" + ENTRY.replace("2026-12-31", "2026"), "until is a day such as 2027-01-31"),
    "a bound in words": ("[[known]]\n" + ENTRY.replace("60 %", "much"), 'bound is a distance such as "8 %"'),
    "a bare number": ("[[known]]\n" + ENTRY.replace('"60 %"', "60"), 'bound is a distance such as "8 %"'),
    "a short digest": ("[[known]]\n" + ENTRY.replace("60 %", "#12ab"), 'or the "#..." of a value, not'),
    "the second": (f"[[known]]\n{ENTRY}[[known]]\n", "entry 2 lacks case and metric and bound and until and reason"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_told_by_file_entry_and_key(name):
    """One message each."""
    text, words = MALFORMED[name]
    with pytest.raises(UsageError) as told:
        read(text)
    assert words in str(told.value)
    assert str(told.value).startswith("known.toml")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metric": "vram.after_relaod"}, "entry 1: no metric matches 'vram.after_relaod'. Did you mean 'vram.after"),
        ({"bound": "3 s"}, "entry 1, bound: tolerance '3 s' is in s, but the metric that it is set for is in B"),
    ],
)
def test_an_entry_that_no_metric_takes_is_told(change, words):
    """A misspelt metric would accept nothing and nobody would see."""
    with pytest.raises(UsageError) as told:
        check([entry(**change)], METRICS, "known.toml")
    assert words in str(told.value)
    check([entry(), entry(bound="any"), entry(bound="#0123456789ab")], METRICS, "known.toml")


WRITTEN = st.one_of(st.sampled_from(["", " ", "any", "8 %", "#0123456789ab", "2027-01-31"]), st.integers(), st.dates())


@given(st.dictionaries(st.sampled_from([*KEYS, "x"]), WRITTEN))
def test_any_table_is_read_or_refused_in_words(table):
    """Whatever a hand writes, the answer is an entry or one message."""
    told = ""
    try:
        (found,) = entries({"known": [table]}, "known.toml")
    except UsageError as error:
        told = str(error)
    assert "entry 1" in told or (set(KEYS) - set(OPTIONAL) <= set(table) and found.reason)


# ---------------------------------------------------------------- what is accepted


def test_what_is_within_the_bound_is_known_with_its_reason():
    """It fails no more, says why and until when, and asks for nothing; nothing else is touched."""
    before = {v.metric: v for v in upgraded().verdicts}
    after, told = accepted(entry(link="https://example.org/7"))
    known = after["vram.after_reload"]
    assert (known.outcome, known.fails, known.advice) == (Outcome.KNOWN, False, "")
    assert known.detail.startswith("known until 2026-12-31: wider head (https://example.org/7)")
    assert {n: v for n, v in after.items() if n != known.metric} == {
        n: v for n, v in before.items() if n != known.metric
    }
    assert told == ()


REFUSED = {
    "beyond": ({"bound": "40 %"}, "known.toml, entry 1, accepts up to 40 %, this is +51 %"),
    "beyond in bytes": ({"bound": "40 MiB"}, "known.toml, entry 1, accepts up to 40 MiB, this is 45.7 MB"),
    "past": ({"until": date(2026, 11, 23)}, "accepted this until 2026-11-23, which is past: wider head"),
    "another structure": (
        {"metric": "model.dtypes", "bound": "#0123456789ab"},
        "accepts the value #0123456789ab, not #",
    ),
    "a distance of a structure": ({"metric": "model.dtypes", "bound": "3 %"}, 'which is for numbers: give the "#..."'),
    "missing": ({"metric": "vram.peak.evaluate"}, "does not help: what is invalid cannot be known"),
    "a failed trial": ({"metric": "trial", "bound": "any"}, "does not help: what is invalid cannot be known"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_accepted_fails_with_the_reason_why_not(name):
    """Beyond the bound, past the day, or no deviation at all."""
    change, words = REFUSED[name]
    made = entry(**change)
    after, _ = accepted(made)
    assert after[made.metric].fails
    assert words in after[made.metric].detail


@pytest.mark.parametrize("change", [{"until": TODAY}, {"bound": "46 MiB"}, {"bound": "any"}, {"metric": "vram.*"}])
def test_bounds_and_last_days_are_included(change):
    """The day itself still counts, and globs do."""
    after, _ = accepted(entry(**change))
    assert after["vram.after_reload"].outcome is Outcome.KNOWN


@pytest.mark.parametrize("change", [{"case": "*--fp32--*"}, {"machine": "tesla-*"}, {"metric": "vram.peak.train"}])
def test_what_an_entry_is_not_about_is_untouched(change):
    """Other cases, machines and metrics are judged as ever."""
    after, _ = accepted(entry(**change))
    assert tuple(after.values()) == tuple({v.metric: v for v in upgraded().verdicts}.values())


def test_one_entry_of_several_is_enough():
    """The first that accepts is told; the refusals of others are not."""
    after, _ = accepted(entry(bound="1 %"), entry(place=2, reason="as it is"))
    assert after["vram.after_reload"].detail.startswith("known until 2026-12-31: as it is")
    assert "entry 1" not in after["vram.after_reload"].detail


def test_a_structure_is_known_by_its_digest():
    """The very value is accepted, and the next change of it fails."""
    found = upgraded()
    (now,) = marks(found.records, "model.dtypes")
    after, _ = accepted(entry(metric="model.dtypes", bound=now))
    assert after["model.dtypes"].outcome is Outcome.KNOWN
    moved = tuple(
        replace(r, fingerprint={**r.fingerprint, "model.dtypes": {"float64": 1}}) if r.fingerprint else r
        for r in found.records
    )
    after, _ = accepted(entry(metric="model.dtypes", bound=now), found=replace(found, records=moved))
    assert after["model.dtypes"].fails


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.floats(0.01, 500, allow_nan=False))
def test_a_share_accepts_exactly_what_lies_within_it(old, new, bound):
    """As arithmetic has it, whichever way it moved."""
    case = gpu_case()
    baseline = replace(gpu_baseline(case, 1), trials=(gpu_record(case, metrics=values(params__total=old)),))
    found = result(case, (gpu_record(case, metrics=values(params__total=new)),), baseline)
    after, _ = accepted(entry(metric="params.total", bound=f"{bound:.6f} %"), found=found)
    within = abs(new - old) <= float(f"{bound:.6f}") / 100 * old
    assert after["params.total"].fails == (new != old and not within)


# ---------------------------------------------------------------- entries of no use


def test_an_entry_for_what_no_longer_deviates_is_told():
    """By its place, metric and case."""
    _, told = accepted(entry(case="*", metric="vram.*"), found=unchanged())
    assert told == ("known.toml, entry 1 (vram.* of *) accepts what no longer deviates: remove the entry",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metric": "energy.gone"}, "names no figure of this run: remove the entry"),
        ({"until": date(2026, 1, 1)}, "is past its day, 2026-01-01: what it accepted fails again"),
        ({"until": date(2026, 1, 1), "metric": "vram.peak.train"}, "is past its day, 2026-01-01: remove the entry"),
    ],
)
def test_other_entries_of_no_use_are_told(change, words):
    """Past its day, or for a figure that there is not."""
    _, told = accepted(entry(**change))
    assert len(told) == 1
    assert words in told[0]


@pytest.mark.parametrize("change", [{"case": "*--amp--*"}, {"machine": "tesla-t4-15gb"}, {"metric": "time.train"}])
def test_of_what_was_not_judged_nothing_is_said(change):
    """A run of other cases, or too few trials, shows nothing about an entry."""
    _, told = accepted(entry(**change))
    assert told == ()


def test_without_a_baseline_nothing_is_said():
    """No figure was judged."""
    case = gpu_case()
    found = result(case, (gpu_record(case),), None)
    assert accepted(entry(), found=found)[1] == ()


# ---------------------------------------------------------------- under pytest and as a command


def accept_file(project: Project, text: str) -> None:
    """Writes the project's known.toml."""
    (project.path / "baselines" / "known.toml").write_text(text)


SAVED = f"""
[[known]]
case = "*--fp32--*"
metric = "saved.bytes"
bound = "{32 * MIB} B"
until = 9999-12-31
reason = "the head is saved twice"
"""


def test_pytest_shows_a_known_deviation_and_ends_with_0(judged: Project) -> None:
    """Its item passes; the summary and the report give the reason; the verdict is `known` for programs."""
    judged.record(bigger(recorded("fp32")), recorded("qlora"))
    assert judged.judge().ret == 1
    accept_file(judged, SAVED)
    run = judged.judge()
    assert run.ret == 0
    text = " ".join(run.stdout.str().split())
    assert "KNOWN, within its bound: 1" in text
    assert "known until 9999-12-31: the head is saved twice" in text
    assert verdicts(judged)["fp32", "saved.bytes"]["outcome"] == "known"
    assert "the head is saved twice" in (judged.results / "report.md").read_text()


def test_pytest_fails_an_expired_one_again_and_says_so(judged: Project) -> None:
    """In the failing item and at the end."""
    judged.record(bigger(recorded("fp32")), recorded("qlora"))
    accept_file(judged, SAVED.replace("9999-12-31", "2020-01-31"))
    run = judged.judge()
    assert run.ret == 1
    text = " ".join(run.stdout.str().split())
    assert "accepted this until 2020-01-31, which is past: the head is saved twice" in text
    assert "TO MEND: 1 known.toml, entry 1 (saved.bytes of *--fp32--*) is past its day, 2020-01-31" in text


def test_pytest_tells_of_an_entry_that_is_of_no_use(judged: Project) -> None:
    """The run stays green."""
    accept_file(judged, SAVED)
    run = judged.judge()
    assert run.ret == 0
    assert "accepts what no longer deviates: remove the entry" in " ".join(run.stdout.str().split())
    assert "## To mend: 1" in (judged.results / "report.md").read_text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[known]\n", "known.toml cannot be read: "),
        (SAVED.replace("saved.bytes", "saved.byts"), "no metric matches 'saved.byts'. Did you mean 'saved.bytes'?"),
        (SAVED.replace("reason", "reson"), "known.toml, entry 1 knows no 'reson'. Did you mean 'reason'?"),
    ],
)
def test_pytest_refuses_a_malformed_file_before_anything_is_measured(judged: Project, text: str, words: str) -> None:
    """Code 4, one sentence, and no run is begun."""
    accept_file(judged, text)
    run = judged.judge()
    assert run.ret == 4
    told = run.stdout.str() + run.stderr.str()
    assert words in told
    assert "Traceback" not in told
    assert not (judged.path / "results").exists()


@pytest.mark.usefixtures("imported")
def test_the_command_knows_them_too(command: Command, tmp_path) -> None:  # noqa: F811
    """`run` and `compare` accept alike; `compare` takes the folder by an option; a malformed file ends with 2."""
    measured()
    measured(worse(recorded("fp32")), recorded("qlora"), name="worse")
    assert command("promote", "source", "--reason", "test")[0] == 0
    assert command("run", "--replay", "worse")[0] == 1
    assert command("compare", "source", "worse")[0] == 1
    text = SAVED.replace("saved.bytes", "quality.accuracy.reloaded").replace(f"{32 * MIB} B", "7 points")
    (tmp_path / "baselines" / "known.toml").write_text(text)
    for words in (("run", "--replay", "worse"), ("compare", "source", "worse")):
        code, out, _ = command(*words)
        assert code == 0 or "inconclusive" in out
        assert code != 1
        assert "the head is saved twice" in " ".join(out.split())
    assert command("compare", "source", "worse", "--baselines", "elsewhere")[0] == 1
    (tmp_path / "baselines" / "known.toml").write_text("known = 3")
    for words in (("run", "--replay", "worse"), ("compare", "source", "worse")):
        code, _, err = command(*words)
        assert code == 2
        assert "each entry stands under a line [[known]], in double brackets" in err
