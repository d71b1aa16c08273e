"""Where a run writes, how much room there is, and where there would be more."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from .checkpoints import cache_folder
from .checks.disk import FILE
from .condition import Place
from .nouns import Options, Weights

RESULTS, FILES, CACHE = 200_000_000, 1_000_000_000, 1_000_000_000
"""Bytes a run may take: records and logs; a saved BERT-base twice over; drawn weights of a BERT-base."""
SMALL_FILES = 50_000_000
"""The same for the embedded model."""
SYSTEM = ("/boot", "/dev", "/etc", "/proc", "/run", "/snap", "/sys")


def places(options: Options, *, gpu: bool) -> tuple[Place, ...]:
    """Each folder that a run writes to; our own cache only where weights are drawn, which are kept there."""
    found = [
        _place("results", Path(options.results), RESULTS, "pytest bench --suite-results {0}"),
        _place("temporary files", _temporary(), FILES if gpu else SMALL_FILES, "mkdir -p {0} && export TMPDIR={0}"),
    ]
    if gpu and Weights.RANDOM in (options.weights, *(entry.weights for entry in options.entries)):
        found.append(_place("the cache", cache_folder(), CACHE, "export XDG_CACHE_HOME={0}"))
    return tuple(found)


def _temporary() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        # None of the candidates can be written: the one that is meant is shown with its problem.
        return Path(os.environ.get("TMPDIR") or "/tmp")  # noqa: S108


def _place(role: str, path: Path, need: int, cure: str) -> Place:
    path = path.expanduser()
    there = next((folder for folder in (path, *path.absolute().parents) if folder.exists()), Path())
    try:
        free = shutil.disk_usage(there).free
        problem = _problem(there)
    except OSError as error:
        free, problem = 0, error.strerror or str(error)
    shown = there if problem else path
    return Place(role=role, path=str(shown), free=free, need=need, problem=problem, cure=cure)


def _problem(folder: Path) -> str:
    """Why no file can be made in an existing folder; tried, as permissions alone do not tell."""
    if not folder.is_dir():
        return FILE
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def roomy(found: Sequence[Place]) -> str:
    """A folder of this user's with three times the room that any place needs; empty where there is none."""
    enough = 3 * max(place.need for place in found)
    rooms = [(free, folder) for folder in _candidates() if (free := _free(folder)) >= enough]
    return str(Path(max(rooms)[1]) / "benchsuite") if rooms else ""


def _candidates() -> Iterator[str]:
    yield from (os.path.expanduser("~"), os.getcwd())
    for mount in _mounts():
        if not mount.mountpoint.startswith(SYSTEM) and mount.mountpoint != "/" and "ro" not in mount.opts.split(","):
            yield mount.mountpoint


def _mounts() -> list[Any]:
    try:
        return list(psutil.disk_partitions())
    except (OSError, psutil.Error):
        return []  # where the system does not tell, the folders above have to do


def _free(folder: str) -> int:
    try:
        return shutil.disk_usage(folder).free if os.access(folder, os.W_OK) else 0
    except OSError:
        return 0
