"""The plugin on machines that lack something: a GPU, a driver, a disk, or the time to end a run."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import BROKEN_NVML, NVML, nvml
from replays import Project, recorded, slug_of

from benchsuite import environment, files, session, store
from benchsuite.history import index
from benchsuite.nouns import Job, Record
from benchsuite.runners.ahead import Ahead

FULL = ("bench", "-p", "no:cacheprovider")
"""`pytest bench` that would measure."""

# ---------------------------------------------------------------- GPU and driver


@pytest.fixture(autouse=True)
def nothing_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """No GPU is hidden from these tests by the shell that they run in."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a driver, whatever this one has."""
    monkeypatch.setitem(sys.modules, "pynvml", nvml([]))


def path_first(project: Project, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Puts a module `pynvml` first on the path of processes to come."""
    (project.path / "fake").mkdir()
    (project.path / "fake" / "pynvml.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(project.path / "fake"), prepend=os.pathsep)


def test_without_a_gpu_its_cases_skip_with_what_was_seen(bench: Project, no_gpu: None) -> None:
    """And with what to do; nothing is measured, nothing is made."""
    result = bench.pytester.runpytest_inprocess(*FULL, "-m", "gpu", "-rs")
    assert result.ret == 0
    result.stdout.fnmatch_lines(['*no NVIDIA GPU here (NVML finds no driver)*pytest bench -m "not gpu"*'])
    assert result.parseoutcomes()["skipped"] == 30
    assert not (bench.path / "results").exists()


@pytest.mark.parametrize("extra", [("-m", "gpu"), ("--suite-profile=quick",)])
def test_a_required_gpu_that_is_missing_ends_with_2(bench: Project, no_gpu: None, extra: tuple[str, ...]) -> None:
    """One message, before anything runs."""
    result = bench.pytester.runpytest_inprocess(*FULL, "--suite-require-gpu", *extra)
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*benchsuite: --suite-require-gpu: no NVIDIA GPU here*"])
    assert "Traceback" not in result.stdout.str()


def test_a_required_gpu_is_no_matter_of_the_cpus_cases(judged: Project, no_gpu: None) -> None:
    """Nothing that was selected needs one."""
    assert judged.judge("--suite-require-gpu").ret == 0


def test_a_torch_that_cannot_use_the_gpu_ends_with_2(bench: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """NVML sees a GPU: the run never skips to green, and names driver, build and command."""
    path_first(bench, monkeypatch, NVML)
    result = bench.pytester.runpytest_subprocess(*FULL, "-m", "gpu")
    assert result.ret == 2
    text = result.stdout.str()
    version = environment.packages()["torch"]
    assert f"the driver shows Tesla T4 (driver 470.82.01), but torch {version}" in text
    assert "cannot use it: " in text
    assert 'python -c "import torch; torch.zeros(1, device=0)"' in text
    assert "Traceback" not in text


def test_a_broken_driver_ends_with_2_where_a_gpu_is_needed(bench: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no missing GPU."""
    path_first(bench, monkeypatch, BROKEN_NVML)
    result = bench.pytester.runpytest_subprocess(*FULL, "-m", "gpu")
    assert result.ret == 2
    text = result.stdout.str()
    assert "the NVIDIA driver does not answer: Driver/library version mismatch" in text
    assert "INTERNALERROR" not in text


def test_an_unknown_gpu_ends_with_2(bench: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that there are are listed."""
    card = {"uuid": "GPU-a", "name": "Tesla T4", "memory": 15 << 30}
    monkeypatch.setitem(sys.modules, "pynvml", nvml([card]))
    result = bench.pytester.runpytest_inprocess(*FULL, "-m", "gpu", "--suite-device=3")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*no GPU '3' here (--suite-device). NVML sees: 0 (Tesla T4, GPU-a)*"])


def test_gpus_that_are_hidden_are_not_there(bench: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their cases skip, and the reason names the variable; one that is left out cannot be asked for either."""
    cards = [{"uuid": f"GPU-{name}", "name": "Tesla T4", "memory": 15 << 30} for name in "ab"]
    monkeypatch.setitem(sys.modules, "pynvml", nvml(cards))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    result = bench.pytester.runpytest_inprocess(*FULL, "-m", "gpu", "-rs")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*no NVIDIA GPU here (CUDA_VISIBLE_DEVICES='' leaves none of the 2 that NVML finds)*"])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    result = bench.pytester.runpytest_inprocess(*FULL, "-m", "gpu", "--suite-device=GPU-a")
    assert result.ret == 2
    result.stdout.fnmatch_lines(
        ["*no GPU 'GPU-a' here (--suite-device). CUDA_VISIBLE_DEVICES=1 leaves: 0 (Tesla T4, GPU-b)*"]
    )


# ---------------------------------------------------------------- inputs


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (("--suite-model=./none",), "no model folder './none'"),
        (("--suite-model=model",), "model has no tokenizer"),
        (
            ("--suite-inject=none.py:fault",),
            "--suite-inject 'none.py:fault': no such Python file. Give FILE.py:FUNCTION.",
        ),
        (("--suite-inject=conftest.py",), "--suite-inject 'conftest.py': no such Python file."),
        (("--suite-model=model", "--suite-data=none"), "none"),
    ],
)
def test_inputs_that_cannot_be_had_end_with_2(bench: Project, extra: tuple[str, ...], words: str) -> None:
    """Before anything is measured; 4 where the words of the call are off."""
    (bench.path / "model").mkdir()
    (bench.path / "model" / "config.json").write_text("{}")
    result = bench.pytester.runpytest_inprocess(*FULL, "--suite-profile=tiny", *extra)
    assert result.ret == (4 if "--suite-inject" in words else 2)
    assert words in result.stdout.str()
    assert not (bench.path / "results").exists()


# ---------------------------------------------------------------- disks


def full_for(monkeypatch: pytest.MonkeyPatch, wanted: Callable[[Path], bool]) -> None:
    """The disk is full for files that `wanted` says."""
    real = files.write_new

    def write(path: Path, data: bytes) -> None:
        if wanted(path):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, data)

    monkeypatch.setattr(files, "write_new", write)


def test_a_full_disk_costs_no_record_that_was_made(judged: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code 2 and one message; the case that was measured before is judged and reported."""
    full_for(monkeypatch, lambda path: "--qlora--" in path.name)
    result = judged.judge("-rA")
    assert result.ret == 2
    text = result.stdout.str()
    assert "No space left on device. Free space or choose another folder." in text
    assert "Traceback" not in text
    assert [path.name for path in sorted(judged.results.glob("records/*"))] == [f"{slug_of('fp32')}--t00.json"]
    assert slug_of("fp32") in (judged.results / "verdicts.json").read_text()
    result.assert_outcomes(passed=7 + 8, errors=1, skipped=7 + 6 + 8)


@pytest.mark.parametrize("name", ["verdicts.json", "report.md"])
def test_reports_that_cannot_be_written_end_with_2(judged: Project, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was judged is shown all the same, and the records are there."""
    full_for(monkeypatch, lambda path: name in path.name)
    result = judged.judge()
    assert result.ret == 2
    result.stdout.fnmatch_lines(
        ["judged * of *", f"benchsuite: cannot write results/*/{name}: No space left on device*"]
    )
    assert len(store.load_run(judged.results)) == 2


def test_a_results_folder_that_is_none_ends_with_2(judged: Project) -> None:
    """A file stands in its place."""
    (judged.path / "results").write_text("mine")
    result = judged.judge()
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*cannot write to results folder results: *; choose another with --suite-results*"])
    assert (judged.path / "results").read_text() == "mine"


MOUNT = 'mkdir -p results && mount -t tmpfs -o {options} tmpfs results && "$@"; code=$?; ls -R results; exit $code'


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("size=16k", "No space left on device"),
        ("ro", "cannot write to results folder results: Read-only file system; choose another with --suite-results"),
    ],
)
def test_a_real_disk_that_takes_nothing_ends_with_2(judged: Project, options: str, words: str) -> None:
    """Mounted in a name space of its own, where the system lets us."""
    apart = ["unshare", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system gives us no mount name space")
    pytest_on = [sys.executable, "-m", "pytest", *judged.arguments()]
    command = [*apart, "sh", "-c", MOUNT.format(options=options), "sh", *pytest_on]
    done = subprocess.run(command, cwd=judged.path, capture_output=True, text=True, check=False)
    if "mount:" in done.stderr:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    assert done.returncode == 2, done.stdout
    assert words in done.stdout
    assert "INTERNALERROR" not in done.stdout
    assert "Traceback" not in done.stdout


# ---------------------------------------------------------------- two at once, one after a kill


def test_two_runs_at_once_share_a_results_folder(judged: Project) -> None:
    """Each has a run of its own, whole, and the newest is one of them."""
    command = [sys.executable, "-m", "pytest", *judged.arguments("-k", "memory")]
    nowhere = subprocess.DEVNULL
    started = [subprocess.Popen(command, cwd=judged.path, stdout=nowhere, stderr=nowhere) for _ in range(2)]
    assert [process.wait(240) for process in started] == [0, 0]
    runs = sorted(path for path in (judged.path / "results").iterdir() if path.name != "latest")
    assert len(runs) == 2
    assert all(len(store.load_run(run)) == 2 and (run / "verdicts.json").is_file() for run in runs)
    assert judged.results in [run.resolve() for run in runs]
    assert not list((judged.path / "results").rglob("*.tmp"))


class Recorder:
    """Takes the place of the runner of processes: hands out recorded trials, made with this very stack."""

    measured: list[str] = []  # noqa: RUF012 - one list for all that the session makes
    announced: list[str] = []  # noqa: RUF012
    interrupt_at = ""

    def __init__(self, *, gpu: str, ahead: Ahead) -> None:
        assert gpu == ""
        self.ahead = ahead

    def run(
        self, job: Job, run: Path, tell: Callable[[Mapping[str, Any]], None], then: Job | None = None
    ) -> tuple[Record, ...]:
        """The recorded trial, on disk, or Ctrl-C in the middle."""
        self.announced.append(f"{then.cases[0].regime} {then.trial}" if then else "")
        (case,) = job.cases
        if case.regime == self.interrupt_at:
            raise KeyboardInterrupt
        self.measured.append(f"{case.regime} {job.trial}")
        made = recorded(case.regime)
        stack = replace(made.environment, packages=environment.packages())
        record = replace(made, trial=job.trial, environment=stack)
        store.save_record(run, record)
        return (record,)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> type[Recorder]:
    """A session whose trials are recorded ones."""
    monkeypatch.setattr(session, "LocalRunner", Recorder)
    monkeypatch.setattr(Recorder, "measured", [])
    monkeypatch.setattr(Recorder, "announced", [])
    monkeypatch.setattr(Recorder, "interrupt_at", "")
    return Recorder


MEASURE = ("bench", "-p", "no:cacheprovider", "--suite-profile=tiny", "--suite-trials=2", "-k", "memory or quality")


def test_an_interrupted_run_is_resumed(
    bench: Project, recorder: type[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its finished trials are kept, the rest is measured into the same run."""
    monkeypatch.setattr(recorder, "interrupt_at", "qlora")
    assert bench.pytester.runpytest_inprocess(*MEASURE, no_reraise_ctrlc=True).ret == 2
    run = bench.results
    assert recorder.measured == ["fp32 0", "fp32 1"]
    assert (run / "verdicts.json").is_file(), "what was judged before the interrupt is reported"
    monkeypatch.setattr(recorder, "interrupt_at", "")
    assert bench.pytester.runpytest_inprocess(*MEASURE, "--suite-resume").ret == 0
    assert recorder.measured == ["fp32 0", "fp32 1", "qlora 0", "qlora 1"]
    assert bench.results == run
    assert len(store.load_run(run)) == 4


def test_each_trial_is_told_which_one_follows(bench: Project, recorder: type[Recorder]) -> None:
    """So that its process can import while this one probes; nothing follows the last."""
    assert bench.pytester.runpytest_inprocess(*MEASURE).ret == 0
    assert recorder.announced == [*recorder.measured[1:], ""]


def test_a_run_that_is_broken_off_leaves_no_process_that_waits(
    bench: Project, recorder: type[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in a trial, or `-x` between two."""
    ended: list[Ahead] = []

    def end(self: Ahead) -> None:
        ended.append(self)

    monkeypatch.setattr(Ahead, "end", end)
    monkeypatch.setattr(recorder, "interrupt_at", "qlora")
    bench.pytester.runpytest_inprocess(*MEASURE, no_reraise_ctrlc=True)
    assert ended
    ended.clear()
    monkeypatch.setattr(recorder, "interrupt_at", "")
    bench.pytester.runpytest_inprocess(*MEASURE, "-x", "--suite-regimes=fp32")
    assert ended


def test_a_measured_run_is_in_the_history_once(
    bench: Project, recorder: type[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its outcomes; an interrupted one with what it had, and whole once it was resumed."""
    monkeypatch.setattr(recorder, "interrupt_at", "qlora")
    bench.pytester.runpytest_inprocess(*MEASURE, no_reraise_ctrlc=True)
    results = bench.path / "results"
    assert [entry.case for entry in index.entries(results)] == [slug_of("fp32")]
    monkeypatch.setattr(recorder, "interrupt_at", "")
    bench.pytester.runpytest_inprocess(*MEASURE, "--suite-resume")
    points = index.points(results, "time.step")
    assert {(p.case, p.run, p.outcome, len(p.values)) for p in points} == {
        (slug_of(regime), bench.results.name, "no-baseline", 2) for regime in ("fp32", "qlora")
    }


def test_a_damaged_history_is_told_and_fails_nothing(bench: Project, recorder: type[Recorder]) -> None:
    """The run's files are written; one sentence names the way out."""
    (bench.path / "results").mkdir()
    index.place(bench.path / "results").write_bytes(b"no database" * 100)
    result = bench.pytester.runpytest_inprocess(*MEASURE)
    assert result.ret == 0
    text = " ".join(result.stdout.str().split())
    assert "benchsuite: this run is not in the history: " in text
    assert text.count("benchsuite history --rebuild") == 1
    assert (bench.results / "verdicts.json").is_file()


def test_trials_of_another_stack_are_not_resumed(
    bench: Project, recorder: type[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade in between would be judged half by half."""
    only_fp32 = (*MEASURE, "--suite-regimes=fp32")
    bench.pytester.runpytest_inprocess(*only_fp32)
    real = environment.packages()
    monkeypatch.setattr(environment, "packages", lambda: real | {"peft": "99.0"})
    bench.pytester.runpytest_inprocess(*only_fp32, "--suite-resume")
    assert recorder.measured == ["fp32 0", "fp32 1"] * 2


def test_the_estimate_is_told_before_and_progress_while_it_runs(bench: Project, recorder: type[Recorder]) -> None:
    """A guess first; once there is a baseline, what its trials took."""
    result = bench.pytester.runpytest_inprocess(*MEASURE)
    result.stdout.fnmatch_lines(
        [
            "benchsuite: 2 cases, 4 trials, about * (a guess, there is no baseline yet)",
            "fp32 tiny (toy-bert), trial 1 of 2: * s",
            "fp32 tiny (toy-bert), trial 2 of 2: * s",
        ]
    )
    bench.promote()
    seconds = 2 * sum(recorded(regime).seconds for regime in ("fp32", "qlora"))
    result = bench.pytester.runpytest_inprocess(*MEASURE)
    result.stdout.fnmatch_lines(
        [f"benchsuite: 2 cases, 4 trials, about {seconds:.0f} s (as the baselines' trials took)"]
    )


def test_a_replay_never_hands_a_trial_out_twice(judged: Project) -> None:
    """Two copies of one record would pass for two trials that agree."""
    result = judged.judge("--suite-trials=2", "-k", "memory")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*runs/source holds 1 trial* of toy--fp32*: replay it with --suite-trials 1*"])
