"""Says why nothing here can run where the plugin is missing, instead of a list of unknown fixtures and markers."""

import atexit
import gc

import pytest

MISSING = (
    "bench/ is measured by the plugin benchsuite, which is not loaded here: leave out -p no:benchsuite, "
    "install benchsuite into this Python (pip install -e .), "
    "or add -p benchsuite where PYTEST_DISABLE_PLUGIN_AUTOLOAD is set"
)


def pytest_pycollect_makemodule(parent):
    """Before the first test is read."""
    if not hasattr(parent.config.option, "suite_profile"):
        raise pytest.Collector.CollectError(MISSING)


# To end a process with the objects of torch, which the in-process test imports, took the collector 1.5 s.
atexit.register(gc.freeze)
