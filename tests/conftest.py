"""pytester, and a little project to judge recorded trials in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from replays import Project, project

from benchsuite import registry

# Without its plugin hypothesis takes a property test for work done at import. A machine that runs the GPU's tests alone
# may lack it; where no configuration holds the plugin back, as in `pytest-benchmark compare`, it is loaded already.
HYPOTHESIS = "_hypothesis_pytestplugin"
WANTED = bool(find_spec(HYPOTHESIS)) and HYPOTHESIS not in sys.modules
pytest_plugins = ["pytester", *([HYPOTHESIS] if WANTED else [])]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files with real trials first where xdist shares them out: one that begins last keeps the others waiting."""
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True, scope="session")
def alone() -> Iterator[None]:
    """Where xdist runs these tests, those that they run are not to take themselves for a part of it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PYTEST_XDIST_")]:
            patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes onto the page of the job that it runs in."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@pytest.fixture(scope="session")
def imported() -> None:
    """What an in-process run would import: pytester forgets that again, and numpy cannot be imported twice."""
    import scipy.stats  # noqa: F401

    from benchsuite import preflight, progress, session  # noqa: F401

    for plug_ins in (registry.tasks, registry.regimes, registry.metrics, registry.judges, registry.reporters):
        plug_ins()


@pytest.fixture
def bench(imported: None, pytester: pytest.Pytester) -> Project:
    """A project with our bench tests and a recorded run, without baselines."""
    return project(pytester)


@pytest.fixture
def judged(bench: Project) -> Project:
    """The same, its recorded run approved."""
    bench.promote()
    return bench
