"""Processes that are started before their trial: who gets them, and that none is left. The worker here is a script."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from factories import make_case

from benchsuite.contest.order import arm_at, following
from benchsuite.nouns import Job
from benchsuite.runners import ahead as module
from benchsuite.runners.ahead import Ahead, Seat

WAITS = """#!{python}
import json, os, sys
print(json.dumps({{"imported": os.getpid()}}), flush=True)
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
def ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ahead]:
    """Allowed to start what it is asked for, on a machine with cores to spare."""
    monkeypatch.setattr(module, "room", lambda _: 2)
    made = Ahead(tmp_path / "logs", wanted=True)
    made.safe = True
    yield made
    made.end()


def waiting() -> list[psutil.Process]:
    """What this process started and is still there."""
    return [p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE]


def told(ahead: Ahead, seat: Seat, log: Path) -> list[dict[str, int]]:
    """What a worker of this seat tells when it runs the seventh trial."""
    job = Job(
        cases=(make_case(),), trial=7, pair=None, order=None, model_folder="", data="", inject="", machine="m",
        parent_cuda=False,
    )  # fmt: skip
    events: list[dict[str, int]] = []
    ahead.worker(seat, log).run(job, timeout=30.0, tell=lambda event: events.append(dict(event)))
    return events


def test_a_trial_gets_the_process_that_waits_in_its_seat(ahead: Ahead, seat: Seat, tmp_path: Path) -> None:
    """It is given its job then, and what it said meanwhile stands in the trial's log."""
    ahead.fill([seat])
    (process,) = waiting()
    events = told(ahead, seat, tmp_path / "logs" / "trial.log")
    assert events == [{"imported": process.pid}, {"job": 7}]
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


def test_one_process_waits_for_each_seat(ahead: Ahead, seat: Seat) -> None:
    """However often it is asked for."""
    other = Seat(python=seat.python, variables={**seat.variables, "ARM": "B"})
    ahead.fill([seat, seat])
    ahead.fill([other, seat])
    assert len(waiting()) == 2


def test_nothing_of_those_that_wait_is_left(ahead: Ahead, seat: Seat, tmp_path: Path) -> None:
    """Neither a process nor its log."""
    ahead.fill([seat])
    ahead.end()
    assert waiting() == []
    assert list((tmp_path / "logs").iterdir()) == []


@pytest.mark.parametrize(("wanted", "safe", "room"), [(False, True, 2), (True, False, 2), (True, True, 0)])
def test_nothing_is_started_where_it_could_disturb(
    tmp_path: Path, seat: Seat, monkeypatch: pytest.MonkeyPatch, *, wanted: bool, safe: bool, room: int
) -> None:
    """Where nobody wants it, where the driver might show it as a stranger, or where cores are few."""
    monkeypatch.setattr(module, "room", lambda _: room)
    made = Ahead(tmp_path / "logs", wanted=wanted)
    made.safe = safe
    made.fill([seat])
    assert waiting() == []


def test_a_worker_that_nobody_needs_ends_by_itself(tmp_path: Path) -> None:
    """Its caller may have been killed: then nobody gives it a job."""
    made = module.Worker(log=tmp_path / "one.log", variables={**os.environ, "CUDA_VISIBLE_DEVICES": ""})
    assert made.process.stdin is not None
    made.process.stdin.close()
    assert made.process.wait(timeout=120) == 0
    made.end()


@pytest.mark.parametrize(("pair", "place"), [(0, 0), (0, 1), (1, 0), (7, 1)])
def test_what_follows_is_in_the_order_of_the_pairs(pair: int, place: int) -> None:
    """A B, B A, A B, and so on."""
    order = [arm_at(i // 2, i % 2) for i in range(20)]
    at = 2 * pair + place
    assert following(pair, place, 3) == tuple(order[at + 1 : at + 4])
