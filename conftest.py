"""Loads the suite's plugin from this clone where it is not installed, so that `pytest bench` works bare."""

from importlib.metadata import entry_points

INSTALLED = any(point.name == "benchsuite" for point in entry_points(group="pytest11"))
# Loaded twice, a plugin is refused by pytest.
pytest_plugins = [] if INSTALLED else ["benchsuite.plugin"]
