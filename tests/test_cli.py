"""The command: the same judging as under pytest, promotion, its own exit codes, and answers as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from replays import STARTED, failed, moved, recorded, recordings, slug_of

from benchsuite import __version__, cli, matrix, planting, selftest, store
from benchsuite.matrix import Report, Result
from benchsuite.nouns import Measured, Record, Status

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`command("run", ...)`: exit code, stdout and stderr of `benchsuite run ...` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["benchsuite", *words])
        code: Any = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        said = capsys.readouterr()
        return code, said.out, " ".join(said.err.split())

    return call


def measured(*records: Record, name: str = "source") -> str:
    """A finished run of these records below results/, by its name."""
    run = store.new_run(Path("results"), now=STARTED)
    for record in records or recordings():
        store.save_record(run, record)
    return run.rename(run.with_name(name)).name


def judge(command: Command, *extra: str, name: str = "source") -> tuple[int, str, str]:
    """`benchsuite run` on a run that was measured."""
    return command("run", "--profile", "tiny", "--replay", name, *extra)


PROMOTE = ("promote", "source", "--reason", "first figures")


def test_promoted_and_judged_again_is_ok(command: Command) -> None:
    """The whole way: measured, approved, judged; 0 at the end."""
    measured()
    code, out, _ = command(*PROMOTE)
    assert code == 0
    assert f"{slug_of('fp32')} on cpu-x86_64: first baseline (1 trial)" in out
    assert "constraints.txt written" in out
    code, out, err = judge(command)
    assert code == 0, err
    assert "judged " in out
    assert "FAILED" not in out
    assert "records, verdicts.json, summary.csv, report.md, report.html: results/" in out


def test_the_report_is_on_the_page_of_a_job(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """As under pytest; a page that cannot be written is told and fails nothing."""
    measured()
    command(*PROMOTE)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "page.md")
    assert judge(command)[0] == 0
    assert Path("page.md").read_text() == Path("results/latest/report.md").read_text()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "nowhere/page.md")
    code, _, err = judge(command)
    assert code == 0
    assert "the report is not in the job's summary: GITHUB_STEP_SUMMARY=nowhere/page.md: No such file" in err


def test_the_verdicts_as_json(command: Command) -> None:
    """`--json` writes what a program may want."""
    measured()
    command(*PROMOTE)
    judge(command, "--json", "verdicts.json")
    data = json.loads(Path("verdicts.json").read_text())
    assert {v["case"] for v in data} == {slug_of("fp32"), slug_of("qlora")}
    assert {"metric", "kind", "role", "outcome", "old", "new", "effect", "advice"} <= data[0].keys()
    (run,) = [p for p in Path("results").iterdir() if p.name not in ("source", "latest")]
    assert json.loads((run / "verdicts.json").read_text()) == data


def test_what_a_promotion_changed_as_json(command: Command) -> None:
    """Old and new, in lines and as data."""
    measured()
    command(*PROMOTE)
    record = recorded("fp32")
    measured(moved(record, params__trainable=1), recorded("qlora"), name="other")
    code, out, _ = command("promote", "other", "--reason", "froze it", "--json", "changed.json")
    assert code == 0
    assert "params.trainable: 88,002 -> 1" in out
    promoted = {p["case"]: p for p in json.loads(Path("changed.json").read_text())["promoted"]}
    assert len(promoted[slug_of("fp32")]["changes"]) == 1
    assert promoted[slug_of("qlora")]["changes"] == []


def test_only_what_is_named_is_promoted(command: Command) -> None:
    """The advice of a verdict, followed, makes that metric ok and leaves the other as it fails."""
    measured()
    command(*PROMOTE)
    record = recorded("fp32")
    measured(moved(record, params__trainable=1, params__total=2), name="other")
    assert judge(command, "--regimes", "fp32", name="other")[0] == 1
    command("promote", "other", "--reason", "meant", "--only", f"{slug_of('fp32')}/params.trainable")
    _, _, _ = judge(command, "--regimes", "fp32", "--json", "v.json", name="other")
    found = {v["metric"]: v["outcome"] for v in json.loads(Path("v.json").read_text())}
    assert (found["params.trainable"], found["params.total"]) == ("ok", "changed")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda r: replace(r, injected="fault.py:freeze"), "a fault was planted: fault.py:freeze"),
        (failed, "this trial is failed"),
        (
            lambda r: replace(r, status=Status.INVALID, problem="parent held CUDA"),
            "this trial is invalid (parent held CUDA)",
        ),
    ],
    ids=["injected", "failed", "invalid"],
)
def test_what_must_not_become_a_baseline_is_refused(
    command: Command, spoil: Callable[[Record], Record], words: str
) -> None:
    """Code 2, the file is named, and nothing at all is written."""
    measured(recorded("fp32"), spoil(recorded("qlora")))
    code, _, err = command(*PROMOTE)
    assert code == 2
    assert words in err
    assert f"{slug_of('qlora')}--t00.json" in err
    assert not Path("baselines").exists()


def inconclusive(record: Record) -> Record:
    """The record, had it lost a metric that gates."""
    return replace(record, metrics={k: v for k, v in record.metrics.items() if k != "params.total"})


@pytest.mark.parametrize(
    ("spoil", "extra", "code"),
    [
        (lambda r: moved(r, params__total=1), (), 1),
        (lambda r: moved(r, params__total=1), ("--no-gate",), 0),
        (failed, (), 3),
        (failed, ("--no-gate",), 0),
        (inconclusive, (), 3),
        (lambda r: inconclusive(moved(r, params__stored=1)), (), 1),
    ],
    ids=["changed", "changed, no gate", "failed", "failed, no gate", "metric gone", "metric gone and changed"],
)
def test_exit_codes_of_verdicts(
    command: Command, spoil: Callable[[Record], Record], extra: tuple[str, ...], code: int
) -> None:
    """1 for regressed or changed, 3 for what was not decided, 0 without the gate."""
    measured()
    command(*PROMOTE)
    measured(recorded("qlora"), spoil(recorded("fp32")), name="other")
    assert judge(command, *extra, name="other")[0] == code


def test_a_missing_baseline_is_green_unless_required(command: Command) -> None:
    """0, or 1 with --require-baseline."""
    measured()
    assert judge(command)[0] == 0
    assert judge(command, "--require-baseline")[0] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "--profile", "tinny"), "benchsuite: unknown profile 'tinny'. Did you mean 'tiny'?"),
        (("run", "--regimes", "qlra"), "benchsuite: unknown regime 'qlra'. Did you mean 'qlora'?"),
        (("run", "--replay", "sorce"), "no run 'sorce'. Did you mean 'source'? Newest in results: source."),
        (("run", "--trials", "x"), "Invalid value for '--trials'"),
        (("run", "--model", "./none"), "no model folder './none'"),
        (("run", "--nonsense",), "No such option: --nonsense"),
        (("promote", "source", "--reason", "  "), "a promotion needs a reason"),
        (("promote", "source"), "Missing option '--reason'"),
        (("promote", "none", "--reason", "x"), "no run 'none'"),
        (("promote", "source", "--reason", "x", "--only", "fp23*"), "--only: no case matches 'fp23*'. Near: "),
        (("nothing",), "No such command 'nothing'"),
    ],
)  # fmt: skip
def test_a_mistake_ends_with_2_and_one_message(command: Command, words: tuple[str, ...], said: str) -> None:
    """Never a traceback; nothing is written."""
    measured()
    before = sorted(Path().rglob("*"))
    code, _, err = command(*words)
    assert code == 2
    assert said in err.replace("│ ", "").replace("'nothing' .", "'nothing'.")
    assert "Traceback" not in err
    assert sorted(Path().rglob("*")) == before


def test_a_gpu_profile_without_a_gpu_ends_with_2(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command never skips."""
    monkeypatch.setattr("benchsuite.environment.gpus", lambda: ())
    code, _, err = command("run", "--profile", "quick")
    assert code == 2
    assert "no NVIDIA GPU here" in err


def test_a_damaged_baseline_ends_with_2(command: Command) -> None:
    """As under pytest."""
    measured()
    command(*PROMOTE)
    path = Path("baselines", "cpu-x86_64", f"{slug_of('fp32')}.json")
    path.write_text(path.read_text()[:500])
    code, _, err = judge(command)
    assert code == 2
    assert "is cut short" in err


def test_ctrl_c_says_how_to_go_on(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code 130, no traceback."""

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    measured()
    monkeypatch.setattr("benchsuite.session.Session.result", interrupt)
    code, _, err = judge(command)
    assert code == 130
    assert err.endswith("interrupted; finished trials are kept: go on with --resume")


def test_several_runs_are_pooled(command: Command) -> None:
    """Trials of several runs become one baseline."""
    measured(recorded("fp32"))
    again = replace(recorded("fp32"), started="2030-01-01T00:00:00+00:00")
    measured(replace(again, metrics={**again.metrics, "time.train": Measured(value=3.5)}), name="again")
    code, out, err = command("promote", "source", "again", "--reason", "both")
    assert code == 0, err
    assert "first baseline (2 trials)" in out


def test_the_parts_of_a_difference(command: Command) -> None:
    """In words or as JSON, from one run or several; 2 where there is nothing to take apart."""
    one, other = measured(recorded("fp32"), name="one"), measured(recorded("qlora"), name="other")
    code, out, err = command("effects", one, other, "--json", "parts.json")
    assert (code, err) == (0, "")
    assert out.startswith("toy, tiny, toy-bert (pretrained), cpu, seed 42\n\n  Regime")
    assert "\n\nfp32 -> qlora: toy, tiny, toy-bert" in out
    told = json.loads(Path("parts.json").read_text())
    (found,), (beside,) = told["parts"], told["regimes"]
    assert list(beside["figures"]) == ["fp32", "qlora"]
    assert found["missing"][0].startswith("only measured together: fewer trained parameters, half precision, 4 bits")
    assert json.loads(command("effects", one, other, "--json", "-")[1]) == told
    code, out, err = command("effects", one)
    assert (code, out) == (2, "")
    assert err.startswith("benchsuite: nothing to take apart: ")


def test_the_version_and_the_help(command: Command) -> None:
    """The commands that exist work; exit codes are told."""
    assert command("--version")[:2] == (0, f"{__version__}\n")
    code, out, _ = command("--help")
    assert code == 0
    assert "promote" in out
    assert "0 ok, 1 regressed or changed" in out


# ---------------------------------------------------------------- selftest


def self_test(monkeypatch: pytest.MonkeyPatch, result: Result) -> None:
    """Lets `benchsuite selftest` find one fault that came out so, and nothing be measured."""
    row = matrix.not_run(next(iter(planting.faults().values())), result, "why")

    def run(chosen: Any, options: Any, *, home: Path, clean: int, jobs: int, **_: Any) -> Report:
        assert home.is_dir()
        return Report(
            suite="0", when="2026-01-02", profile="tiny", machine="m", hardware={}, packages={}, jobs=jobs, rows=(row,)
        )

    monkeypatch.setattr(selftest, "run", run)


@pytest.mark.parametrize(
    ("result", "extra", "code", "kept"),
    [
        (Result.CAUGHT, (), 0, 0),
        (Result.CAUGHT, ("--keep",), 0, 1),
        (Result.MISSED, (), 1, 1),
        (Result.UNPLANTED, (), 1, 1),
    ],
)
def test_a_self_test_leaves_its_trials_where_somebody_must_look(
    command: Command, monkeypatch: pytest.MonkeyPatch, result: Result, extra: tuple[str, ...], code: int, kept: int
) -> None:
    """They go where all was caught, unless they are to be kept; the answer is there for programs and as a page."""
    self_test(monkeypatch, result)
    ended, out, _ = command("selftest", "--json", "out.json", "--markdown", "out.md", *extra)
    assert ended == code
    assert f"1 {result.value}" in out
    assert len(list(Path("results/selftest").glob("*/records"))) == kept
    assert json.loads(Path("out.json").read_text())["rows"][0]["result"] == result.value
    assert Path("out.md").read_text().startswith("# Self-test, profile tiny\n")


def test_an_interrupted_self_test_says_how_to_go_on(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its finished trials stay, and 130 is the code of an interrupt."""

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(selftest, "run", interrupt)
    code, _, err = command("selftest")
    assert (code, "go on with --resume" in err) == (130, True)
    assert len(list(Path("results/selftest").glob("*/records"))) == 1
    self_test(monkeypatch, Result.CAUGHT)
    assert command("selftest", "--resume")[0] == 0
    assert list(Path("results/selftest").glob("*/records")) == []
    assert command("selftest", "--resume")[0] == 2
