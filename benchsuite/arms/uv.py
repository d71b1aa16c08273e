"""Calls uv, and puts its reasons into one message."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from ..nouns import SuiteError
from . import pipconfig

OFFLINE = ("failed to fetch", "error sending request", "dns error", "connection refused", "network is unreachable",
           "network was disabled", "could not connect", "timed out")  # fmt: skip
"""Words of uv's from which a network that is not there is told."""
REASONS = 3
"""Lines of uv's that are shown."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """How a call of uv's ended."""

    ok: bool
    reason: str
    """Why it failed, in uv's own words."""

    @property
    def offline(self) -> bool:
        """True where it failed for want of a network."""
        return not self.ok and any(words in self.reason.lower() for words in OFFLINE)


def command() -> tuple[str, ...]:
    """How uv is called here: the program on PATH, or the package of the running Python.

    Raises:
        SuiteError: there is none.
    """
    found = shutil.which("uv")
    if found:
        return (found,)
    if importlib.util.find_spec("uv") is not None:
        return sys.executable, "-m", "uv"
    raise SuiteError(
        "requirements are resolved and installed by uv, which is not here: `pip install uv`, or give paths of "
        "environments that you made yourself."
    )


def call(*words: str) -> Said:
    """Run `uv WORDS`.

    Raises:
        SuiteError: there is no uv.
    """
    done = subprocess.run([*command(), *words], capture_output=True, text=True, check=False, env=_environment())
    return Said(ok=done.returncode == 0, reason=reason(done.stderr.splitlines()))


def _environment() -> dict[str, str]:
    # An active environment must not be taken for the one that is asked for.
    return {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "CONDA_PREFIX")}


def sources() -> tuple[str, ...]:
    """The flags that tell uv what pip knows about where packages come from."""
    return pipconfig.flags(pipconfig.read(), os.environ)


def reason(lines: Sequence[str]) -> str:
    """Uv's error in one line, without its marks and without what it says besides."""
    start = next((i for i, line in enumerate(lines) if line.strip().startswith(("error:", "\u00d7"))), 0)
    kept = [part for line in lines[start:] if (part := _bare(line)) and not part.startswith("hint:")]
    return " ".join(kept[:REASONS]) or "it said nothing"


def _bare(line: str) -> str:
    text = line.strip().lstrip("\u00d7\u2570\u2500\u25b6\u2502\u251c ")
    for mark in ("error: ", "cause: ", "Caused by: "):
        text = text.removeprefix(mark)
    return text.strip()
