"""Finds plug-ins by name: a file in one of our folders, or an entry point of another package.

A plug-in module says what it brings in one constant (`TASK`, `METERS`, `JUDGE`, `REPORTER`,
`TRANSFORM`, `REGIMES`, ...). Two plug-ins of one name are refused, and one that does not import is
an error, never a silent gap: a gate that quietly lost a judge is worse than none.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

from .nouns import SuiteError, UsageError

Items = Callable[[Any], Iterable[tuple[str, Any]]]


def named(value: Any) -> Iterable[tuple[str, Any]]:
    """A plug-in constant that is one thing with a `name`."""
    yield value.name, value


def mapping(value: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """A plug-in constant that maps names to things."""
    yield from value.items()


def _modules(package: str) -> Iterator[ModuleType]:
    root = importlib.import_module(package)
    for info in sorted(pkgutil.iter_modules(root.__path__), key=lambda info: info.name):
        if not info.name.startswith("_"):
            yield importlib.import_module(f"{package}.{info.name}")
    for point in sorted(entry_points(group=package), key=lambda point: point.name):
        try:
            yield importlib.import_module(point.module)
        except Exception as error:  # whatever it dies of, a plug-in that is missing is told by name
            raise SuiteError(
                f"plug-in {point.name!r} ({point.value}) of {package} does not import: {error}. "
                "Mend or uninstall the package that brings it."
            ) from error


def collect(package: str, constant: str, items: Items = named) -> Mapping[str, Any]:
    """All plug-ins of `package` that state `constant`, by name.

    Raises:
        SuiteError: two plug-ins share a name, or one fails to import.
    """
    found: dict[str, Any] = {}
    owner: dict[str, str] = {}
    for module in _modules(package):
        if not hasattr(module, constant):
            continue
        for name, thing in items(getattr(module, constant)):
            if name in found:
                raise SuiteError(
                    f"{constant.lower()} {name!r} is defined twice: in {owner[name]} and in {module.__name__}"
                )
            found[name], owner[name] = thing, module.__name__
    return found


@cache
def tasks() -> Mapping[str, Any]:
    """Tasks by name."""
    return collect("benchsuite.tasks", "TASK")


@cache
def regimes() -> Mapping[str, Any]:
    """Regimes, tuples of transforms, by name."""
    return collect("benchsuite.regimes", "REGIMES", mapping)


@cache
def meters() -> Mapping[str, Any]:
    """Meter classes by name."""
    return collect("benchsuite.meters", "METER")


@cache
def judges() -> Mapping[str, Any]:
    """Judges by name."""
    return collect("benchsuite.judges", "JUDGE")


@cache
def reporters() -> Mapping[str, Any]:
    """Reporters by name."""
    return collect("benchsuite.reporters", "REPORTER")


@cache
def rules() -> Mapping[str, Any]:
    """Rules of explanation by name."""
    return collect("benchsuite.rules", "RULE")


@cache
def checks() -> Mapping[str, Any]:
    """Checks of the machine by name."""
    return collect("benchsuite.checks", "CHECK")


@cache
def metrics() -> Mapping[str, Any]:
    """Every metric that some meter owns, by name."""
    found: dict[str, Any] = {}
    for meter in meters().values():
        for metric in meter.metrics:
            if metric.name in found:
                raise SuiteError(f"metric {metric.name!r} is owned by two meters, {meter.name!r} is the second")
            found[metric.name] = metric
    return found


def pick(what: str, name: str, among: Iterable[str]) -> str:
    """Return `name` if it is known.

    Raises:
        UsageError: it is not; the message suggests the nearest name and lists all.
    """
    known = sorted(among)
    if name in known:
        return name
    raise UsageError(f"unknown {what} {name!r}.{near(name, known)} Known: {', '.join(known)}.")


def near(name: str, among: Iterable[str]) -> str:
    """A suggestion to follow a sentence, "Did you mean 'x'?"; nothing where no name is like it."""
    found = difflib.get_close_matches(name, sorted(among), n=1, cutoff=0.5)
    return f" Did you mean {found[0]!r}?" if found else ""
