"""Hooks of pytest-benchmark: what its saved files are named, and what they say of machine and versions."""

from __future__ import annotations

from typing import Any

import pytest

from . import environment
from .fixtures import OPTIONS
from .nouns import SuiteError
from .plugin_session import SESSION

SAVED_KEY = "benchsuite"
"""Ours, in a file of pytest-benchmark's: versions and driver."""


def name_saves(config: pytest.Config) -> None:
    """Autosaved files say in their name on what they were measured."""
    if getattr(config.option, "benchmark_autosave", None):
        versions = environment.guarded(environment.packages())
        keys = "_".join(
            f"{name}{versions[name].split('+')[0]}" for name in ("torch", "transformers") if name in versions
        )
        machine = environment.machine_slug(_gpu(config))
        config.option.benchmark_autosave += f"_{machine}_{keys}"


def _gpu(config: pytest.Config) -> environment.Gpu | None:
    """The GPU that would be used, for a name: a broken driver is told of where a case needs it."""
    try:
        found = environment.gpus()
        return environment.choose(found, config.stash[OPTIONS].device) if found else None
    except SuiteError:
        return None


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Keep only stable hardware: what an upgrade moves would make every comparison warn."""
    if SESSION in config.stash:
        _stabilise(config, machine_info)


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_benchmark_compare_machine_info(
    config: pytest.Config, machine_info: dict[str, Any], compared_benchmark: dict[str, Any]
) -> None:
    """Compare a saved run of ours by what was saved: this is asked before any case has been seen."""
    if SAVED_KEY in compared_benchmark:
        _stabilise(config, machine_info)


def _stabilise(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    gpu = _gpu(config)
    stable = {
        "node": environment.machine_slug(gpu),
        "machine": machine_info.get("machine"),
        "system": machine_info.get("system"),
        "cpu": {"brand_raw": environment.cpu_model()},
        "gpu": gpu.name if gpu else None,
    }
    machine_info.clear()
    machine_info.update(stable)


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """Versions and driver, under a key of their own."""
    if SESSION in config.stash:
        gpu = _gpu(config)
        output_json[SAVED_KEY] = {
            "packages": environment.guarded(environment.packages()),
            "driver": gpu.driver if gpu else None,
        }
