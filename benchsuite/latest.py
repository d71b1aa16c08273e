"""Finds runs: results/latest, and the run that a user means by a word.

Re-exported by `store`, which makes the folders that are found here.
"""

from __future__ import annotations

import difflib
import os
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path

from .files import write_new
from .nouns import UsageError

RUN_NOTE = "run.txt"
"""In a copied results/latest: the name of the run it is a copy of."""
SMALL = 1 << 20
"""Bytes up to which a file goes into a copied results/latest."""


def mark_latest(results: Path, run: Path) -> bool:
    """Makes results/latest stand for `run`: a link, or a copy of its small files where links cannot be made.

    A convenience: where another run races, or latest/ is a folder of the user's own, nothing is raised
    and the answer is False.
    """
    try:
        _link(results, run)
    except (OSError, NotImplementedError):  # the second is pathlib's word for a system that has no links
        try:
            _copy(results, run)
        except OSError:
            return False
    return True


def _link(results: Path, run: Path) -> None:
    fresh = results / f".latest.{secrets.token_hex(4)}.tmp"
    try:
        fresh.symlink_to(os.path.relpath(run, results), target_is_directory=True)
        os.replace(fresh, results / "latest")
    finally:
        fresh.unlink(missing_ok=True)


def _copy(results: Path, run: Path) -> None:
    latest, fresh = results / "latest", results / f".latest.{secrets.token_hex(4)}.tmp"
    if latest.is_dir() and not (latest / RUN_NOTE).is_file():
        raise FileExistsError(latest)
    try:
        shutil.copytree(run, fresh, ignore=_large)
        write_new(fresh / RUN_NOTE, f"{run.name}\n".encode())
        shutil.rmtree(latest, ignore_errors=True)
        os.replace(fresh, latest)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _large(folder: str, names: Iterable[str]) -> set[str]:
    files = (Path(folder) / name for name in names)
    return {file.name for file in files if file.is_file() and file.stat().st_size > SMALL}


def resolve_run(text: str, results: Path) -> Path:
    """The run that `text` means: a run's folder, a run's name, "latest", or a single record's file.

    Raises:
        UsageError: there is no such run; the message lists the runs there are.
    """
    # os.path.isfile rather than Path's: it takes any text a user may give, however long or odd.
    if text != "latest" and os.path.isfile(text):
        return _record_file(Path(text))
    places = [results / text] if text == "latest" else [Path(text), results / text]
    for place in places:
        if os.path.isdir(place / "records"):
            return _original(place)
    raise UsageError(_no_run(text, results))


def _record_file(path: Path) -> Path:
    if path.suffix != ".json":
        raise UsageError(f"{path} is no record (a record's name ends in .json); give a run's folder or a record")
    return path


def _original(place: Path) -> Path:
    if place.is_symlink():
        return place.resolve()
    note = place / RUN_NOTE
    run = place.parent / note.read_text(encoding="utf-8").strip() if note.is_file() else place
    return run if run.is_dir() else place


def _no_run(text: str, results: Path) -> str:
    names = sorted((path.parent.name for path in results.glob("*/records")), reverse=True)
    known = [name for name in names if name != "latest"]
    if not known:
        return f"no run {text!r}, and no runs in {results}: measure first, or name the folder with --suite-results"
    near = difflib.get_close_matches(text, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    is_folder = " (that folder has no records/)" if os.path.isdir(text) else ""
    return f"no run {text!r}{is_folder}.{hint} Newest in {results}: {', '.join(known[:5])}."
