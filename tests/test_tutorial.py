"""The tutorial is walked: every command as written, in order, in a folder like a fresh clone."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
SETUP = ("python3 -m venv", "pip install")
"""Begins of commands that make the environment, which whoever runs this test has."""
CODE = re.compile(r"\s+# ends with (\d)$")
VARIES = re.compile(r"about \d+ s|\bms\b|^\s*\[\.\.\.\]$|^$")
"""Lines that tell times, or nothing."""
MEASURED = re.compile(r"^1\. |model\.dropout\.drawn|training\.0\.1|params\.trainable")
"""Of what is measured, the lines that are the same on a processor of other instructions."""
ELSE = "; no package differs"
"""What a cause says where the environment is the baseline's own."""


def commands(block):
    """Each command of a console block as words, and the exit code that stands behind it."""
    for line in block.splitlines():
        text = line.removeprefix("$ ")
        if not text.startswith(SETUP):
            code = CODE.search(text)
            yield shlex.split(CODE.sub("", text)), int(code[1]) if code else 0


def run(words, folder):
    """One command, by this very Python."""
    program = {"pytest": ["-m", "pytest", "-p", "no:cacheprovider"], "benchsuite": ["-m", "benchsuite"]}[words[0]]
    # A pytest above this one must not lend its options or its folder to the one below.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "GITHUB_"))}
    return subprocess.run(
        [sys.executable, *program, *words[1:]], cwd=folder, capture_output=True, text=True, check=False,
        env={**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "100"},
    )  # fmt: skip


def spaced(text):
    """Its words a space apart: how wide a column is hangs on every figure in it."""
    return " ".join(text.split())


@pytest.mark.slow
def test_the_tutorial_works_as_written(tmp_path):
    """Its commands end as it says, and its file is what is planted.

    What they print of recorded runs is compared line by line; of what is measured here, cause and counts.
    """
    for name in ("bench", "benchsuite", "baselines", "tests", "conftest.py", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    printed, replayed, shown = "", False, 0
    for language, block in BLOCKS:
        if language == "python":
            (tmp_path / "fault.py").write_text(block, encoding="utf-8")
        elif language == "console":
            for words, code in commands(block):
                done = run(words, tmp_path)
                assert done.returncode == code, f"{words}:\n{done.stdout}\n{done.stderr}"
                printed, replayed = done.stdout, "--replay" in words
        else:
            told = [line for line in block.splitlines() if replayed or MEASURED.search(line)]
            lines = [line.removesuffix(ELSE) for line in told if not VARIES.search(line)]
            assert [line for line in lines if spaced(line) not in spaced(printed)] == []
            shown += len(lines)
    assert shown >= 6


def test_the_tutorial_names_commands_that_there_are():
    """Pytest and benchsuite, with the exit codes of a gate."""
    every = [each for language, block in BLOCKS if language == "console" for each in commands(block)]
    assert {words[0] for words, _ in every} == {"pytest", "benchsuite"}
    assert [code for _, code in every] == [0, 1, 0, 1, 0, 0]
