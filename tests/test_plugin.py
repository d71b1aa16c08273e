"""The plugin as pytest's users meet it: outcomes, exit codes, files and options, on recorded trials."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from replays import Project, failed, moved, recorded, recordings, slug_of, verdicts, worse

from benchsuite.nouns import Status

GOLDEN = Path(__file__).parent / "golden" / "pytest-summary.txt"
FP32, QLORA = "[fp32-tiny-toy-bert]", "[qlora-tiny-toy-bert]"
MEASURES = ("training_time", "step_time", "latency", "load_time", "memory", "quality", "fingerprint", "work")


def outcomes(result: pytest.RunResult) -> dict[str, set[str]]:
    """Names of the items that ended so, by outcome: from `-rA`."""
    found: dict[str, set[str]] = {}
    for line in result.outlines:
        match = re.match(r"(PASSED|FAILED|ERROR|SKIPPED) (?:\[\d+\] )?(?:\S*::)?(\S+)", line)
        if match:
            found.setdefault(match[1], set()).add(match[2])
    return found


# ---------------------------------------------------------------- exit codes and outcomes


def test_an_unchanged_stack_is_green(judged: Project) -> None:
    """Every item passes but those whose premise is not met; the last word is the tally; the run ends with 0."""
    result = judged.judge("-rA")
    assert result.ret == 0
    passed = outcomes(result)["PASSED"]
    assert {f"test_{name}{case}" for name in MEASURES for case in (FP32, QLORA)} <= passed
    assert not {"FAILED", "ERROR"} & outcomes(result).keys()
    result.stdout.fnmatch_lines(
        ["judged * of *; not judged: *", "records, verdicts.json, summary.csv, report.md, report.html: results/*"]
    )


def test_the_published_claims_are_asserted_and_skip_on_a_fresh_toy(judged: Project) -> None:
    """On the published figures always; on a fresh record the reason why not is said."""
    result = judged.judge("-rs", "-k", "claim")
    assert result.ret == 0
    result.assert_outcomes(passed=7, skipped=14)
    result.stdout.fnmatch_lines(["*premise not met: the model is toy-bert*not pretrained bert-base-uncased*"])


def test_without_a_baseline_nothing_is_judged_and_the_run_is_green(bench: Project) -> None:
    """What to do is said, once."""
    result = bench.judge()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["NOT JUDGED, no-baseline: *", "  next: *benchsuite promote results/latest --reason*"])
    assert {v["outcome"] for v in verdicts(bench).values()} == {"no-baseline"}


def test_a_baseline_can_be_required(bench: Project) -> None:
    """Then its absence ends with 1."""
    assert bench.judge("--suite-require-baseline").ret == 1


def test_a_regression_fails_the_item_of_its_concern_alone(judged: Project) -> None:
    """What was, what is, by how much, what next; the exit code is 1."""
    judged.record(worse(recorded("fp32")), recorded("qlora"))
    result = judged.judge("-rA")
    assert result.ret == 1
    assert outcomes(result)["FAILED"] == {f"test_quality{FP32}"}
    assert not outcomes(result).get("ERROR")
    text = result.stdout.str()
    assert f"{slug_of('fp32')}: REGRESSED quality.accuracy.reloaded" in text
    assert "-6.88 points" in text
    assert "benchsuite promote results/latest --only" in text
    assert "Traceback" not in text


def test_a_regression_fails_the_run_even_where_its_item_is_deselected(judged: Project) -> None:
    """Every selected item passes, and the code is 1 all the same."""
    judged.record(worse(recorded("fp32")), recorded("qlora"))
    result = judged.judge("-k", "test_memory")
    result.assert_outcomes(passed=2, deselected=35)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAILED: 1,*", "*REGRESSED quality.accuracy.reloaded*"])


def test_a_change_of_what_is_exact_fails(judged: Project) -> None:
    """One parameter more is `changed`."""
    record = recorded("qlora")
    judged.record(recorded("fp32"), moved(record, params__trainable=record.metrics["params.trainable"].value + 1))
    assert judged.judge().ret == 1
    assert verdicts(judged)["qlora", "params.trainable"]["outcome"] == "changed"


def test_an_improvement_is_shown_and_fails_nothing(judged: Project) -> None:
    """It asks to be kept."""
    judged.promote(worse(recorded("fp32")), recorded("qlora"))
    result = judged.judge()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["IMPROVED: 1", "*quality.accuracy.reloaded*", "*keep the gain*"])


def test_without_the_gate_everything_is_shown_and_nothing_fails(judged: Project) -> None:
    """A regression and a failed trial both end with 0."""
    judged.record(worse(recorded("fp32")), failed(recorded("qlora")))
    result = judged.judge("--suite-no-gate", "-rs")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["FAILED: 2,*", "*REGRESSED quality.accuracy.reloaded*"])
    result.stdout.fnmatch_lines(["SKIPPED*its trial failed: out of memory in train*"])


@pytest.mark.parametrize("status", [Status.FAILED, Status.INVALID])
def test_a_failed_trial_fails_one_item_and_the_others_point_at_it(judged: Project, status: Status) -> None:
    """The other case is judged as ever."""
    judged.record(replace(failed(recorded("fp32")), status=status), recorded("qlora"))
    result = judged.judge("-rA", "-k", "measures or published_figures")
    assert result.ret == 1
    ended = outcomes(result)
    assert len(ended.get("ERROR", set()) | ended.get("FAILED", set())) == 1
    assert len([name for name in ended["PASSED"] if name.endswith(QLORA)]) == len(MEASURES)
    result.assert_outcomes(passed=7 + len(MEASURES), errors=1, skipped=len(MEASURES) - 1, deselected=14)
    first = re.search(r"ERROR at setup of (test_\w+)", result.stdout.str())
    assert first is not None
    assert f"its trial failed: see bench/test_measures.py::{first[1]}{FP32}" in result.stdout.str()
    assert "out of memory in train: CUDA out of memory." in result.stdout.str()


def test_the_training_time_tells_of_a_failed_trial(judged: Project) -> None:
    """Whoever asked first, here a published claim; where it was not selected, the first that asks."""
    judged.record(recorded("fp32"), failed(recorded("qlora")))
    result = judged.judge("-rA")
    assert result.ret == 1
    assert outcomes(result)["ERROR"] == {f"test_training_time{QLORA}"}
    assert "FAILED" not in outcomes(result)
    text = result.stdout.str()
    assert f"its trial failed: see bench/test_measures.py::test_training_time{QLORA}" in text
    assert text.count("its trial failed: see") == text.count(f"see bench/test_measures.py::test_training_time{QLORA}")
    result = judged.judge("-rA", "-k", "test_latency or test_quality")
    assert outcomes(result)["ERROR"] == {f"test_latency{QLORA}"}
    result.assert_outcomes(passed=2, errors=1, skipped=1, deselected=37 - 4)


# ---------------------------------------------------------------- replays


def judge_default(project: Project, *extra: str) -> pytest.RunResult:
    """`pytest bench --suite-replay RUN` and nothing else."""
    return project.pytester.runpytest_inprocess("bench", "--suite-replay=runs/source", "-p", "no:cacheprovider", *extra)


def test_a_replay_with_default_profiles_judges_what_its_run_holds(judged: Project) -> None:
    """Neither less nor more: no case of `full` is looked for, and a regime that is not there is not missed."""
    judged.record(recorded("qlora"))
    result = judge_default(judged)
    assert result.ret == 0
    assert {case for case, _ in verdicts(judged)} == {"qlora"}
    assert judge_default(judged, "--suite-regimes=qlora,lora").ret == 0


def test_a_replay_of_a_profile_that_its_run_has_not_is_a_usage_error(judged: Project) -> None:
    """It lists what there is; nothing is made."""
    result = judge_default(judged, "--suite-profile=quick")
    assert result.ret == 4
    text = result.stdout.str() + result.stderr.str()
    assert "--suite-replay 'runs/source' holds no case of quick; it holds: toy--fp32--tiny--toy-bert" in text
    assert not (judged.path / "results").exists()


def test_a_metric_that_is_gone_is_never_silent(judged: Project) -> None:
    """A gate metric that the baseline has and the run has not fails; one without rounds leaves no traceback."""
    record = recorded("fp32")
    kept = {name: m for name, m in record.metrics.items() if name not in ("saved.bytes", "time.step")}
    judged.record(replace(record, metrics=kept), recorded("qlora"))
    result = judged.judge("-rA", "-W", "error")
    assert result.ret == 1
    assert outcomes(result)["FAILED"] == {f"test_fingerprint{FP32}"}
    assert f"test_step_time{FP32}" in outcomes(result)["PASSED"]
    assert verdicts(judged)["fp32", "saved.bytes"]["outcome"] == "invalid"
    assert "missing in this run" in verdicts(judged)["fp32", "time.step"]["detail"]


# ---------------------------------------------------------------- baselines that cannot be trusted


def edit(path: Path, **fields: Any) -> None:
    """Changes a JSON file as a hand would."""
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def folder_in_its_place(path: Path) -> None:
    """Puts a folder where a file was."""
    path.unlink()
    path.mkdir()


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "corrupt": (lambda p: p.write_bytes(b"\x80\x04\x95"), "is not text"),
    "no json": (lambda p: p.write_text("{not json}"), "is not valid JSON"),
    "truncated": (lambda p: p.write_text(p.read_text()[:1000]), "is cut short: it ends after 1000 bytes"),
    "newer": (lambda p: edit(p, schema=99), "was written by a newer benchsuite (schema 99"),
    "edited": (lambda p: edit(p, digest="0000"), "was edited by hand (its seal does not fit its content)"),
    "a folder": (folder_in_its_place, "cannot read"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_baseline_that_cannot_be_trusted_ends_with_2(judged: Project, damage: str) -> None:
    """Before anything is measured, one sentence names the file and the way out."""
    change, words = DAMAGE[damage]
    path = judged.baselines / f"{slug_of('qlora')}.json"
    change(path)
    result = judged.judge()
    assert result.ret == 2
    assert words in result.stdout.str()
    assert path.name in result.stdout.str()
    assert not (judged.path / "results").exists()


def test_a_baseline_of_another_machine_is_incomparable_and_ends_with_1(judged: Project) -> None:
    """Nothing could be judged although a baseline exists."""
    records = [replace(r, environment=replace(r.environment, machine="nvidia-h200-140gb")) for r in recordings()]
    judged.promote(*records)
    for regime in ("fp32", "qlora"):
        source = judged.path / "baselines" / "nvidia-h200-140gb" / f"{slug_of(regime)}.json"
        source.replace(judged.baselines / source.name)
    result = judged.judge()
    assert result.ret == 1
    result.assert_outcomes(passed=23, skipped=14)
    assert {v["outcome"] for v in verdicts(judged).values()} == {"incomparable"}
    text = " ".join(result.stdout.str().split())
    assert "the baseline is of another machine: nvidia-h200-140gb -> cpu-x86_64" in text


def test_a_baseline_of_another_definition_is_incomparable_with_the_difference(judged: Project) -> None:
    """What moved is named."""
    record = recorded("fp32")
    case = replace(record.case, profile=replace(record.case.profile, epochs=9))
    judged.promote(replace(record, case=case, digest="0" * 16), recorded("qlora"))
    assert judged.judge().ret == 1
    detail = verdicts(judged)["fp32", "params.total"]["detail"]
    assert f"profile.epochs 9 -> {record.case.profile.epochs}" in detail


def test_a_machine_is_a_name_and_no_path(bench: Project) -> None:
    """Code 2, and nothing is read from elsewhere."""
    result = bench.judge("--suite-machine=../elsewhere")
    assert result.ret == 2
    assert "'../elsewhere' cannot name a machine's baselines" in result.stdout.str()


def test_another_machines_baselines_can_be_named(judged: Project) -> None:
    """`--suite-machine` overrides whose are used."""
    judged.baselines.rename(judged.baselines.with_name("elsewhere"))
    judged.judge("--suite-machine=elsewhere")
    assert verdicts(judged)["fp32", "params.total"]["outcome"] == "ok"


# ---------------------------------------------------------------- files


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_run_leaves_its_files_and_touches_no_baseline(judged: Project) -> None:
    """Records, verdicts, the published columns and a report; judging never writes a baseline."""
    judged.record(worse(recorded("fp32")), recorded("qlora"))
    before = tree(judged.path / "baselines")
    judged.judge()
    assert tree(judged.path / "baselines") == before
    files = tree(judged.results)
    assert set(files) == {
        *(f"records/{slug_of(regime)}--t00.json" for regime in ("fp32", "qlora")),
        "verdicts.json", "summary.csv", "report.md", "report.html",
    }  # fmt: skip
    rows = list(csv.reader(files["summary.csv"].decode().splitlines()))
    assert rows[0][:3] == ["Model", "Trainable / Total Params", "Training Wall Time (min)"]
    assert len(rows[0]) == 8
    assert "quality.accuracy.reloaded" in files["report.md"].decode()
    assert verdicts(judged)["fp32", "quality.accuracy.reloaded"]["outcome"] == "regressed"


def test_the_summary_is_as_approved(judged: Project) -> None:
    """The whole section of the terminal. To approve another: delete the golden file, run, read the difference."""
    judged.record(worse(recorded("fp32")), failed(recorded("qlora")))
    text = judged.judge().stdout.str()
    section = text[text.index("= benchsuite =") :].split("\n", 1)[1]
    section = section[: section.index("report.md, ")]
    found = re.sub(r"\d{8}-\d{6}-[0-9a-f]{6}", "RUN", "\n".join(line.rstrip() for line in section.splitlines())) + "\n"
    if not GOLDEN.exists():
        GOLDEN.write_text(found)
        pytest.fail(f"{GOLDEN.name} was missing and is written: read it")
    assert found == GOLDEN.read_text()
