"""Looks at an arm's Python before anything is measured: is it there, is it new enough, does every library import?"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..nouns import SuiteError
from ..worker import LIBRARIES
from .build import python_of

OLDEST = (3, 11)
NEEDED = (*LIBRARIES, "psutil", "pynvml")
PACKAGE = {"pynvml": "nvidia-ml-py"}
"""Where a module's name is not its package's."""
SECONDS = 300
PROBE = """
import json, sys
found = {"version": list(sys.version_info[:3]), "failed": []}
if sys.version_info[:2] >= OLDEST:
    for name in NEEDED:
        try:
            __import__(name)
        except BaseException as error:
            last = (str(error).strip().splitlines() or ["no message"])[-1]
            found["failed"].append([name, f"{type(error).__name__}: {last}"])
            break
print("\\n" + json.dumps(found))
"""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One side of a call: a Python that can run trials."""

    name: str
    """"A" or "B"."""
    text: str
    """What the user asked for."""
    python: str
    """Absolute path of its python."""


def find(path: str) -> Path:
    """The python of an environment that a user gave by folder or by file.

    Raises:
        SuiteError: there is none.
    """
    given = Path(os.path.abspath(Path(path).expanduser()))
    # Not resolved: through its link alone a virtual environment's python knows where it belongs.
    for place in (given, python_of(given)):
        if place.is_file() and os.access(place, os.X_OK):
            return place
    seen = "is a folder without bin/python" if given.is_dir() else "is no program" if given.exists() else "is not there"
    raise SuiteError(f"no environment {path!r}: it {seen}. Give a virtual environment's folder, or its python.")


def check(arm: Arm, environ: Mapping[str, str]) -> None:
    """Import every library that a trial needs, in a process of its own, under a trial's own variables.

    Raises:
        SuiteError: the Python is too old or does not start, or a library is missing or broken; says which.
    """
    found = _probed(arm, environ)
    version = tuple(found["version"])
    if version[:2] < OLDEST:
        raise SuiteError(f"{_called(arm)} is Python {_dotted(version)}; trials need {_dotted(OLDEST)} or later.")
    for name, error in found["failed"]:
        package = PACKAGE.get(name, name)
        raise SuiteError(
            f"{_called(arm)} is broken: {name} does not import ({error}). "
            f"Install {package} there again: {arm.python} -m pip install --force-reinstall {package}"
        )


def _called(arm: Arm) -> str:
    return f"environment {arm.name} ({arm.text})"


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _probed(arm: Arm, environ: Mapping[str, str]) -> dict[str, Any]:
    source = f"OLDEST, NEEDED = {OLDEST!r}, {NEEDED!r}\n{PROBE}"
    try:
        done = subprocess.run(
            [arm.python, "-c", source], env=environ, capture_output=True, text=True, check=False, timeout=SECONDS
        )
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        raise SuiteError(f"{_called(arm)} hangs: its libraries did not import within {SECONDS} s.") from None
    except OSError as error:
        raise SuiteError(f"{_called(arm)} does not start: {error.strerror}: {arm.python}.") from error
    except (ValueError, IndexError):
        raise SuiteError(f"{_called(arm)} is broken: its python ended with {done.returncode}. {_last(done)}") from None
    return found


def _last(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr.strip().splitlines() or ["It said nothing."])[-1]
