"""One worker process: followed, killed with all it started, and told of when it dies. The worker here is a script."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from factories import make_case, make_record

from benchsuite import codec, store
from benchsuite.cases import slug
from benchsuite.checkpoints import child_environment
from benchsuite.nouns import Device, Job, Status, SuiteError
from benchsuite.runners import process
from benchsuite.runners.ahead import Ahead, Seat
from benchsuite.runners.local import LocalRunner
from benchsuite.runners.process import Ended, Worker, worker_environment

HEAD = """#!{python}
import json, os, signal, subprocess, sys, time
from pathlib import Path
out, job = Path(sys.argv[-1]), sys.stdin.read()
def tell(**event): print(json.dumps(event), flush=True)
def child(own_session=False):
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=own_session).pid
"""


def job(**fields: Any) -> Job:
    """One trial of FP32 under `tiny`."""
    known: dict[str, Any] = {
        "cases": (make_case(),), "trial": 0, "pair": None, "order": None, "model_folder": "", "data": "", "inject": "",
        "machine": "cpu-x86_64", "parent_cuda": False,
    }  # fmt: skip
    return Job(**known | fields)


Start = Callable[..., Ended]


@pytest.fixture
def worker(tmp_path: Path) -> Start:
    """`worker(source)`: runs a job with a worker of this source; `told` collects its progress."""

    def start(source: str, *, timeout: float = 30.0, told: list[Mapping[str, Any]] | None = None) -> Ended:
        script = tmp_path / "python"
        script.write_text(HEAD.format(python=sys.executable) + source)
        script.chmod(0o755)
        tell = (told if told is not None else []).append
        log = tmp_path / "logs" / "one.log"
        made = Worker(log=log, variables=worker_environment(job(), ""), python=str(script))
        return made.run(job(), timeout=timeout, tell=tell)

    return start


def gone(pid: int) -> bool:
    """Whether a process has ended; waits a little, since the system takes its time to bury."""
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_records_come_back_and_progress_is_passed_on(worker: Start, tmp_path: Path) -> None:
    """The worker reads its job, tells what it does, and leaves its records in a file."""
    text = codec.dumps(codec.encode([make_record()]))
    told: list[Mapping[str, Any]] = []
    source = "tell(phase='train'); print('no JSON'); tell(step=1, of=2); tell(job=json.loads(job)['trial'])\n"
    ended = worker(f"{source}out.write_text({text!r})", told=told)
    assert ended.records == (make_record(),)
    assert ended.problem == ""
    assert told == [{"phase": "train"}, {"step": 1, "of": 2}, {"job": 0}]
    assert process.left_by(tmp_path / "logs" / "one.log").is_file()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "the trial process was killed by SIGKILL. The system's out-of-memory"),
        (
            "print('Fatal: x', file=sys.stderr, flush=True); os.abort()",
            "the trial process was killed by SIGABRT.\nFatal: x",
        ),
        ("os.kill(os.getpid(), 35)", "the trial process was killed by signal 35."),
        ("sys.exit('cannot go on')", "ended with exit code 1 and no record; its last lines:\ncannot go on"),
        ("pass", "ended with exit code 0 and no record"),
        ("out.write_text('[{]')", "left a record that cannot be read"),
    ],
    ids=["SIGKILL", "SIGABRT", "a nameless signal", "exit 1", "exit 0", "garbage"],
)
def test_a_worker_that_dies_is_told_of(worker: Start, source: str, words: str) -> None:
    """Its signal or code, and the last lines of what it said."""
    ended = worker(source)
    assert ended.records == ()
    assert words in ended.problem


def test_only_the_last_lines_are_shown(worker: Start) -> None:
    """The log has the rest."""
    ended = worker("for i in range(100): print('line', i, file=sys.stderr)\nsys.exit(3)")
    assert "exit code 3" in ended.problem
    assert "line 99" in ended.problem
    assert "line 50" not in ended.problem


def test_a_worker_that_refuses_its_inputs_raises_with_its_words(worker: Start) -> None:
    """That is no failed trial: nothing can be measured."""
    with pytest.raises(SuiteError, match=r"^no such data$"):
        worker("tell(error='no such data'); sys.exit(2)")


HANG = "tell(pids=[os.getpid(), child(), child(own_session=True)])\ntime.sleep(60)"


def test_a_worker_that_hangs_is_killed_with_its_children(worker: Start) -> None:
    """After its time; also those that went to a session of their own."""
    told: list[Mapping[str, Any]] = []
    ended = worker(HANG, timeout=1.0, told=told)
    assert "was killed after its 1 s" in ended.problem
    assert 0.9 < ended.seconds < 10
    assert all(gone(pid) for pid in told[0]["pids"])


def test_a_worker_that_closes_its_pipe_and_hangs_is_killed_too(worker: Start) -> None:
    """The end of its output is not the end of it."""
    ended = worker("os.close(1); os.close(0)\ntime.sleep(60)", timeout=1.0)
    assert "was killed after its 1 s" in ended.problem


def test_children_of_a_dead_worker_are_killed(worker: Start) -> None:
    """They hold its pipe open; nobody waits for them, and they do not stay."""
    told: list[Mapping[str, Any]] = []
    ended = worker("tell(pids=[child()]); os.kill(os.getpid(), signal.SIGKILL)", told=told)
    assert "SIGKILL" in ended.problem
    assert ended.seconds < 10
    assert gone(told[0]["pids"][0])


def test_ctrl_c_kills_the_whole_tree(worker: Start) -> None:
    """The interrupt goes on to the caller once nothing runs any more."""
    pids: list[int] = []

    class Interrupt(list[Mapping[str, Any]]):
        """Presses Ctrl-C when the worker is up."""

        def append(self, event: Mapping[str, Any]) -> None:
            """Note and interrupt."""
            pids.extend(event["pids"])
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()

    # A shell that starts us in the background has the interrupt ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            worker(HANG, told=Interrupt())
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(pids) == 3
    assert all(gone(pid) for pid in pids)


PARENT = """
import os, sys, time
from pathlib import Path
from benchsuite.runners.process import Worker
worker = Worker(log=Path(sys.argv[2]) / "one.log", variables=os.environ, python=sys.argv[1])
print(worker.process.pid, worker.work, flush=True)
time.sleep(60)
"""


def test_a_worker_does_not_outlive_whoever_follows_it(tmp_path: Path) -> None:
    """Though that is killed at once: it would hold the device, and write where a resumed run writes."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, sys.executable, str(tmp_path)],
        stdout=subprocess.PIPE, text=True, env=child_environment(),
    )  # fmt: skip
    assert parent.stdout is not None
    with parent.stdout:
        pid, work = parent.stdout.readline().split()
    assert Path(work).is_dir()
    parent.kill()
    parent.wait()
    assert gone(int(pid))
    assert not Path(work).exists()


def test_nothing_of_a_trials_files_is_left(worker: Start) -> None:
    """Its checkpoints are as large as the model; killed, it cannot remove them itself."""
    told: list[Mapping[str, Any]] = []
    given = "work = sys.argv[sys.argv.index('--work') + 1]; (Path(work) / 'checkpoint').write_text('x')\n"
    worker(f"{given}tell(work=work); os.kill(os.getpid(), signal.SIGKILL)", told=told)
    assert not Path(told[0]["work"]).exists()


def test_a_grandchild_that_holds_the_pipe_keeps_nobody(worker: Start) -> None:
    """One in a session of its own that outlives its parent: the trial is over all the same."""
    source = "subprocess.Popen(['sleep', '20'], start_new_session=True)\nos.kill(os.getpid(), signal.SIGKILL)"
    began = time.monotonic()
    assert "SIGKILL" in worker(source).problem
    assert time.monotonic() - began < 10


def test_what_is_no_event_is_passed_over(worker: Start) -> None:
    """A site's start-up code may print before the worker has taken its output: JSON, but no object."""
    told: list[Mapping[str, Any]] = []
    worker("print(7); print('[1]'); print('null'); tell(step=1)", told=told)
    assert told == [{"step": 1}]


def test_a_python_that_cannot_be_started_is_one_sentence(tmp_path: Path) -> None:
    """And nothing is left of the attempt."""
    before = set(Path(tempfile.gettempdir()).glob("benchsuite-*"))
    with pytest.raises(SuiteError, match=r"cannot start a trial with /no/python: No such file or directory\."):
        Worker(log=tmp_path / "one.log", variables={}, python="/no/python")
    assert set(Path(tempfile.gettempdir()).glob("benchsuite-*")) == before


def test_a_log_that_vanished_costs_no_more_than_its_lines(worker: Start) -> None:
    """How the worker ended is told without them."""
    ended = worker("import shutil\nshutil.rmtree(out.parent)\nsys.exit(4)")
    assert "exit code 4" in ended.problem
    assert "one.log cannot be read: No such file or directory" in ended.problem


def test_a_record_of_an_earlier_worker_is_not_taken_for_this_ones(worker: Start, tmp_path: Path) -> None:
    """A run that was cut off may have left one."""
    left = process.left_by(tmp_path / "logs" / "one.log")
    left.parent.mkdir()
    left.write_text(codec.dumps(codec.encode([make_record()])))
    assert worker("pass").records == ()


def test_a_log_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """A results folder that is read-only, or no folder at all."""
    (tmp_path / "logs").write_text("a file")
    with pytest.raises(SuiteError, match=r"cannot write .*one\.log: .*choose another folder"):
        Worker(log=tmp_path / "logs" / "one.log", variables={})


# ---------------------------------------------------------------- environment


@pytest.mark.parametrize(("gpu", "device"), [("GPU-3", Device.CUDA), ("", Device.CPU)])
def test_a_worker_sees_one_gpu_or_none(gpu: str, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the parent sees: the others are hidden."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3")
    env = worker_environment(job(cases=(make_case(device=device),)), gpu)
    assert env["CUDA_VISIBLE_DEVICES"] == gpu
    assert env["PYTHONHASHSEED"] == "0"


@pytest.mark.parametrize(
    ("set_by_user", "gpu", "threads"), [(None, "", "1"), ("4", "", "4"), (None, "GPU-0", None), ("4", "GPU-0", "4")]
)
def test_a_cpu_trial_has_one_thread_unless_told_otherwise(
    set_by_user: str | None, gpu: str, threads: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bits must not hang on the count of cores."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if set_by_user:
        monkeypatch.setenv("OMP_NUM_THREADS", set_by_user)
    assert worker_environment(job(), gpu).get("OMP_NUM_THREADS") == threads


@pytest.mark.parametrize(
    ("fields", "offline"),
    [
        ({}, "1"),
        ({"cases": (make_case(task="sst2"),)}, None),
        ({"cases": (make_case(task="sst2"),), "data": "here"}, "1"),
    ],
    ids=["toy", "sst2 from the hub", "sst2 from a folder"],
)
def test_no_network_where_none_is_needed(
    fields: dict[str, Any], offline: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The embedded task and a folder of the user's need none."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert worker_environment(job(**fields), "").get("HF_HUB_OFFLINE") == offline


# ---------------------------------------------------------------- the runner around it


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """An empty run."""
    for name in ("records", "logs"):
        (tmp_path / "run" / name).mkdir(parents=True)
    return tmp_path / "run"


def test_a_death_leaves_a_record_that_points_at_the_log(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On disk before anything judges it."""

    def killed(self: Worker, *_: Any, **__: Any) -> Ended:
        self.end()
        return Ended(records=(), problem="killed by SIGKILL", seconds=3.0)

    monkeypatch.setattr(Worker, "run", killed)
    (record,) = LocalRunner(gpu="").run(job(trial=2), run, print)
    assert (record.status, record.seconds, record.trial) == (Status.FAILED, 3.0, 2)
    name = f"{json.loads(codec.dumps(codec.encode(record)))['case']['task']}--fp32"
    assert record.problem.startswith(f"killed by SIGKILL\nLog: run/logs/{name}")
    assert store.load_run(run) == (record,)


def test_what_the_worker_left_is_deleted_only_once_it_is_stored(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk between the two must not cost the trial."""
    left: list[Path] = []

    def pretend(self: Worker, *_: Any, **__: Any) -> Ended:
        self.end()
        left.append(self.out)
        left[-1].write_text("[]")
        return Ended(records=(make_record(),), problem="", seconds=1.0)

    def full(*_: Any) -> None:
        raise SuiteError("cannot write: No space left on device")

    monkeypatch.setattr(Worker, "run", pretend)
    with monkeypatch.context() as patch:
        patch.setattr(store, "save_record", full)
        with pytest.raises(SuiteError, match="No space left"):
            LocalRunner(gpu="").run(job(), run, print)
    assert left[0].is_file()
    LocalRunner(gpu="").run(job(), run, print)
    assert not left[0].exists()
    assert len(store.load_run(run)) == 1


def test_the_next_ones_process_is_started_once_nothing_is_timed_any_more(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the probes of the process's last case, and for whom it is meant."""
    two = (make_case(), make_case(regime="qlora"))
    names = [slug(case) for case in two]
    events = [{"phase": phase, "case": name} for name in names for phase in ("train", "evaluate", "probe")]
    told: list[Mapping[str, Any]] = []
    at: list[int] = []

    class Seats(Ahead):
        def fill(self, seats: Iterable[Seat]) -> None:
            assert [seat.variables["CUDA_VISIBLE_DEVICES"] for seat in seats] == [""]
            at.append(len(told))

    def pretend(self: Worker, *_: Any, tell: Callable[[Mapping[str, Any]], None], **__: Any) -> Ended:
        self.end()
        for event in ({"phase": "import"}, *events):
            tell(event)
        return Ended(records=(make_record(), make_record()), problem="", seconds=1.0)

    monkeypatch.setattr(Worker, "run", pretend)
    runner = LocalRunner(gpu="", ahead=Seats(run / "logs", wanted=True))
    runner.run(job(cases=two), run, told.append, then=None)
    assert at == []
    told.clear()
    runner.run(job(cases=two), run, told.append, then=job(trial=1))
    assert at == [len(events)], "before the last event is told: the probe of the second case"


def test_a_next_one_that_cannot_be_started_costs_no_trial(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one at hand is nearly done; whoever comes next tells, if it cannot start then either."""

    class Full(Ahead):
        def fill(self, seats: Iterable[Seat]) -> None:
            raise SuiteError("cannot start")

    def pretend(self: Worker, *_: Any, tell: Callable[[Mapping[str, Any]], None], **__: Any) -> Ended:
        self.end()
        tell({"phase": "probe", "case": slug(make_case())})
        return Ended(records=(make_record(),), problem="", seconds=1.0)

    monkeypatch.setattr(Worker, "run", pretend)
    LocalRunner(gpu="", ahead=Full(run / "logs", wanted=True)).run(job(), run, print, then=job(trial=1))
    assert len(store.load_run(run)) == 1


def test_a_seat_hangs_on_no_test_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what one test's trial starts for the next one's would never be used."""
    runner = LocalRunner(gpu="")
    seats = set()
    for name in ("one", "two"):
        monkeypatch.setenv("PYTEST_CURRENT_TEST", name)
        seats.add(tuple(sorted(runner.seat(job()).variables.items())))
    assert len(seats) == 1
