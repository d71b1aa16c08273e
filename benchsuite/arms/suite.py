"""The caller's own copy of the suite, alone in a folder, for both arms to run.

The folder that holds the installed suite holds the caller's other packages too: on an arm's path it
would put them before the arm's own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from ..checkpoints import cache_folder
from ..files import reason
from ..nouns import SuiteError

PACKAGE = Path(__file__).parent.parent


def copy() -> Path:
    """A folder that holds this package and nothing else, named by what is in it.

    Raises:
        SuiteError: it cannot be written.
    """
    files = _files()
    folder = cache_folder() / "ab" / "suite" / _digest(files)
    if not (folder / PACKAGE.name).is_dir():
        try:
            _written(files, folder)
        except OSError as error:
            raise SuiteError(
                f"cannot write {folder}: {reason(error)}. Set XDG_CACHE_HOME to another folder."
            ) from error
    return folder


def _files() -> tuple[Path, ...]:
    found = (path for path in sorted(PACKAGE.rglob("*")) if path.is_file())
    return tuple(path for path in found if "__pycache__" not in path.parts and path.suffix != ".pyc")


def _digest(files: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PACKAGE)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _written(files: tuple[Path, ...], folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".", dir=folder.parent))
    try:
        for path in files:
            place = fresh / PACKAGE.name / path.relative_to(PACKAGE)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
        # Where another call was faster its copy is the same.
        if not folder.exists():
            os.replace(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def environment(folder: Path) -> dict[str, str]:
    """A child's variables: `folder` first on its path, then what the user put there; no home of another Python."""
    kept = (path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and not _ours(path))
    dropped = {"PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}
    inherited = {name: value for name, value in os.environ.items() if name not in dropped}
    return inherited | {"PYTHONPATH": os.pathsep.join(dict.fromkeys((str(folder), *kept)))}


def _ours(path: str) -> bool:
    """The folder that this package was imported from needs no second place."""
    return Path(path).absolute() == PACKAGE.parent
