"""Under pytest-xdist no case is measured: trials at once share a machine, and no process sees them all.

Only a worker collects, so only a worker can know that a case would be measured. It then runs nothing
and leaves word; the controller, which decides how the whole run ends, tells it.
"""

from __future__ import annotations

from typing import Any

import pytest

REFUSED = pytest.StashKey[bool]()
WORD = "benchsuite_refused"
"""Key of a worker's output."""
REFUSAL = (
    "cases cannot be measured in parallel: trials that run at once share the machine's time and memory, and each "
    "worker would judge a part of the run. Nothing was run. Measure with -n 0, and run other tests apart from this."
)


def is_worker(config: pytest.Config) -> bool:
    """Whether this process runs a part of another one's tests."""
    return hasattr(config, "workerinput")


def hush(config: pytest.Config) -> None:
    """Where cases are only listed, keep pytest-benchmark from warning that it measures none of them under `-n`.

    It warns when pytest is about to end, where a warning that is an error ends in a traceback.
    """
    if config.option.collectonly and config.getoption("dist", "no") != "no":
        config.option.benchmark_disable = True


def refuse(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker: run none of `items`, and leave word for the controller."""
    items.clear()
    config.workeroutput[WORD] = True  # type: ignore[attr-defined]  # xdist's


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """In the controller: a worker has ended; look for its word."""
    if getattr(node, "workeroutput", {}).get(WORD):
        node.config.stash[REFUSED] = True
