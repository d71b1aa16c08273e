"""A process ended with all that it started, and how it ended, in words."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

TAIL = 15
"""Lines of a failed worker's stderr that are shown."""


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
    # Its output is closed by who reads it: a process that got away may still hold the other end.
    with contextlib.suppress(BrokenPipeError):
        if process.stdin is not None:
            process.stdin.close()


def late(timeout: float) -> str:
    """Why a trial was killed that took longer than it may."""
    return f"the trial was killed after its {timeout:.0f} s: it hung, or the machine is far slower than expected"


def death(code: int, seconds: float, timeout: float, log: Path) -> str:
    """Why a process left no record: its time, its signal or its exit code, with the last lines of its log."""
    if seconds >= timeout:
        return late(timeout)
    tail = _tail(log)
    if code < 0:
        # Real-time signals have no name.
        name = next((s.name for s in signal.Signals if s == -code), f"signal {-code}")
        hint = " The system's out-of-memory killer does that: see `dmesg`." if name == "SIGKILL" else ""
        return f"the trial process was killed by {name}.{hint}\n{tail}".rstrip()
    return f"the trial process ended with exit code {code} and no record; its last lines:\n{tail}"


def _tail(log: Path) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-TAIL:])
    except OSError as error:
        return f"({log.name} cannot be read: {error.strerror})"
