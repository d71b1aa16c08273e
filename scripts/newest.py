"""Prints the newest releases of libraries that go with what is installed here, as an arm of `benchsuite ab` names them.

    python scripts/newest.py transformers peft accelerate

pip decides, with its own configuration: only the libraries that are named move, and what they need.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any


def main(libraries: Sequence[str]) -> str:
    """The requirements, on one line; pip's own failure ends the script with its message."""
    if not libraries:
        sys.exit("newest.py: name at least one library")
    try:
        installed = {name: version(name) for name in libraries}
    except PackageNotFoundError as error:
        sys.exit(f"newest.py: {error.name} is not installed here")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--upgrade", "--report", "-", *libraries]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"newest.py: pip ended with {done.returncode}")
    return spec(installed, json.loads(done.stdout))


def spec(installed: Mapping[str, str], report: Mapping[str, Any]) -> str:
    """What is installed of the libraries, and over it what pip's report would install."""
    found = (entry["metadata"] for entry in report["install"])
    moved = {_plain(each["name"]): each["version"] for each in found}
    pins = {_plain(name): number for name, number in installed.items()} | moved
    return " ".join(f"{name}=={number}" for name, number in sorted(pins.items()))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1:]) + "\n")
