"""Spawns one worker process, follows its progress, and leaves nothing of it behind."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .. import codec
from ..checkpoints import child_environment
from ..nouns import Job, Record, SuiteError
from .endings import death, kill_tree, late

Tell = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a worker process ended."""

    records: tuple[Record, ...]
    """What it left; empty where it died first."""
    problem: str
    """Why there are none, in words."""
    seconds: float


class Worker:
    """A worker process: it imports its libraries at once, and measures when it is given its job.

    Args:
        log: Where its stderr goes.
        variables: Its environment, whole.
        python: The interpreter.

    It ends with this process, however this one ends: a measuring worker that nobody follows would hold the device.

    Raises:
        SuiteError: the log cannot be written, or no process started.
    """

    def __init__(self, *, log: Path, variables: Mapping[str, str], python: str = sys.executable) -> None:
        self.log, self.variables = log, variables
        self.hung = ""
        """Why it was killed before it had a job; empty where it was not."""
        self.out = left_by(log)
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        with _opened(log) as stderr:
            try:
                self.work = Path(tempfile.mkdtemp(prefix="benchsuite-"))
                # An earlier run of this very process may have left one.
                self.out.unlink(missing_ok=True)
                self.process, self._lifeline = self._start(python, stderr)
            except OSError as error:
                raise SuiteError(f"cannot start a trial with {python}: {error.strerror or error}.") from error
        threading.Thread(target=_pump, args=(self.process.stdout, self._lines), daemon=True).start()

    def _start(self, python: str, stderr: IO[bytes]) -> tuple[subprocess.Popen[bytes], int]:
        """The process, and a pipe's end that it watches: it closes with this process, even by SIGKILL."""
        watched, lifeline = os.pipe()
        parts = {"--lifeline": str(watched), "--work": str(self.work), "--out": str(self.out)}
        command = [python, "-m", "benchsuite.worker", *(word for pair in parts.items() for word in pair)]
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True,
                env=dict(self.variables), pass_fds=(watched,),
            )  # fmt: skip
        except BaseException:  # Ctrl-C too: nobody else knows of pipe and folder yet, and it goes on
            os.close(lifeline)
            shutil.rmtree(self.work, ignore_errors=True)
            raise
        finally:
            os.close(watched)
        return process, lifeline

    @property
    def usable(self) -> bool:
        """Whether it can be given a job: it is there, or it hung, which is the job's answer."""
        return bool(self.hung) or self.process.poll() is None

    def rename(self, log: Path) -> None:
        """Let `log` be its log from now on.

        Raises:
            SuiteError: the log cannot be moved there.
        """
        try:
            self.log = self.log.replace(log)
        except OSError as error:
            raise _unwritable(log, error) from error

    def until_ready(self, timeout: float, since: float) -> None:
        """Return once its libraries are imported or it died; it is killed `timeout` seconds after `since`."""
        deadline = since + timeout
        if any("ready" in event for event in self._events(deadline)):
            return
        if time.monotonic() >= deadline:
            self.hung = late(timeout)
            self.end()

    def run(self, job: Job, *, timeout: float, tell: Tell) -> Ended:
        """Give it `job` and follow it to its end; its time runs from now on.

        Killed with its children after `timeout` seconds and on Ctrl-C. What it wrote stays in `out`, for the
        caller to delete once it is stored.

        Raises:
            SuiteError: it says that its inputs cannot be had.
        """
        if self.hung:
            return Ended(records=(), problem=self.hung, seconds=0.0)
        began = time.monotonic()
        try:
            _send(self.process.stdin, codec.dumps(codec.encode(job)))
            error = self._follow(began + timeout, tell)
        finally:
            self.end()
        seconds = time.monotonic() - began
        if error:
            raise SuiteError(error)
        whole = self.process.returncode == 0 and self.out.is_file()
        records, problem = _records(self.out) if whole else ((), "")
        if not records:
            problem = problem or death(self.process.returncode, seconds, timeout, self.log)
        return Ended(records=records, problem=problem, seconds=seconds)

    def _follow(self, deadline: float, tell: Tell) -> str:
        """Pass progress on until the worker closes its pipe or time is up; its error message, or empty."""
        error = ""
        for event in self._events(deadline):
            if "error" in event:
                error = str(event["error"])
            tell(event)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, deadline - time.monotonic()))
        return error

    def _events(self, deadline: float) -> Iterator[Mapping[str, Any]]:
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=min(left, 0.5))
            except queue.Empty:
                if self.process.poll() is not None and self._lines.empty():
                    return
                continue
            if line is None:
                return
            yield from _event(line)

    def end(self) -> None:
        """Kill it with its children, and remove what it worked on; harmless where it has ended."""
        kill_tree(self.process)
        shutil.rmtree(self.work, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.close(self._lifeline)
        self._lifeline = -1


def _records(out: Path) -> tuple[tuple[Record, ...], str]:
    try:
        return codec.decode(tuple[Record, ...], codec.loads(out.read_text(encoding="utf-8"))), ""
    except (ValueError, SuiteError) as error:
        return (), f"the trial process left a record that cannot be read: {error}"


def left_by(log: Path) -> Path:
    """The file in which the worker of `log` leaves its records: no other process of this run's folder has its name."""
    return log.with_name(f"{log.stem}.{os.getpid()}.json")


def _opened(log: Path) -> IO[bytes]:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return log.open("wb")
    except OSError as error:
        raise _unwritable(log, error) from error


def _unwritable(log: Path, error: OSError) -> SuiteError:
    return SuiteError(f"cannot write {log}: {error.strerror}. Free space or choose another folder (--suite-results).")


def worker_environment(job: Job, gpu: str, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The worker's variables: one device or none, no hash randomness, and no network where none is needed.

    Made from `environ`; by default from this process's own, with this copy of the suite on the path.
    """
    base = child_environment() if environ is None else environ
    env = {**base, "CUDA_VISIBLE_DEVICES": gpu, "PYTHONHASHSEED": "0", "TOKENIZERS_PARALLELISM": "false"}
    if not gpu:
        # One thread, so that a CPU trial's bits hang on no core count and no busy neighbour; OMP_NUM_THREADS overrides.
        env.setdefault("OMP_NUM_THREADS", "1")
    if job.data or all(case.task == "toy" for case in job.cases):
        env["HF_HUB_OFFLINE"] = "1"
    return env


def _event(line: bytes) -> tuple[Mapping[str, Any], ...]:
    """What a worker tells by a line; nothing where a library, or a site's own start-up code, printed it."""
    with contextlib.suppress(ValueError):
        event = json.loads(line)
        return (event,) if isinstance(event, dict) else ()
    return ()


def _send(stream: IO[bytes] | None, text: str) -> None:
    assert stream is not None
    with contextlib.suppress(BrokenPipeError), stream:
        stream.write(text.encode())


def _pump(stream: IO[bytes] | None, lines: queue.Queue[bytes | None]) -> None:
    assert stream is not None
    with contextlib.suppress(ValueError, OSError), stream:
        for line in stream:
            lines.put(line)
    lines.put(None)
