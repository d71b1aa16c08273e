"""The plugin as a good citizen of pytest: what it prints, marks, lists and leaves for other programs."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replays import Project, bigger, failed, recorded, slug_of, verdicts

from benchsuite import __version__, job_summary, plugin

FP32 = "[fp32-tiny-toy-bert]"
CRASH = ["PluginValidationError", "Traceback", "INTERNALERROR"]
STRICT = "[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error\n"


# ---------------------------------------------------------------- what it prints


def test_the_header_tells_versions_and_what_was_asked(judged: Project) -> None:
    """The suite's own version, the guarded libraries', and every option that was given, by whatever way."""
    judged.pytester.makeini("[pytest]\nsuite_regimes = fp32\n")
    result = judged.judge("--collect-only")
    result.stdout.fnmatch_lines(
        [f"benchsuite {__version__}: torch *transformers *", "suite: profile=tiny, regimes=fp32, replay=runs/source"]
    )


def test_without_options_the_header_is_one_line(bench: Project) -> None:
    """Other people's sessions are told the versions and no more."""
    bench.pytester.makepyfile(test_other="def test_other(): pass")
    text = bench.pytester.runpytest_inprocess("test_other.py").stdout.str()
    assert text.count(f"benchsuite {__version__}: ") == 1
    assert "\nsuite: " not in text


def test_there_is_one_section_at_the_end(judged: Project) -> None:
    """Under its own heading, after pytest-benchmark's tables, ending with the tally and where the files are."""
    text = judged.judge().stdout.str()
    assert text.count("= benchsuite =") == 1
    assert text.index("OPS: Operations Per Second") < text.index("= benchsuite =") < text.index("judged ")


def test_every_skip_says_what_to_do_or_why(judged: Project) -> None:
    """No bare skip."""
    judged.record(failed(recorded("fp32")), recorded("qlora"))
    lines = [line for line in judged.judge("-rs").outlines if line.startswith("SKIPPED")]
    words = (
        "its trial failed: see ",
        "premise not met: ",
        "claims compare QLoRA with FP32",
        "is failed: out of memory",
    )
    assert lines
    assert [line for line in lines if not any(word in line for word in words)] == []


# ---------------------------------------------------------------- what it lists


def test_markers_are_listed_and_strict_runs_pass(judged: Project) -> None:
    """Unknown markers, keys and every warning are errors, and all is well."""
    text = judged.pytester.runpytest_inprocess("--markers").stdout.str()
    for name in ("gpu", "suite_trial", "suite_case"):
        assert f"@pytest.mark.{name}" in text
    judged.pytester.makeini(STRICT)
    assert judged.judge().ret == 0


def test_a_misspelt_marker_is_an_error(bench: Project) -> None:
    """Under strict markers."""
    bench.pytester.makeini(STRICT)
    bench.pytester.makepyfile(test_mine="import pytest\n@pytest.mark.suite_csae\ndef test_mine(): pass")
    result = bench.pytester.runpytest_inprocess("test_mine.py")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*'suite_csae' not found in `markers` configuration option*"])


def test_every_fixture_is_listed_with_a_line_of_its_own(bench: Project) -> None:
    """`pytest --fixtures` shows what each gives, in a sentence."""
    lines = bench.pytester.runpytest_inprocess("--fixtures", "-q").outlines
    public = [name for name in plugin.__all__ if not name.startswith("pytest_")]
    assert len(public) == 13
    for name in public:
        at = next(i for i, line in enumerate(lines) if line.split(" ")[0] == name)
        assert lines[at + 1].startswith("    ")
        assert len(lines[at + 1].split()) >= 4, name
        assert "no docstring" not in lines[at + 1]


# ---------------------------------------------------------------- what it leaves for other programs


def properties(file: Path) -> dict[str, dict[str, str]]:
    """The properties of each test of a JUnit file, by its name."""
    cases = ET.parse(file).getroot().iter("testcase")
    return {c.attrib["name"]: {p.attrib["name"]: p.attrib["value"] for p in c.iter("property")} for c in cases}


def test_junit_files_have_the_verdicts_of_each_item(judged: Project) -> None:
    """Case; outcome, value, baseline and unit of every metric of the item's concern, in base units."""
    judged.record(bigger(recorded("fp32")), recorded("qlora"))
    assert judged.judge("--junitxml=out.xml").ret == 1
    found = properties(judged.path / "out.xml")
    prints = found[f"test_fingerprint{FP32}"]
    assert prints["benchsuite.case"] == slug_of("fp32")
    assert prints["benchsuite.saved.bytes.outcome"] == "changed"
    new, old = (int(float(prints[f"benchsuite.saved.bytes.{side}"])) for side in ("value", "baseline"))
    assert (new - old, prints["benchsuite.saved.bytes.unit"]) == (2**25, "B")
    mine = {m for (case, m), v in verdicts(judged).items() if case == "fp32" and v["concern"] == "fingerprint"}
    assert {name.removeprefix("benchsuite.").removesuffix(".outcome") for name in prints if "outcome" in name} == mine
    assert found[f"test_quality{FP32}"]["benchsuite.quality.accuracy.reloaded.outcome"] == "ok"
    assert not any("saved" in name for name in found[f"test_quality{FP32}"])
    claims = [props for name, props in found.items() if name.startswith("test_published_figures")]
    assert claims
    assert claims == [{}] * len(claims)


def test_junit_files_tell_of_a_failed_trial(judged: Project) -> None:
    """By the item that fails for it."""
    judged.record(failed(recorded("fp32")), recorded("qlora"))
    judged.judge("--junitxml=out.xml", "-k", "measures")
    found = properties(judged.path / "out.xml")[f"test_training_time{FP32}"]
    assert found == {
        "benchsuite.case": slug_of("fp32"), "benchsuite.trial.outcome": "invalid", "benchsuite.trial.value": "failed",
    }  # fmt: skip


def test_the_report_is_on_the_page_of_a_job_once(judged: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Appended to what stood there."""
    page = judged.path / "page.md"
    page.write_text("# before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    assert judged.judge().ret == 0
    report = (judged.results / "report.md").read_text()
    assert page.read_text() == "# before\n" + report


def test_sessions_that_measure_nothing_write_no_page(bench: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do those that only list."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(bench.path / "page.md"))
    bench.pytester.makepyfile(test_other="def test_other(): pass")
    bench.pytester.runpytest_inprocess("test_other.py")
    bench.judge("--collect-only")
    assert not (bench.path / "page.md").exists()


@pytest.mark.parametrize("name", ["nowhere/page.md", "."])
def test_a_page_that_cannot_be_written_fails_nothing(
    judged: Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It is told in one line."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", name)
    result = judged.judge()
    assert result.ret == 0
    assert f"benchsuite: the report is not in the job's summary: GITHUB_STEP_SUMMARY={name}: " in result.stdout.str()


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.integers(-100, 200))
def test_a_page_never_outgrows_its_room(text: str, room: int) -> None:
    """Whole where it fits, else cut and marked so, else nothing."""
    found = job_summary.fitting(text, room)
    whole = text.rstrip("\n") + "\n"
    assert len(found.encode()) <= max(room, 0)
    assert found == whole if len(whole.encode()) <= room else found == "" or found.endswith(job_summary.CUT)


# ---------------------------------------------------------------- beside other plugins, and without itself


@pytest.mark.parametrize("extra", [("-n2",), ("-n2", "--dist=loadscope"), ()])
def test_cases_can_be_listed_under_xdist_where_warnings_are_errors(judged: Project, extra: tuple[str, ...]) -> None:
    """pytest-benchmark warns as pytest ends that it would measure nothing; that is no news in a list."""
    pytest.importorskip("xdist")
    judged.pytester.makeini(STRICT)
    result = judged.judge_apart("--collect-only", "-q", *extra)
    assert result.ret == 0
    assert f"bench/test_measures.py::test_memory{FP32}" in result.outlines
    assert not any(word in result.stderr.str() for word in CRASH)


def test_without_the_plugin_bench_says_why_it_cannot_run(bench: Project) -> None:
    """One message, no list of unknown fixtures; the plugin is told by name and how to get it."""
    bench.pytester.makeconftest("")
    for words in (("-p", "no:benchsuite"), ("-p", "no:benchsuite", "--strict-markers")):
        result = bench.pytester.runpytest_subprocess("bench", "-p", "no:cacheprovider", *words)
        assert result.ret == 2
        text = result.stdout.str()
        assert (
            "bench/ is measured by the plugin benchsuite, which is not loaded here: leave out -p no:benchsuite" in text
        )
        assert "fixture 'suite_check' not found" not in text
        assert not any(word in text for word in CRASH)


def test_without_autoload_the_plugin_can_be_named(bench: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the message says."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    bench.pytester.makeconftest("")
    words = ("bench", "--collect-only", "-q", "-p", "no:cacheprovider", "--suite-profile=tiny")
    named = ("-p", "pytest_benchmark.plugin", "-p", "benchsuite" if _is_installed() else "benchsuite.plugin")
    assert bench.pytester.runpytest_subprocess(*words[:-1]).ret == 2
    assert bench.pytester.runpytest_subprocess(*words, *named).ret == 0


def _is_installed() -> bool:
    return any(point.name == "benchsuite" for point in entry_points(group="pytest11"))


def test_a_model_that_cannot_be_had_fails_a_fixture_in_one_message(pytester: pytest.Pytester) -> None:
    """No traceback through the hub's client: what was seen, and what to do."""
    pytester.makepyfile("def test_mine(regime_model): regime_model('fp32')\ndef test_rows(tokenized): pass\n")
    result = pytester.runpytest_inprocess("--suite-model=./nowhere", "-p", "no:cacheprovider")
    text = result.stdout.str().partition("short test summary")[0]  # which has it once more where CI is set
    assert text.count("benchsuite: no model folder './nowhere'. Give a folder with config.json") == 2
    assert "Traceback" not in text
    assert "raise SuiteError" not in text
