"""pytester, and a little project to judge recorded trials in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from replays import Project, project

from benchsuite import registry

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def imported() -> None:
    """What an in-process run would import: pytester forgets that again, and numpy cannot be imported twice."""
    import scipy.stats  # noqa: F401

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


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """`command("run", ...)`: exit code, stdout and stderr of `benchsuite run ...` in an empty folder."""
    from benchsuite import cli

    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["benchsuite", *words])
        code: Any = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        said = capsys.readouterr()
        return code, said.out, " ".join(said.err.split())

    return call
