"""Calls of Python functions, by package, and of C functions, by name: in a training step, a batch, and between steps.

A step's are those of one step and of fetching one batch. Between steps is what the Trainer does from one step's end to
the next one's begin: looks whether to log, and fetches a batch.
Counted in the thread that trains: on CUDA the backward pass has a thread of its own and is not
seen. Of C functions those of the system are told apart: a step of a sound stack calls none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from ..nouns import JSON
from ..scene import Scene
from ._calls import Calls, counting, package
from ._probing import SessionMeter, count, exact, shown

# Exact between processes, CPU capabilities and thread counts; Python 3.12 inlines comprehensions, 3.11 calls them.
CALLS = count("count.python_calls.step", "python calls a step", same_stack=True, depends_on=("python",), relative=0.0)
BY_PACKAGE = shown("python_calls.by_package", "python calls by package", depends_on=("python",))
C_CALLS = count("count.c_calls.step", "C calls a step", same_stack=True, depends_on=("python",), relative=0.0)
C_BY_NAME = shown("c_calls.by_name", "calls of C functions by name", depends_on=("python",))
# Nothing in any regime, on transformers 4.57.6 and 5.23, under CPU capabilities AVX512, AVX2 and default.
SYSTEM = exact("count.system_calls.step", "calls of the system a step, by name", same_stack=True)
# Exact as a step's are: in 4 processes of fp32 and of qlora each on a CPU; on CUDA not yet seen.
BETWEEN = count(
    "count.python_calls.between", "python calls between steps", same_stack=True, depends_on=("python",), relative=0.0
)
BETWEEN_BY_PACKAGE = shown("python_calls.between", "python calls between steps by package", depends_on=("python",))
C_BETWEEN = count(
    "count.c_calls.between", "C calls between steps", same_stack=True, depends_on=("python",), relative=0.0
)
C_BETWEEN_BY_NAME = shown("c_calls.between", "calls of C functions between steps by name", depends_on=("python",))
SYSTEMS = frozenset({
    "gc", "time", "posix", "io", "_io", "mmap", "select", "signal", "_signal", "_socket", "_pickle", "marshal", "zlib",
    "_posixsubprocess", "resource", "fcntl", "_ssl", "_sqlite3",
})  # fmt: skip
"""Modules in C whose functions are no arithmetic: the collector, clocks, files, other processes."""


class PythonCallMeter(SessionMeter):
    """Counts over one step and one batch, and over one stretch between steps."""

    name = "python_calls"
    metrics = (CALLS, BY_PACKAGE, C_CALLS, C_BY_NAME, SYSTEM, BETWEEN, BETWEEN_BY_PACKAGE, C_BETWEEN, C_BETWEEN_BY_NAME)

    def __init__(self) -> None:
        super().__init__()
        self.calls, self.beside = Calls(), Calls()

    def instrument(self, scene: Scene) -> AbstractContextManager[Any]:
        """See `SessionMeter.instrument`."""
        return counting(self.calls)

    def between(self, scene: Scene) -> AbstractContextManager[Any]:
        """See `SessionMeter.between`."""
        return counting(self.beside)

    def trained(self, scene: Scene) -> None:
        """See `SessionMeter.trained`. The first batch of a loader is not counted: it comes with the loader's set-up."""
        batches = iter(scene.trainer.get_train_dataloader())
        next(batches)
        with counting(self.calls):
            next(batches, None)

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        python, c = by_package(self.calls), self.calls.c()
        return {
            CALLS.name: sum(python.values()),
            BY_PACKAGE.name: python,
            C_CALLS.name: c.total(),
            C_BY_NAME.name: dict(sorted(c.items())),
            SYSTEM.name: {name: calls for name, calls in sorted(c.items()) if name.rpartition(".")[0] in SYSTEMS},
            **self.between_steps(),
        }

    def between_steps(self) -> Mapping[str, JSON]:
        """The values of the stretch. It is without what hangs on its moment: the collector rests."""
        python, c = by_package(self.beside), self.beside.c()
        return {
            BETWEEN.name: sum(python.values()),
            BETWEEN_BY_PACKAGE.name: python,
            C_BETWEEN.name: c.total(),
            C_BETWEEN_BY_NAME.name: dict(sorted(c.items())),
        }


def by_package(calls: Calls) -> dict[str, int]:
    """Calls of Python functions by the top-level name of their module."""
    found: Counter[str] = Counter()
    for name, times in calls.python().items():
        found[package(name)] += times
    return dict(sorted(found.items()))


METER = PythonCallMeter
