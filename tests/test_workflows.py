"""The workflow files: actions held by commit, environments that exist, and all of them checked in lint."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def tox_ini() -> configparser.ConfigParser:
    """tox.ini, parsed."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini")
    return parser


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned(path: Path) -> None:
    """Each by a whole commit hash, its version told beside it; one action has one hash in all files."""
    uses = re.findall(r"uses: (.*)", path.read_text())
    assert uses
    for action in uses:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", action), action
    everywhere = {line for other in WORKFLOWS for line in re.findall(r"uses: (.*)", other.read_text())}
    assert len(everywhere) == len({line.partition("@")[0] for line in everywhere})


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_environments_exist(path: Path) -> None:
    """What a workflow asks of the gate is in tox.ini."""
    named = {name for names in re.findall(r"\.ci/run -e (\S+)", path.read_text()) for name in names.split(",")}
    assert named
    assert {f"testenv:{name}" for name in named} <= set(tox_ini().sections())


def test_lint_checks_every_workflow() -> None:
    """A new file must be named there."""
    commands = tox_ini()["testenv:lint"]["commands"]
    assert {path.name for path in WORKFLOWS} == set(re.findall(r"\.github/workflows/(\S+)", commands))
