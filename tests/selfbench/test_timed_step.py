"""The timed step of a trial, with all its meters, against the same step without any: instruments must not be felt.

Steps of one training are compared with their neighbours. What a meter would leave behind for the turns without it is no
part of that difference; `tests/test_instruments.py` counts a step's Python calls in processes of their own, and sees
it. `--suite-steps` sets how long a training is (default 2400 on CUDA, 400 on a CPU), `BENCHSUITE_PROCESSES` how many
there are (default 2); the cases are those of the options, by default of the profiles tiny and quick.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from selfbench.conftest import wanted
from selfbench.overhead import BARE, METERS, QUANTITIES, order, overhead, paired, turns

from benchsuite import cases, checkpoints, codec, registry
from benchsuite.fixtures import OPTIONS
from benchsuite.nouns import Case, Device, Job, Options
from benchsuite.runners.process import worker_environment

STEPS = {Device.CUDA: 2400, Device.CPU: 400}
BOUND = 0.01
"""What the meters may add to the timed step."""
PROGRAM = Path(__file__).with_name("overhead.py")
Turns = list[dict[str, Any]]


@pytest.fixture
def process(pytestconfig: pytest.Config, timed_case: Case, gpu: str) -> Callable[[], Turns]:
    """A function that trains the case in a fresh process, in turns, and returns what it tells of them."""
    options = wanted(pytestconfig.stash[OPTIONS])
    job = _job(options, timed_case, options.steps or STEPS[timed_case.device])

    def run() -> Turns:
        done = subprocess.run(
            [sys.executable, str(PROGRAM)], input=codec.dumps(codec.encode(job)).encode(),
            env=worker_environment(job, gpu), capture_output=True, timeout=timed_case.profile.timeout, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        found: Turns = json.loads(done.stdout.splitlines()[-1])["turns"]
        assert len(found) > 0.8 * job.cases[0].profile.max_steps
        return found

    return run


def _job(options: Options, case: Case, steps: int) -> Job:
    # As many rows as the steps take, one epoch: tokenising others would take longer than the steps.
    profile = replace(case.profile, max_steps=steps, train_rows=steps * case.profile.train_batch)
    return Job(
        cases=(replace(case, profile=profile),), trial=0, pair=None, order=None,
        model_folder=checkpoints.resolve(options, case, len(registry.tasks()[case.task].labels)),
        data=cases.origin(options, case).data, inject="", machine="selfbench", parent_cuda=False,
    )  # fmt: skip


@pytest.mark.benchmark(group="timed step, meters against none")
def test_the_timed_step_does_not_feel_its_meters(benchmark, capsys, timed_case, process):
    """The meters add next to nothing to the timed step; on a GPU that is held, a CPU's times are noted only."""
    processes = int(os.environ.get("BENCHSUITE_PROCESSES") or 2)
    runs = benchmark.pedantic(lambda: [process() for _ in range(processes)], rounds=1)
    found = {q: overhead([each for run in runs for each in paired(run, q)]) for q in QUANTITIES}
    benchmark.extra_info["overhead"] = {quantity: asdict(each) for quantity, each in found.items()}
    benchmark.extra_info["turns"] = runs
    with capsys.disabled():
        for quantity, each in found.items():
            bare = min(turn[quantity] for run in runs for turn in run if turn["arm"] == BARE)
            name = cases.slug(timed_case)
            sys.stdout.write(f"\n{name}: meters add to the {quantity} (bare {bare * 1e3:.3f} ms at best) {each}")
    if timed_case.device is Device.CUDA:
        assert found["step"].interval[1] <= BOUND, f"not shown to be within {BOUND:.0%} of a bare step: {found['step']}"


def test_each_pair_of_turns_has_both_arms_in_an_order_that_is_drawn():
    """Neither arm is first more often by much, and the order repeats with no period, yet is the same in every run."""
    arms = "".join(islice(order(), 2000))
    pairs = [arms[i : i + 2] for i in range(0, len(arms), 2)]
    assert set(pairs) == {"AB", "BA"}
    assert 450 < pairs.count("AB") < 550
    assert all(sum(a == b for a, b in zip(pairs, pairs[lag:], strict=False)) < 0.6 * len(pairs) for lag in range(1, 50))
    assert arms == "".join(islice(order(), 2000))


def test_turns_are_paired_with_their_neighbours():
    """Each step is a turn in one pair, with the time until the next one's first callback; the warm-up is in none."""
    arms = list(islice(order(), 201))
    pace, before = {METERS: 1.02, BARE: 1.0}, {METERS: 0.5, BARE: 0.25}
    found = turns([(arm, 10.0 * i - before[arm], 10.0 * i, 10.0 * i + pace[arm]) for i, arm in enumerate(arms)])
    assert [turn["arm"] for turn in found] == arms[20:200]
    assert [turn["period"] for turn in found] == [10.0 + before[a] - before[b] for a, b in pairwise(arms[20:])]
    logs = list(paired(found, "step"))
    assert len(logs) == 90
    assert logs == pytest.approx([0.0198] * 90, abs=1e-4)


def test_the_statistic_finds_what_is_there():
    """Turns that are 2 % apart come out as 2 %, one in ten stalled to twice its time or not."""
    logs = [0.0198 + 0.002 * (i % 7 - 3) + (0.69 if i % 10 == 0 else 0.0) for i in range(100)]
    found = overhead(logs)
    assert found.effect == pytest.approx(0.02, abs=2e-3)
    assert found.interval[0] < 0.02 < found.interval[1] < 0.024
