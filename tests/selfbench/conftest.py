"""The cases that the benchmarks of the suite measure for real: those of the options, by default small ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchsuite import cases, environment
from benchsuite.fixtures import OPTIONS
from benchsuite.nouns import Case, Device, Options


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item a case; those that need a GPU are marked so."""
    if "timed_case" in metafunc.fixturenames:
        found = cases.cases(wanted(metafunc.config.stash[OPTIONS]))
        marks = {Device.CUDA: [pytest.mark.gpu], Device.CPU: []}
        params = [pytest.param(c, id=f"{c.regime}-{c.profile.name}-{c.model.id}", marks=marks[c.device]) for c in found]
        metafunc.parametrize("timed_case", params)


def wanted(options: Options) -> Options:
    """The user's options, with short profiles unless others were named."""
    return replace(options, profiles=("tiny", "quick")) if options.profiles == Options().profiles else options


@pytest.fixture
def gpu(pytestconfig: pytest.Config, timed_case: Case) -> str:
    """UUID of the GPU that the case takes, empty for none; a skip that says why where it has none to take."""
    if timed_case.device is not Device.CUDA:
        return ""
    found = environment.gpus()
    if not found:
        pytest.skip(f"no NVIDIA GPU here ({environment.hidden()})")
    return environment.choose(found, pytestconfig.stash[OPTIONS].device).uuid
