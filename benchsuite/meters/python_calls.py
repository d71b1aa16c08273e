"""Python function calls in one training step and in fetching one batch, by the package of the function.

Counted in the thread that trains: on CUDA the backward pass has a thread of its own and is not
seen. Calls of C functions are not counted; the operators are.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from ..nouns import JSON
from ..scene import Scene
from ._probing import SessionMeter, count, shown

# Exact between processes, CPU capabilities and thread counts; Python 3.12 inlines comprehensions, 3.11 calls them.
CALLS = count("count.python_calls.step", "python calls a step", same_stack=True, depends_on=("python",), relative=0.0)
BY_PACKAGE = shown("python_calls.by_package", "python calls by package", depends_on=("python",))
LEFT_OUT = ("importlib", "_distutils_hack", "zipimport", "__editable__", __name__.partition(".")[0])
"""Beginnings of modules whose calls hang on how Python finds packages here (accelerate looks for one each step),
and our own."""


class PythonCallMeter(SessionMeter):
    """Counts over one step and one batch, without `LEFT_OUT`."""

    name = "python_calls"
    metrics = (CALLS, BY_PACKAGE)

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def instrument(self, scene: Scene) -> AbstractContextManager[Any]:
        """See `SessionMeter.instrument`."""
        return counting(self.calls)

    def trained(self, scene: Scene) -> None:
        """See `SessionMeter.trained`. The first batch of a loader is not counted: it comes with the loader's set-up."""
        batches = iter(scene.trainer.get_train_dataloader())
        next(batches)
        with counting(self.calls):
            next(batches, None)

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        found = {name: calls for name, calls in sorted(self.calls.items()) if not name.startswith(LEFT_OUT)}
        return {CALLS.name: sum(found.values()), BY_PACKAGE.name: found}


@contextmanager
def counting(calls: Counter[str]) -> Iterator[None]:
    """Add every python call inside to `calls`, under the top-level name of the function's module."""

    def saw(frame: Any, event: str, _: Any) -> None:
        if event == "call":
            calls[str(frame.f_globals.get("__name__", "")).partition(".")[0]] += 1

    before = sys.getprofile()
    sys.setprofile(saw)
    try:
        yield
    finally:
        sys.setprofile(before)


METER = PythonCallMeter
