"""Loads the suite's plugin from this clone where it is not installed, so that `pytest bench` works bare."""

import sys
from importlib.metadata import entry_points
from pathlib import Path

INSTALLED = any(point.name == "benchsuite" for point in entry_points(group="pytest11"))
if not INSTALLED:
    sys.path.append(str(Path(__file__).parent))
# Loaded twice, a plugin is refused by pytest.
pytest_plugins = [] if INSTALLED else ["benchsuite.plugin"]
