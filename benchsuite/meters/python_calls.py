"""Python function calls in one training step and in fetching one batch, by the package of the function.

Counted in the thread that trains: on CUDA the backward pass has a thread of its own and is not
seen. Of C functions only those of the system are counted, by name: a step of a sound stack calls none.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from ..nouns import JSON
from ..scene import Scene
from ._probing import SessionMeter, count, exact, shown

# Exact between processes, CPU capabilities and thread counts; Python 3.12 inlines comprehensions, 3.11 calls them.
CALLS = count("count.python_calls.step", "python calls a step", same_stack=True, depends_on=("python",), relative=0.0)
BY_PACKAGE = shown("python_calls.by_package", "python calls by package", depends_on=("python",))
# Nothing in any regime, on transformers 4.57.6 and 5.23, under CPU capabilities AVX512, AVX2 and default.
SYSTEM = exact("count.system_calls.step", "calls of the system a step, by name", same_stack=True)
FINDING = ("importlib", "_distutils_hack", "zipimport", "__editable__")
"""Beginnings of modules whose calls hang on how Python finds packages here (accelerate looks for one each step)."""
LEFT_OUT = (*FINDING, __name__.partition(".")[0])
"""Those, and our own."""
SYSTEMS = frozenset({
    "gc", "time", "posix", "io", "_io", "mmap", "select", "signal", "_signal", "_socket", "_pickle", "marshal", "zlib",
    "_posixsubprocess", "resource", "fcntl", "_ssl", "_sqlite3",
})  # fmt: skip
"""Modules in C whose functions are no arithmetic: the collector, clocks, files, other processes."""


class PythonCallMeter(SessionMeter):
    """Counts over one step and one batch, without `LEFT_OUT`."""

    name = "python_calls"
    metrics = (CALLS, BY_PACKAGE, SYSTEM)

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self.system: Counter[str] = Counter()

    def instrument(self, scene: Scene) -> AbstractContextManager[Any]:
        """See `SessionMeter.instrument`."""
        return counting(self.calls, self.system)

    def trained(self, scene: Scene) -> None:
        """See `SessionMeter.trained`. The first batch of a loader is not counted: it comes with the loader's set-up."""
        batches = iter(scene.trainer.get_train_dataloader())
        next(batches)
        with counting(self.calls, self.system):
            next(batches, None)

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        found = {name: calls for name, calls in sorted(self.calls.items()) if not name.startswith(LEFT_OUT)}
        return {CALLS.name: sum(found.values()), BY_PACKAGE.name: found, SYSTEM.name: dict(sorted(self.system.items()))}


@contextmanager
def counting(calls: Counter[str], system: Counter[str]) -> Iterator[None]:
    """Add every python call inside to `calls`, by its module's top-level name, and those of the system to `system`.

    A call of the system counts by its own name, but where it is Python that looks for a package.
    """

    def saw(frame: Any, event: str, function: Any) -> None:
        if event == "call":
            calls[caller(frame)] += 1
        elif event == "c_call" and function.__module__ in SYSTEMS and not caller(frame).startswith(FINDING):
            system[f"{function.__module__}.{function.__name__}"] += 1

    before = sys.getprofile()
    sys.setprofile(saw)
    try:
        yield
    finally:
        sys.setprofile(before)


def caller(frame: Any) -> str:
    """The top-level name of a frame's module."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


METER = PythonCallMeter
