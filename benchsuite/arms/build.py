"""Environments from requirements: resolved by uv over the running versions, built once, kept in a cache.

A folder is named by the digest of what was resolved and of the Python; it counts only with its mark,
which is written last, so that a build that was cut off is made again.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path

from ..checkpoints import cache_folder
from ..files import reason, write_text
from ..nouns import SuiteError
from . import uv
from .spec import Spec, digest, pins, plain, preferences, wanted

MARK = "benchsuite.json"
PATHS = "Without a network: give paths of environments that are there."

Say = Callable[[str], None]


def build(spec: Spec, say: Say) -> Path:
    """The python of an environment that holds what `spec` asks for over the running versions.

    Args:
        spec: Requirements.
        say: Told what takes long, in a line.

    Raises:
        SuiteError: it does not resolve, or cannot be had or built; uv's own reason is in the message.
    """
    # What the caller's own checkout or URL brings cannot be asked for by version.
    resolved = resolve(spec, indexed())
    folder = _home() / "envs" / digest([resolved, sys.version, platform.machine()])
    with _alone(folder):
        if not (folder / MARK).is_file():
            say(f"building {spec.text} with uv in {folder}")
            _install(spec, resolved, folder)
    return python_of(folder)


def python_of(folder: Path) -> Path:
    """Where an environment's python lies."""
    return folder / "bin" / "python"


def indexed() -> dict[str, str]:
    """What is installed here and came by name and version, with local labels."""
    found: dict[str, str] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name and distribution.read_text("direct_url.json") is None:
            found.setdefault(plain(name), distribution.version)
    return found


def _home() -> Path:
    return cache_folder() / "ab"


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time builds `folder`."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_suffix(".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise SuiteError(
            f"cannot write {folder}: {reason(error)}. Set XDG_CACHE_HOME to a folder with room."
        ) from error


# ---------------------------------------------------------------- resolving


def resolve(spec: Spec, installed: Mapping[str, str]) -> tuple[str, ...]:
    """Pins of every package; those that `spec` leaves alone stay as installed where that fits.

    Without a network, what the same text over the same versions came to before.

    Raises:
        SuiteError: it does not resolve.
    """
    kept = _home() / "resolved" / f"{digest([spec.requirements, dict(installed), sys.version])}.txt"
    found, said = _compile(spec, installed)
    if said.ok:
        write_text(kept, "".join(f"{pin}\n" for pin in found))
        return found
    if said.offline and kept.is_file():
        return pins(kept.read_text(encoding="utf-8"))
    way = f" {PATHS}" if said.offline else ""
    raise SuiteError(f"{spec.text!r} does not resolve over the running versions: {said.reason}{way}")


def _compile(spec: Spec, installed: Mapping[str, str]) -> tuple[tuple[str, ...], uv.Said]:
    with tempfile.TemporaryDirectory(prefix="benchsuite-") as work:
        asked, out = Path(work, "asked.in"), Path(work, "resolved.txt")
        asked.write_text(wanted(spec.requirements, installed))
        # An output file that is there already is what uv prefers.
        out.write_text(preferences(installed))
        said = uv.call(
            "pip", "compile", str(asked), "--output-file", str(out), "--python", sys.executable, "--no-header",
            "--no-annotate", "--quiet", *uv.sources(),
        )  # fmt: skip
        return pins(out.read_text()), said


# ---------------------------------------------------------------- installing


def _install(spec: Spec, resolved: tuple[str, ...], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        _done(spec, uv.call("venv", "--python", sys.executable, "--no-project", "--quiet", str(folder)))
        with tempfile.TemporaryDirectory(prefix="benchsuite-") as work:
            listed = Path(work, "resolved.txt")
            listed.write_text("".join(f"{pin}\n" for pin in resolved))
            # Every package is in the list: resolving again could only move one.
            _done(spec, uv.call(
                "pip", "install", "--python", str(python_of(folder)), "--no-deps", "--quiet", "--requirements",
                str(listed), *uv.sources(),
            ))  # fmt: skip
    except BaseException:  # half an environment would be found again as a whole one, after Ctrl-C too
        shutil.rmtree(folder, ignore_errors=True)
        raise
    write_text(folder / MARK, json.dumps({"spec": spec.text, "python": sys.version, "pins": resolved}, indent=1) + "\n")


def _done(spec: Spec, said: uv.Said) -> None:
    if not said.ok:
        way = f" {PATHS}" if said.offline else ""
        raise SuiteError(f"the environment of {spec.text!r} cannot be built: {said.reason}{way}")
