"""One item a case and concern: the trial's own times in pytest-benchmark's tables, the verdicts as outcomes."""

import pytest

from benchsuite.replay_clock import replay, trial_clock


def samples(trials, metric):
    """All rounds of a metric inside the trials, or one value a trial where it has no rounds."""
    found = [trial.metrics[metric] for trial in trials if metric in trial.metrics]
    return [s for measured in found for s in (measured.samples or (measured.value,))]


def figures(trials):
    """What pytest-benchmark cannot hold as a time: bytes and accuracy, for `extra_info`."""
    first = trials[0].metrics
    return {name: measured.value for name, measured in first.items() if name.startswith(("vram.", "ram.", "quality."))}


@pytest.mark.suite_trial
@pytest.mark.benchmark(group="training time", timer=trial_clock)
def test_training_time(suite_trials, suite_check, benchmark):
    """The wall time of `Trainer.train`, and the energy it took, hold against the baseline."""
    benchmark.extra_info.update(figures(suite_trials))
    replay(benchmark, samples(suite_trials, "time.train"))
    suite_check("training")


@pytest.mark.benchmark(group="step time", timer=trial_clock)
def test_step_time(suite_trials, suite_check, benchmark):
    """The time of a training step after warm-up holds against the baseline."""
    replay(benchmark, samples(suite_trials, "time.step"))
    suite_check("step")


@pytest.mark.benchmark(group="evaluation latency", timer=trial_clock)
def test_latency(suite_trials, suite_check, benchmark):
    """The reloaded model's time a batch holds against the baseline."""
    replay(benchmark, samples(suite_trials, "latency.batch"))
    suite_check("latency")


@pytest.mark.benchmark(group="model load", timer=trial_clock)
def test_load_time(suite_trials, suite_check, benchmark):
    """Importing, tokenising, loading and reloading hold against the baseline."""
    replay(benchmark, samples(suite_trials, "time.load"))
    suite_check("load")


def test_memory(suite_check):
    """Peaks of every phase, bytes after load and RAM hold against the baseline."""
    suite_check("memory")


def test_quality(suite_check):
    """Accuracy, losses and their course hold against the baseline."""
    suite_check("quality")


def test_fingerprint(suite_check):
    """What the stack built and did is what the baseline's did, exactly."""
    suite_check("fingerprint")


def test_work(suite_check):
    """Kernels a step and their time hold against the baseline (CUDA)."""
    suite_check("work")
