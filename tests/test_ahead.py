"""Processes that are started before their trial: who gets them, and that none is left. The worker here is a script."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from factories import make_case

from benchsuite.contest.order import arm_at, following
from benchsuite.nouns import Job, SuiteError
from benchsuite.runners import ahead as module
from benchsuite.runners.ahead import Ahead, Seat

WAITS = """#!{python}
import json, os, sys
print(json.dumps({{"imported": os.getpid()}}), flush=True)
print(json.dumps({{"ready": True}}), flush=True)
print("said while waiting", file=sys.stderr, flush=True)
print(json.dumps({{"job": json.loads(sys.stdin.read())["trial"]}}), flush=True)
"""


@pytest.fixture
def seat(tmp_path: Path) -> Seat:
    """A seat whose worker tells its number, and the job that it is given."""
    script = tmp_path / "python"
    script.write_text(WAITS.format(python=sys.executable))
    script.chmod(0o755)
    return Seat(python=str(script), variables={**os.environ, "ARM": "A"})


@pytest.fixture
def ahead(tmp_path: Path) -> Iterator[Ahead]:
    """Allowed to start what it is asked for."""
    made = Ahead(tmp_path / "logs", wanted=True)
    yield made
    made.end()


def waiting() -> list[psutil.Process]:
    """What this process started and is still there."""
    return [p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE]


def job() -> Job:
    """The seventh trial of FP32."""
    return Job(
        cases=(make_case(),), trial=7, pair=None, order=None, model_folder="", data="", inject="", machine="m",
        parent_cuda=False,
    )  # fmt: skip


def told(ahead: Ahead, seat: Seat, log: Path) -> list[dict[str, int]]:
    """What a worker of this seat tells when it runs the seventh trial."""
    events: list[dict[str, int]] = []
    ahead.worker(seat, log).run(job(), timeout=30.0, tell=lambda event: events.append(dict(event)))
    return events


def test_a_trial_gets_the_process_that_waits_in_its_seat(ahead: Ahead, seat: Seat, tmp_path: Path) -> None:
    """It is given its job then, and what it said meanwhile stands in the trial's log."""
    ahead.fill([seat])
    (process,) = waiting()
    events = told(ahead, seat, tmp_path / "logs" / "trial.log")
    assert events == [{"imported": process.pid}, {"ready": True}, {"job": 7}]
    assert (tmp_path / "logs" / "trial.log").read_text() == "said while waiting\n"
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["trial.log"]
    assert waiting() == []


def test_a_trial_without_one_gets_a_new_process(ahead: Ahead, seat: Seat, tmp_path: Path) -> None:
    """As where nothing is started ahead; another seat's process goes on waiting."""
    other = Seat(python=seat.python, variables={**seat.variables, "ARM": "B"})
    ahead.fill([other])
    (process,) = waiting()
    assert told(ahead, seat, tmp_path / "logs" / "trial.log")[0]["imported"] != process.pid
    assert waiting() == [process]


def test_as_many_wait_in_a_seat_as_it_is_named(ahead: Ahead, seat: Seat) -> None:
    """Those that wait already are counted."""
    other = Seat(python=seat.python, variables={**seat.variables, "ARM": "B"})
    ahead.fill([seat, other])
    assert ahead.missing([seat, other, other, seat]) == [other, seat]
    ahead.fill([seat, other, other])
    assert len(waiting()) == 3


def test_all_have_imported_once_they_are_gathered(ahead: Ahead, seat: Seat, tmp_path: Path) -> None:
    """What was told before is not told again; one that dies of its imports keeps nobody, and tells when it is used."""
    dies = tmp_path / "dies"
    dies.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('no such library')\n")
    dies.chmod(0o755)
    broken = Seat(python=str(dies), variables=seat.variables)
    ahead.fill([seat, broken, seat])
    ahead.gather(30.0)
    assert told(ahead, seat, tmp_path / "logs" / "trial.log") == [{"job": 7}]
    ended = ahead.worker(broken, tmp_path / "logs" / "other.log").run(job(), timeout=30.0, tell=lambda _: None)
    assert "no such library" in ended.problem, "a new one, whose imports fail as well"


def test_one_that_hangs_in_its_imports_is_killed(ahead: Ahead, seat: Seat, tmp_path: Path) -> None:
    """A call always ends."""
    hangs = tmp_path / "hangs"
    hangs.write_text("#!/bin/sh\nsleep 60\n")
    hangs.chmod(0o755)
    stuck = Seat(python=str(hangs), variables=seat.variables)
    ahead.fill([stuck])
    ahead.gather(0.2)
    assert waiting() == []
    ended = ahead.worker(stuck, tmp_path / "logs" / "trial.log").run(job(), timeout=30.0, tell=lambda _: None)
    assert ended.problem.startswith("the trial was killed after its 0 s: it hung")


def test_all_that_hang_share_one_time(ahead: Ahead, seat: Seat, tmp_path: Path) -> None:
    """Not one after another: a call ends when it says."""
    hangs = tmp_path / "hangs"
    hangs.write_text("#!/bin/sh\nsleep 60\n")
    hangs.chmod(0o755)
    ahead.fill([Seat(python=str(hangs), variables=seat.variables)] * 4)
    began = time.monotonic()
    ahead.gather(1.0)
    assert time.monotonic() - began < 3
    assert waiting() == []


def test_one_that_was_killed_while_it_waited_is_passed_over(ahead: Ahead, seat: Seat, tmp_path: Path) -> None:
    """It measured nothing: a new process takes the trial."""
    ahead.fill([seat])
    (process,) = waiting()
    process.kill()
    process.wait()
    events = told(ahead, seat, tmp_path / "logs" / "trial.log")
    assert events[-1] == {"job": 7}
    assert events[0]["imported"] != process.pid
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["trial.log"]


def test_who_waits_for_no_wanted_trial_is_let_go(ahead: Ahead, seat: Seat) -> None:
    """It would hold its memory until the end of the run."""
    other = Seat(python=seat.python, variables={**seat.variables, "ARM": "B"})
    ahead.fill([seat, other, other])
    ahead.keep([seat])
    assert ahead.missing([seat]) == []
    assert len(waiting()) == 1


def test_a_log_that_cannot_be_moved_is_one_sentence_and_loses_nobody(ahead: Ahead, seat: Seat, tmp_path: Path) -> None:
    """Somebody removed it: the end still knows who waits."""
    ahead.fill([seat])
    next((tmp_path / "logs").iterdir()).unlink()
    with pytest.raises(SuiteError, match=r"cannot write .*trial\.log: No such file"):
        ahead.worker(seat, tmp_path / "logs" / "trial.log")
    ahead.end()
    assert waiting() == []


@pytest.mark.parametrize(
    ("cores", "memory", "room"), [(3, 64, 0), (4, 64, 2), (16, 64, 14), (16, 7, 2), (16, 1, 0), (128, 900, 14)]
)
def test_room_is_for_whole_pairs(monkeypatch: pytest.MonkeyPatch, cores: int, memory: int, room: int) -> None:
    """By cores, of which one is left to the machine, and by free memory (GiB)."""
    monkeypatch.setattr(module, "cores", lambda: cores)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=memory * 2**30))
    assert module.room() == room


def test_nothing_of_those_that_wait_is_left(ahead: Ahead, seat: Seat, tmp_path: Path) -> None:
    """Neither a process nor its log."""
    ahead.fill([seat])
    ahead.end()
    assert waiting() == []
    assert list((tmp_path / "logs").iterdir()) == []


def test_nothing_is_started_where_nobody_wants_it(tmp_path: Path, seat: Seat) -> None:
    """As where the import itself is timed."""
    Ahead(tmp_path / "logs", wanted=False).fill([seat])
    assert waiting() == []


def test_a_worker_that_nobody_needs_ends_by_itself(tmp_path: Path) -> None:
    """Its caller may have been killed: then nobody gives it a job."""
    made = module.Worker(log=tmp_path / "one.log", variables={**os.environ, "CUDA_VISIBLE_DEVICES": ""})
    assert made.process.stdin is not None
    made.process.stdin.close()
    assert made.process.wait(timeout=120) == 0
    made.end()


@pytest.mark.parametrize("pair", [0, 1, 7])
def test_what_follows_is_in_the_order_of_the_pairs(pair: int) -> None:
    """A B, B A, A B, and so on."""
    order = [arm_at(i // 2, i % 2) for i in range(20)]
    assert following(pair, 3) == tuple(order[2 * pair : 2 * pair + 3])
