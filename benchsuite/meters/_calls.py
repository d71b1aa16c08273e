"""Calls that Python makes, by name: of Python functions, and of C functions where Python calls them.

Counted in one thread: on CUDA the backward pass has a thread of its own and is not seen, nor are
those that a library reads files in. A class that is written in C is no function, and one C function
that calls another is one call.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

FINDING = ("importlib", "_distutils_hack", "zipimport", "__editable__")
"""Beginnings of modules whose calls hang on how Python finds packages here (accelerate looks for one each step)."""
OURS = __name__.partition(".")[0]
PLANTED = f"{OURS}.faults"
"""Holds what stands in for a library's own work."""


@dataclass
class Calls:
    """What was called, by whichever name it has where it is defined; without what is ours or looks for packages."""

    codes: Counter[tuple[str, CodeType]] = field(default_factory=Counter)
    """Python functions by module and code: they are named once nothing is counted any more."""
    functions: Counter[tuple[str, str]] = field(default_factory=Counter)
    """C functions, by the module that called and their name."""

    def python(self, *without: str) -> Counter[str]:
        """Python functions as "re.search", but those of these packages."""
        found: Counter[str] = Counter()
        for (module, code), calls in self.codes.items():
            if counts(module, without):
                found[f"{module}.{code.co_qualname}"] += calls
        return found

    def c(self, *without: str) -> Counter[str]:
        """C functions as "builtins.sorted", but what these packages call."""
        found: Counter[str] = Counter()
        for (module, name), calls in self.functions.items():
            if counts(module, without):
                found[name] += calls
        return found


def counts(module: str, without: tuple[str, ...]) -> bool:
    """Whether what a module has, or calls, is counted."""
    if package(module) == OURS:
        return module.startswith(PLANTED)
    return not module.startswith(FINDING) and package(module) not in without


def package(name: str) -> str:
    """The top-level name of a module, or of what is in it."""
    return name.partition(".")[0]


@contextmanager
def counting(calls: Calls) -> Iterator[None]:
    """Add every call inside to `calls`."""
    codes, functions = calls.codes, calls.functions

    def saw(frame: Any, event: str, function: Any) -> None:
        if event == "call":
            codes[str(frame.f_globals.get("__name__", "")), frame.f_code] += 1
        elif event == "c_call":
            functions[str(frame.f_globals.get("__name__", "")), named(function)] += 1

    before = sys.getprofile()
    sys.setprofile(saw)
    try:
        yield
    finally:
        sys.setprofile(before)


def named(function: Any) -> str:
    """A C function as people write it: "builtins.sorted", "list.append"."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "?")
    return BINDING.sub("pybind11", f"{module}.{name}" if module else str(name))


BINDING = re.compile(r"pybind11_detail_\w+")
"""Where pybind11 keeps functions: named for the compiler that built them."""
