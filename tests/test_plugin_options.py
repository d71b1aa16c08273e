"""Options, tolerances, markers and fixtures as pytest's users meet them, on recorded trials."""

from __future__ import annotations

import re
import shutil

import pytest
from replays import ROOT, Project, bigger, failed, recorded, verdicts, worse

from benchsuite import settings

QLORA = "[qlora-tiny-toy-bert]"


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (("--suite-regimes=fp32,qlra",), "benchsuite: unknown regime 'qlra'. Did you mean 'qlora'?"),
        (("--suite-profile=tinny",), "benchsuite: unknown profile 'tinny'. Did you mean 'tiny'?"),
        (("--suite-trials=some",), "benchsuite: --suite-trials is a whole number from 0 on, not 'some'"),
        (("--suite-weights=none",), "benchsuite: --suite-weights is one of pretrained, random, not 'none'"),
        (("--suite-replay=runs/sorce",), "no run 'runs/sorce'"),
        (("--suite-replay=", "--suite-resume"), "no run 'latest', and no runs in results: measure first"),
    ],
)
def test_a_wrong_word_is_a_usage_error(bench: Project, extra: tuple[str, ...], words: str) -> None:
    """Code 4, one sentence, a suggestion where one is near; nothing is made."""
    result = bench.judge(*extra)
    assert result.ret == 4
    text = result.stdout.str() + result.stderr.str()
    assert words in text
    assert "Traceback" not in text
    assert not (bench.path / "results").exists()


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ((), "the task 'toy' generates its own rows and would not read 'rows'. For data of yours give a model too"),
        (("--suite-task=sst3",), "unknown task 'sst3'. Did you mean 'sst2'?"),
        (("--suite-task=sst2",), "the data folder 'rows' does not exist"),
    ],
)
def test_data_is_used_or_refused(bench: Project, extra: tuple[str, ...], words: str) -> None:
    """Never silently replaced by the embedded task's; said before anything is measured."""
    measure = ("bench", "--suite-profile=tiny", "--suite-data=rows", "-p", "no:cacheprovider")
    result = bench.pytester.runpytest_inprocess(*measure, *extra)
    assert result.ret in (2, 4)
    assert words in result.stdout.str() + result.stderr.str()
    assert not (bench.path / "results").exists()


# ---------------------------------------------------------------- cases that pyproject adds


def add(project: Project, text: str) -> None:
    """Writes cases into the project's pyproject.toml."""
    (project.path / "pyproject.toml").write_text(f"[tool.pytest.ini_options]\n[[tool.benchsuite.case]]\n{text}\n")


def test_cases_of_pyproject_are_collected_beside_the_runs_own(bench: Project) -> None:
    """One item each; a test whose marker names its case keeps that one."""
    add(bench, 'profile = "tiny"\nmodel = "someone/llama"\nregimes = "qlora"')
    (bench.path / "test_marked.py").write_text(
        "import pytest\n@pytest.mark.suite_case(profile='tiny', regime='qlora')\ndef test_one(suite_case): ...\n"
    )
    result = bench.pytester.runpytest_inprocess(
        "--collect-only", "-q", "--suite-profile=tiny", "-p", "no:cacheprovider"
    )
    assert result.ret == 0
    found = [line.rpartition("::")[2] for line in result.outlines if "::" in line]
    memory = [
        f"test_memory[{case}]" for case in ("fp32-tiny-toy-bert", "qlora-tiny-toy-bert", "qlora-tiny-someone/llama")
    ]
    assert [name for name in found if "memory" in name] == memory
    assert [name for name in found if "one" in name and "test_one" in name] == ["test_one[qlora-tiny-toy-bert]"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("modle = 'x'", "[[tool.benchsuite.case]] 1 knows no 'modle'. Did you mean 'model'?"),
        ("profile = 'tinny'", "unknown profile 'tinny'. Did you mean 'tiny'?"),
    ],
)
def test_a_case_that_makes_no_sense_is_a_usage_error(bench: Project, text: str, words: str) -> None:
    """Code 4, whatever was to be run."""
    add(bench, text)
    result = bench.pytester.runpytest_inprocess("bench", "--collect-only", "-p", "no:cacheprovider")
    assert result.ret == 4
    assert words in result.stdout.str() + result.stderr.str()


# ---------------------------------------------------------------- tolerances


def tolerate(project: Project, text: str) -> None:
    """Writes tolerances into the project's pyproject.toml."""
    (project.path / "pyproject.toml").write_text(f"[tool.pytest.ini_options]\n[tool.benchsuite.tolerance]\n{text}\n")


def test_a_tolerance_of_the_users_decides(judged: Project) -> None:
    """What was a change is ok within it."""
    judged.record(bigger(recorded("fp32")), recorded("qlora"))
    assert judged.judge().ret == 1
    tolerate(judged, '"saved.*" = "33 MiB"')
    assert judged.judge().ret == 0
    assert verdicts(judged)["fp32", "saved.bytes"]["outcome"] == "ok"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"saved.byts" = "1 %"', "no metric matches 'saved.byts'. Did you mean 'saved.bytes'?"),
        ('"saved.bytes" = "1 s"', "tolerance '1 s' is in s, but the metric that it is set for is in B"),
        ('"saved.bytes" = "much"', "tolerance 'much' is not understood"),
    ],
)
def test_a_tolerance_that_no_metric_takes_is_told_before_anything_is_measured(
    judged: Project, text: str, words: str
) -> None:
    """Code 4, and no run is begun."""
    tolerate(judged, text)
    result = judged.judge()
    assert result.ret == 4
    assert words in result.stdout.str() + result.stderr.str()
    assert not (judged.path / "results").exists()


# ---------------------------------------------------------------- options


def test_every_option_has_an_ini_twin_and_one_group(bench: Project) -> None:
    """`--suite-NAME` and `suite_NAME`, all under one heading."""
    text = bench.pytester.runpytest_inprocess("--help").stdout.str()
    group = text[text.index("benchmarks and regression checks") : text.index("[pytest] configuration options")]
    twins = text[text.index("[pytest] configuration options") :]
    for setting in settings.SETTINGS:
        assert f"--suite-{setting.name}" in group
        assert re.search(rf"^  suite_{setting.name.replace('-', '_')} ", twins, re.MULTILINE), setting.name


def test_options_may_stand_in_the_ini_file(judged: Project) -> None:
    """And the command line wins."""
    judged.record(worse(recorded("fp32")), recorded("qlora"))
    judged.pytester.makeini(
        "[pytest]\nsuite_profile = tiny\nsuite_replay = runs/source\nsuite_no_gate = true\nsuite_regimes = fp32\n"
    )
    result = judged.pytester.runpytest_inprocess("bench")
    assert result.ret == 0
    assert {regime for regime, _ in verdicts(judged)} == {"fp32"}
    assert judged.pytester.runpytest_inprocess("bench", "--suite-regimes=qlora").ret == 0
    assert {regime for regime, _ in verdicts(judged)} == {"qlora"}


def test_a_wrong_word_in_the_ini_file_is_a_usage_error(bench: Project) -> None:
    """As on the command line."""
    bench.pytester.makeini("[pytest]\nsuite_profile = tinny\n")
    result = bench.pytester.runpytest_inprocess("bench")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*Did you mean 'tiny'*"])


def test_collecting_only_makes_nothing_and_shows_readable_ids(judged: Project) -> None:
    """No run, no estimate."""
    result = judged.judge("--collect-only", "-q")
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"bench/test_measures.py::test_training_time{QLORA.replace('[', '[[]')}"])
    assert not (judged.path / "results").exists()


def test_the_plugin_can_be_left_out(bench: Project) -> None:
    """Other tests run as ever, and its options are unknown."""
    bench.pytester.makepyfile(test_other="def test_other(): pass")
    result = bench.pytester.runpytest_subprocess("-p", "no:benchsuite", "test_other.py")
    result.assert_outcomes(passed=1)
    assert "benchsuite:" not in result.stdout.str()
    assert bench.pytester.runpytest_subprocess("-p", "no:benchsuite", "--suite-profile=tiny", "test_other.py").ret == 4


def test_other_peoples_tests_cost_nothing(bench: Project) -> None:
    """A session that asks for no case makes no run and says nothing at its end."""
    bench.pytester.makepyfile(test_other="def test_other(): pass")
    result = bench.pytester.runpytest_inprocess("test_other.py")
    assert result.ret == 0
    assert "judged" not in result.stdout.str()
    assert not (bench.path / "results").exists()


# ---------------------------------------------------------------- fixtures for anyone's tests


def test_a_marker_selects_the_case_and_fixtures_hand_it_out(judged: Project) -> None:
    """Record, baseline, verdicts and task of one case, and its sibling under another regime."""
    judged.pytester.makepyfile(
        test_mine="""
        import pytest

        @pytest.mark.suite_case(profile="tiny", regime="qlora")
        def test_mine(suite_case, suite_record, suite_trials, suite_baseline, suite_verdicts, suite_task):
            assert suite_case.regime == suite_record.case.regime == "qlora"
            assert suite_trials == (suite_record,)
            assert suite_baseline.trials[0].metrics == suite_record.metrics
            assert all(v.case == suite_verdicts[0].case for v in suite_verdicts)
            assert suite_task.name == "toy"

        def test_sibling(suite_case, suite_sibling):
            assert suite_sibling("fp32").case.regime == "fp32"
            assert suite_sibling("amp") is None
        """
    )
    result = judged.pytester.runpytest_inprocess("test_mine.py", *judged.arguments()[1:])
    assert result.ret == 0
    result.assert_outcomes(passed=3)


def test_a_failed_sibling_skips_what_compares_with_it(judged: Project) -> None:
    """It is told of where its own items are."""
    judged.record(failed(recorded("fp32")), recorded("qlora"))
    judged.pytester.makepyfile(
        test_mine="""
        import pytest

        @pytest.mark.suite_case(regime="qlora")
        def test_mine(suite_record, suite_sibling):
            suite_sibling("fp32")

        @pytest.mark.suite_case(regime="fp32")
        def test_other(suite_case):
            pass
        """
    )
    result = judged.pytester.runpytest_inprocess("test_mine.py", *judged.arguments()[1:], "-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*the trial of toy--fp32--tiny* is failed: out of memory in train*"])


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("regime='qlra'", "unknown regime 'qlra'. Did you mean 'qlora'?"),
        ("regimes='qlora'", "suite_case takes profile= and regime=, not regimes"),
        ("'qlora'", "suite_case takes profile= and regime=, not ('qlora',)"),
    ],
)
def test_a_wrong_marker_is_told_of(bench: Project, marker: str, words: str) -> None:
    """As pytest tells of a wrong parametrisation: nothing runs, and no traceback of ours is shown."""
    source = f"import pytest\n@pytest.mark.suite_case({marker})\ndef test_mine(suite_case): pass"
    bench.pytester.makepyfile(test_mine=source)
    result = bench.pytester.runpytest_inprocess("test_mine.py")
    assert result.ret == 2
    assert words in result.stdout.str()
    assert "plugin.py" not in result.stdout.str()


# ---------------------------------------------------------------- pytest-xdist


@pytest.mark.parametrize("extra", [("-n2",), ("-n1", "--suite-require-gpu")])
def test_nothing_is_measured_in_parallel(judged: Project, extra: tuple[str, ...]) -> None:
    """Code 4 and one message from the controller, whatever the number of workers; no run is made."""
    pytest.importorskip("xdist")
    result = judged.judge_apart(*extra)
    assert result.ret == 4
    text = result.stdout.str() + result.stderr.str()
    assert text.count("benchsuite: cases cannot be measured in parallel") == 1
    assert "Measure with -n 0" in text
    assert "Traceback" not in text
    assert not (judged.path / "results").exists()


def test_tests_that_measure_nothing_may_run_in_parallel(pytester: pytest.Pytester) -> None:
    """The plugin is no hindrance to anybody else's tests, nor are its cases where a skip is marked."""
    pytest.importorskip("xdist")
    pytester.makepyfile(
        """
        import pytest

        def test_one(): pass
        def test_two(suite_task): assert suite_task.name == "toy"

        @pytest.mark.skip
        @pytest.mark.suite_case(profile="tiny", regime="fp32")
        def test_three(suite_record): pass
        """
    )
    shutil.copy(ROOT / "conftest.py", pytester.path)
    result = pytester.runpytest_subprocess("-n2", "-p", "no:cacheprovider")
    assert result.ret == 0
    result.assert_outcomes(passed=2, skipped=1)


def test_one_process_measures(judged: Project) -> None:
    """`-n 0` is no parallel run."""
    pytest.importorskip("xdist")
    assert judged.judge("-n0", "-k", "memory").ret == 0
