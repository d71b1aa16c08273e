"""The timed step of a trial, with all its meters, against the same step without any: instruments must not be felt.

Two ways, since each has a blind spot. Blocks of one process share its luck, and would share what a meter left behind;
pairs of processes share nothing, and scatter more. In both the order turns about (ABBA, BAAB), so that a drift adds to
both arms alike. `BENCHSUITE_PAIRS` sets how many (default 5 on CUDA, 3 on a CPU); the cases are those of the options,
by default the profiles tiny and quick, 60 steps each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from selfbench.overhead import BARE, METERS, QUANTITIES, WARM, Overhead, overhead

from benchsuite import cases, checkpoints, codec, environment, registry
from benchsuite.fixtures import OPTIONS
from benchsuite.nouns import Case, Device, Job, Options
from benchsuite.runners.process import worker_environment

STEPS = 60
BOUND = 0.01
"""What the meters may add to the timed step."""
PROGRAM = Path(__file__).with_name("overhead.py")
Blocks = list[dict[str, Any]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item a case; those that need a GPU are marked so."""
    if "timed_case" in metafunc.fixturenames:
        found = cases.cases(wanted(metafunc.config.stash[OPTIONS]))
        marks = {Device.CUDA: [pytest.mark.gpu], Device.CPU: []}
        params = [pytest.param(c, id=f"{c.regime}-{c.profile.name}-{c.model.id}", marks=marks[c.device]) for c in found]
        metafunc.parametrize("timed_case", params)


def wanted(options: Options) -> Options:
    """The user's options, with short profiles unless others were named."""
    profiles = ("tiny", "quick") if options.profiles == Options().profiles else options.profiles
    return replace(options, profiles=profiles, steps=options.steps or STEPS)


@pytest.fixture
def process(pytestconfig: pytest.Config, timed_case: Case) -> Callable[[str], Blocks]:
    """A function that trains the case in a fresh process, in blocks as spelled, and returns what it tells of them."""
    options = wanted(pytestconfig.stash[OPTIONS])
    gpu = ""
    if timed_case.device is Device.CUDA:
        found = environment.gpus()
        if not found:
            pytest.skip(f"no NVIDIA GPU here ({environment.hidden()})")
        gpu = environment.choose(found, options.device).uuid
    job = _job(options, timed_case)

    def run(blocks: str) -> Blocks:
        done = subprocess.run(
            [sys.executable, str(PROGRAM), blocks], input=codec.dumps(codec.encode(job)).encode(),
            env=worker_environment(job, gpu), capture_output=True, timeout=timed_case.profile.timeout, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        told: Blocks = json.loads(done.stdout.splitlines()[-1])["blocks"]
        assert [(block["block"], block["steps"]) for block in told] == [
            (b, timed_case.profile.max_steps) for b in blocks
        ]
        return told

    return run


def _job(options: Options, case: Case) -> Job:
    # As many rows as the steps take: tokenising the others would take longer than the steps.
    rows = min(case.profile.train_rows, case.profile.max_steps * case.profile.train_batch)
    short = replace(case, profile=replace(case.profile, train_rows=rows))
    return Job(
        cases=(short,), trial=0, pair=None, order=None,
        model_folder=checkpoints.resolve(options, case, len(registry.tasks()[case.task].labels)),
        data=cases.origin(options, case).data, inject="", machine="selfbench", parent_cuda=False,
    )  # fmt: skip


@pytest.fixture
def pairs(timed_case: Case) -> int:
    """How many pairs to measure."""
    return int(os.environ.get("BENCHSUITE_PAIRS") or (5 if timed_case.device is Device.CUDA else 3))


def turns(first: str, second: str) -> Iterator[str]:
    """`first` and `second` in turn, for ever."""
    while True:
        yield from (first, second)


def told(name: str, arms: list[tuple[Blocks, Blocks]], benchmark: Any, capsys: pytest.CaptureFixture[str]) -> Overhead:
    """Print what the meters add, note it for `--benchmark-json`, and return that of the timed step."""
    found = {q: overhead([([b[q] for b in a], [b[q] for b in bare]) for a, bare in arms]) for q in QUANTITIES}
    benchmark.extra_info["overhead"] = {quantity: asdict(each) for quantity, each in found.items()}
    benchmark.extra_info["blocks"] = [[*a, *bare] for a, bare in arms]
    with capsys.disabled():
        for quantity, each in found.items():
            bare = min(b[quantity] for _, blocks in arms for b in blocks)
            sys.stdout.write(f"\n{name}: meters add to the {quantity} (bare {bare * 1e3:.3f} ms at best) {each}")
    return found["step"]


def hold(case: Case, found: Overhead) -> None:
    """On a GPU the timed step must not be surely beyond the bound; a CPU's times are noted only."""
    if case.device is Device.CUDA:
        assert found.interval[0] <= BOUND, f"the meters add {found} to the timed step, more than {BOUND:.0%}"


@pytest.mark.benchmark(group="timed step, meters against none")
def test_blocks_of_one_process(benchmark, capsys, timed_case, process, pairs):
    """Blocks in turn, in each of several processes: the meters add next to nothing to the timed step."""
    order = turns(METERS + BARE + BARE + METERS, BARE + METERS + METERS + BARE)

    def measure() -> list[tuple[Blocks, Blocks]]:
        runs = [process(WARM + next(order))[1:] for _ in range(pairs)]
        return [tuple([b for b in run if b["block"] == arm] for arm in (METERS, BARE)) for run in runs]

    arms = benchmark.pedantic(measure, rounds=1)
    hold(timed_case, told(f"blocks, {cases.slug(timed_case)}", arms, benchmark, capsys))


@pytest.mark.benchmark(group="timed step, meters against none")
def test_pairs_of_processes(benchmark, capsys, timed_case, process, pairs):
    """A process with meters and one without, in turn: the meters add next to nothing to the timed step."""
    order = turns(METERS + BARE, BARE + METERS)

    def measure() -> list[tuple[Blocks, Blocks]]:
        runs = [{arm: process(arm) for arm in next(order)} for _ in range(pairs)]
        return [(run[METERS], run[BARE]) for run in runs]

    arms = benchmark.pedantic(measure, rounds=1)
    hold(timed_case, told(f"pairs, {cases.slug(timed_case)}", arms, benchmark, capsys))


def test_the_statistic_finds_what_is_there():
    """Pairs that are 2 % apart, whatever each pair's own pace, come out as 2 %; the interval covers it."""
    pace = {1.0: 1e-4, 1.5: -1e-4, 0.7: 2e-4, 1.1: 0.0}
    found = overhead([([1.02 * each * (1 + error), 1.02 * each], [each, each]) for each, error in pace.items()])
    assert found.effect == pytest.approx(0.02, abs=1e-3)
    assert found.interval[0] < found.effect < found.interval[1] < 0.021
