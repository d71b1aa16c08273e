"""What is imported is declared, and what is declared is used: read from the sources and pyproject.toml."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OTHERWISE_CALLED = {"pynvml": "nvidia-ml-py", "yaml": "pyyaml"}
"""Modules whose package has another name."""
UNIMPORTED = {
    "pytest-benchmark": "brings the fixture `benchmark`, for bench/",
    "pytest-xdist": "brings `-n`, which tests of the plugin ask for",
}
"""Packages that are used without being imported, and how."""


def packages_of(*folders: str) -> set[str]:
    """Names of the packages that the sources in these folders import, at any depth of their code."""
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]
    ours = {"benchsuite", *(path.stem for path in (ROOT / "tests").iterdir())}
    found = {name for file in files for name in modules(file.read_text(encoding="utf-8"))}
    return {normal(OTHERWISE_CALLED.get(name, name)) for name in found - ours - set(sys.stdlib_module_names)}


def modules(source: str) -> set[str]:
    """Top-level names of the absolute imports in a source."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found


def normal(name: str) -> str:
    """A package's name as an index knows it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: Iterable[str]) -> set[str]:
    """Names of requirements."""
    return {normal(Requirement(text).name) for text in requirements}


RUNTIME = declared(PROJECT["dependencies"])
TESTS = declared(PROJECT["optional-dependencies"]["test"])


def test_the_reader_sees_imports_inside_functions_and_no_relative_ones() -> None:
    """Aliases, submodules and deferred imports; ours by a dot are ours."""
    source = "import a.b as c\ndef f():\n    from d.e import g\nfrom . import h\nfrom .i import j\n"
    assert modules(source) == {"a", "d"}


def test_everything_imported_is_declared() -> None:
    """A package that comes along with another today may not tomorrow."""
    assert packages_of("benchsuite", "bench") - RUNTIME == set()
    assert packages_of("tests", "scripts") - RUNTIME - TESTS == set()


@pytest.mark.parametrize("name", sorted(RUNTIME))
def test_everything_declared_is_used(name: str) -> None:
    """By the package or the bench tests; what only tests use is an extra."""
    assert name in packages_of("benchsuite", "bench") or name in UNIMPORTED


@pytest.mark.parametrize("name", sorted(TESTS))
def test_everything_declared_for_tests_is_used(name: str) -> None:
    """And is not declared twice."""
    assert name in packages_of("tests", "scripts") or name in UNIMPORTED
    assert name not in RUNTIME


@pytest.mark.parametrize("name", sorted(UNIMPORTED))
def test_what_is_used_otherwise_is_declared_and_not_imported(name: str) -> None:
    """The exceptions are no wish list."""
    assert name in RUNTIME | TESTS
    assert name not in packages_of("benchsuite", "bench", "tests", "scripts")
