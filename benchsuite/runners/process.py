"""Spawns one worker process, follows its progress, and leaves nothing of it behind."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .. import codec
from ..checkpoints import child_environment
from ..nouns import Job, Record, SuiteError

Tell = Callable[[Mapping[str, Any]], None]
TAIL = 15
"""Lines of a failed worker's stderr that are shown."""


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

    Raises:
        SuiteError: the log cannot be written.
    """

    def __init__(self, *, log: Path, variables: Mapping[str, str], python: str = sys.executable) -> None:
        self.log, self.variables = log, variables
        self.hung = ""
        """Why it was killed before it had a job; empty where it was not."""
        self.out = left_by(log)
        command = [python, "-m", "benchsuite.worker", "--out", str(self.out)]
        with _opened(log) as stderr:
            # A run that was cut off and is resumed may have left one.
            self.out.unlink(missing_ok=True)
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True,
                env=dict(variables),
            )  # fmt: skip

    def until_ready(self, timeout: float) -> None:
        """Return once its libraries are imported, it died, or `timeout` seconds are over: it is killed then."""
        late = threading.Timer(timeout, self._give_up, (timeout,))
        late.start()
        try:
            while (line := _line(self.process.stdout)) and not _is_ready(line):
                pass
        finally:
            late.cancel()

    def _give_up(self, timeout: float) -> None:
        self.hung = _late(timeout)
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
            error = _follow(self.process, began + timeout, tell)
        finally:
            self.end()
        seconds = time.monotonic() - began
        if error:
            raise SuiteError(error)
        whole = self.process.returncode == 0 and self.out.is_file()
        records, problem = _records(self.out) if whole else ((), "")
        if not records:
            problem = problem or _death(self.process.returncode, seconds, timeout, self.log)
        return Ended(records=records, problem=problem, seconds=seconds)

    def end(self) -> None:
        """Kill it with its children; harmless where it has ended."""
        kill_tree(self.process)


def _records(out: Path) -> tuple[tuple[Record, ...], str]:
    try:
        return codec.decode(tuple[Record, ...], codec.loads(out.read_text(encoding="utf-8"))), ""
    except (ValueError, SuiteError) as error:
        return (), f"the trial process left a record that cannot be read: {error}"


def left_by(log: Path) -> Path:
    """The file in which the worker of `log` leaves its records."""
    return log.with_suffix(".json")


def _opened(log: Path) -> IO[bytes]:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return log.open("wb")
    except OSError as error:
        raise SuiteError(
            f"cannot write {log}: {error.strerror}. Free space or choose another folder (--suite-results)."
        ) from error


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


def _line(stream: IO[bytes] | None) -> bytes:
    assert stream is not None
    with contextlib.suppress(ValueError, OSError):
        return stream.readline()
    return b""


def _is_ready(line: bytes) -> bool:
    with contextlib.suppress(ValueError):
        return "ready" in json.loads(line)
    return False


def _send(stream: IO[bytes] | None, text: str) -> None:
    assert stream is not None
    with contextlib.suppress(BrokenPipeError), stream:
        stream.write(text.encode())


def _follow(process: subprocess.Popen[bytes], deadline: float, tell: Tell) -> str:
    """Pass progress on until the worker closes its pipe or time is up; its error message, or empty."""
    error = ""
    for event in _events(process, deadline):
        if "error" in event:
            error = str(event["error"])
        tell(event)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, deadline - time.monotonic()))
    return error


def _events(process: subprocess.Popen[bytes], deadline: float) -> Iterator[Mapping[str, Any]]:
    lines: queue.Queue[bytes | None] = queue.Queue()
    threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True).start()
    while (left := deadline - time.monotonic()) > 0:
        try:
            line = lines.get(timeout=min(left, 0.5))
        except queue.Empty:
            if process.poll() is not None and lines.empty():
                return
            continue
        if line is None:
            return
        with contextlib.suppress(ValueError):
            yield json.loads(line)


def _pump(stream: IO[bytes] | None, lines: queue.Queue[bytes | None]) -> None:
    assert stream is not None
    with contextlib.suppress(ValueError, OSError):
        for line in stream:
            lines.put(line)
    lines.put(None)


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """End a process, whatever it started, and wait for it. Harmless where all have ended."""
    import psutil

    children: list[Any] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(process.pid).children(recursive=True)
    # The group, which the worker leads, outlives it where it died and left children behind.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(BrokenPipeError):
            if pipe is not None:
                pipe.close()


def _late(timeout: float) -> str:
    return f"the trial was killed after its {timeout:.0f} s: it hung, or the machine is far slower than expected"


def _death(code: int, seconds: float, timeout: float, log: Path) -> str:
    if seconds >= timeout:
        return _late(timeout)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-TAIL:])
    if code < 0:
        # Real-time signals have no name.
        name = next((s.name for s in signal.Signals if s == -code), f"signal {-code}")
        hint = " The system's out-of-memory killer does that: see `dmesg`." if name == "SIGKILL" else ""
        return f"the trial process was killed by {name}.{hint}\n{tail}".rstrip()
    return f"the trial process ended with exit code {code} and no record; its last lines:\n{tail}"
