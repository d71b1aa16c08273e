"""Which installed packages a trial stood on, by name: read from their metadata, when the trial is over.

The packages that the suite asks for (its tests included) and those that the trial imported, with all that these
ask for in turn. Tools of whoever works here, and what else an environment holds, are not among them.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from .freeze import closure

OWN = "benchsuite"
ROOT = Path(__file__).parent.parent


def needs() -> tuple[str, ...]:
    """Names, normalised and sorted, of the packages that this process stands on."""
    return tuple(sorted(closure([*own(ROOT), *imported(sys.modules)], asked_by) - {OWN}))


def own(root: Path) -> tuple[str, ...]:
    """What the suite itself asks for: by the pyproject.toml of a clone, else by its installed metadata."""
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (OSError, ValueError, KeyError):
        return (f"{OWN}[test]",)
    if project.get("name") != OWN:
        return (f"{OWN}[test]",)
    return (*project["dependencies"], *project["optional-dependencies"]["test"])


def imported(modules: Iterable[str]) -> set[str]:
    """Names of the packages that these modules belong to."""
    owners = packages_distributions()
    tops = {name.partition(".")[0] for name in modules}
    # Broken metadata may lack a name.
    return {owner for top in tops for owner in owners.get(top, ()) if owner}


def asked_by(package: str) -> tuple[str, ...]:
    """The requirements that an installed package states; none where it is not installed."""
    try:
        return tuple(requires(package) or ())
    except PackageNotFoundError:
        return ()
