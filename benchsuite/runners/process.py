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


def run_worker(
    job: Job, *, log: Path, gpu: str, timeout: float, tell: Tell, python: str = sys.executable,
    environ: Mapping[str, str] | None = None,
) -> Ended:  # fmt: skip
    """Run `job` in a fresh process that sees the GPU with UUID `gpu`, or none; stderr goes to `log`.

    Killed with its children after `timeout` seconds and on Ctrl-C. What the worker wrote stays in
    `left_by(log)`, for the caller to delete once it is stored. `environ` is what the worker's variables
    are made from; by default this process's own, with this copy of the suite on its path.

    Raises:
        SuiteError: the worker says that its inputs cannot be had, or the log cannot be written.
    """
    out = left_by(log)
    command = [python, "-m", "benchsuite.worker", "--out", str(out)]
    began = time.monotonic()
    with _opened(log) as stderr:
        # A run that was cut off and is resumed may have left one.
        out.unlink(missing_ok=True)
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True,
            env=worker_environment(job, gpu, environ),
        )  # fmt: skip
        try:
            _send(process.stdin, codec.dumps(codec.encode(job)))
            error = _follow(process, began + timeout, tell)
        finally:
            kill_tree(process)
    seconds = time.monotonic() - began
    if error:
        raise SuiteError(error)
    records, problem = _records(out) if process.returncode == 0 and out.is_file() else ((), "")
    if not records:
        problem = problem or _death(process.returncode, seconds, timeout, log)
    return Ended(records=records, problem=problem, seconds=seconds)


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
    """The worker's variables: one device or none, no hash randomness, and no network where none is needed."""
    base = child_environment() if environ is None else environ
    env = {**base, "CUDA_VISIBLE_DEVICES": gpu, "PYTHONHASHSEED": "0", "TOKENIZERS_PARALLELISM": "false"}
    if not gpu:
        # One thread, so that a CPU trial's bits hang on no core count and no busy neighbour; OMP_NUM_THREADS overrides.
        env.setdefault("OMP_NUM_THREADS", "1")
    if job.data or all(case.task == "toy" for case in job.cases):
        env["HF_HUB_OFFLINE"] = "1"
    return env


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
    if process.stdout is not None:
        process.stdout.close()


def _death(code: int, seconds: float, timeout: float, log: Path) -> str:
    if seconds >= timeout:
        return f"the trial was killed after its {timeout:.0f} s: it hung, or the machine is far slower than expected"
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-TAIL:])
    if code < 0:
        # Real-time signals have no name.
        name = next((s.name for s in signal.Signals if s == -code), f"signal {-code}")
        hint = " The system's out-of-memory killer does that: see `dmesg`." if name == "SIGKILL" else ""
        return f"the trial process was killed by {name}.{hint}\n{tail}".rstrip()
    return f"the trial process ended with exit code {code} and no record; its last lines:\n{tail}"
