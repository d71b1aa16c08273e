"""Trials that a run adds by itself where a gate is inconclusive: when, how many, and how it says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from factories import make_baseline, make_case
from replays import Project, moved, recorded
from test_cli import Command, command, measured  # noqa: F401 - a fixture

from benchsuite import adding, cases, estimates, progress, store
from benchsuite.nouns import Case, Estimate, Kind, Options, Outcome, Record, Role, Status, Verdict


def verdict(outcome: Outcome, kind: Kind = Kind.WALL, role: Role = Role.GATE, name: str = "m") -> Verdict:
    """A verdict with nothing to say."""
    return Verdict(
        case="c", metric=name, title="t", unit="s", kind=kind, role=role, concern="c", outcome=outcome, old=1, new=1,
        effect=None, interval=None, detectable=None, detail="", cause="", advice="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        (verdict(Outcome.INCONCLUSIVE), True),
        (verdict(Outcome.INCONCLUSIVE, Kind.DEVICE), True),
        (verdict(Outcome.INCONCLUSIVE, Kind.QUALITY), False),
        (verdict(Outcome.INCONCLUSIVE, role=Role.EXPLAIN), False),
        (verdict(Outcome.OK), False),
        (verdict(Outcome.REGRESSED), False),
        (verdict(Outcome.NO_BASELINE), False),
    ],
)
def test_what_another_trial_may_decide(given: Verdict, counts: bool) -> None:
    """A gate that is judged over trials; examples answer alike in every trial of one seed."""
    assert bool(adding.undecided([given])) is counts


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a"], "inconclusive: a"),
        (["a", "b"], "inconclusive: a, b"),
        (["a", "b", "c"], "inconclusive: a, b and 1 more"),
    ],
)
def test_why_names_a_few(names: list[str], said: str) -> None:
    """Two names and how many more."""
    assert adding.why(names) == said


# ---------------------------------------------------------------- the estimate


@pytest.mark.parametrize(
    ("baseline", "most", "trials", "added"),
    [(True, 0, 1, 0), (True, 4, 4, 3), (True, 1, 1, 0), (False, 4, 1, 0)],
)
def test_the_estimate_counts_the_most_that_it_may_take(baseline: bool, most: int, trials: int, added: int) -> None:
    """Where there is a baseline to leave something open; trials asked for are never fewer."""
    case = make_case()
    found = estimates.estimate([(case, make_baseline(case=case) if baseline else None)], most)
    assert (found.trials, found.added) == (trials, added)
    assert found.seconds == trials * (12.5 if baseline else case.profile.guess)


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        (Estimate(trials=1, seconds=1.0, source="guess"), "1 trial"),
        (Estimate(trials=2, seconds=1.0, source="guess"), "2 trials"),
        (
            Estimate(trials=20, seconds=1.0, source="guess", added=10),
            "at most 20 trials, 10 of them only where a gate is inconclusive",
        ),
    ],
)
def test_the_estimate_in_words(estimate: Estimate, said: str) -> None:
    """As every front end says it."""
    assert progress.trials(estimate) == said


# ---------------------------------------------------------------- a run


def quick() -> Case:
    """FP32 on a GPU: there, times are gates."""
    (case,) = cases.cases(Options(profiles=("quick",), regimes=("fp32",)))
    return case


def timed(trial: int, factor: float, day: int = 3) -> Record:
    """A trial of it whose step takes so much longer than the recorded one."""
    record, case = recorded("fp32"), quick()
    there = replace(record.environment, machine="nvidia-h100-80gb")
    started = f"2025-11-{day:02d}T10:{trial:02d}:00+00:00"
    record = replace(
        record, case=case, digest=cases.digest(case), environment=there, trial=trial, started=started,
    )  # fmt: skip
    return moved(record, time__step=record.metrics["time.step"].value * factor)


def run(command: Command, *factors: float, most: int = 3) -> tuple[int, str, int]:  # noqa: F811
    """Exit code, what was said, and the trials of a run that is given one trial and may add up to `most`."""
    measured(*(timed(i, f) for i, f in enumerate((1.0, 1.01, 0.99, 1.005, 0.995))), name="approved")
    command("promote", "approved", "--reason", "first figures")
    measured(*(timed(i, f, day=4) for i, f in enumerate(factors)), name="source")
    extra = ("--trials-max", str(most)) if most else ()
    code, _, err = command("run", "--replay", "source", "--trials", "1", *extra)
    return code, err, len(store.load_run(Path("results") / "latest"))


@pytest.mark.parametrize(
    ("factors", "most", "code", "trials"),
    [
        ((1.01, 1.0, 1.0), 3, 0, 1),
        ((1.40, 1.0, 1.0), 0, 3, 1),
        ((1.40, 1.0, 1.01), 1, 3, 1),
        ((1.40, 1.0, 1.01), 2, 3, 2),
        ((1.40, 1.4, 1.41), 5, 1, 2),
        ((1.40, 1.0, 1.01, 1.0, 1.0, 1.01), 6, 0, 5),
        ((1.40, 1.0), 9, 3, 2),
    ],
)
def test_a_run_goes_on_until_it_can_tell(
    command: Command,  # noqa: F811
    factors: tuple[float, ...],
    most: int,
    code: int,
    trials: int,
) -> None:
    """One slow process is followed by another: a slow stack then fails, a disturbed process does not."""
    found, err, made = run(command, *factors, most=most)
    assert (found, made) == (code, trials), err
    assert ("since inconclusive: time.step" in err) is (trials > 1)


def test_it_says_that_it_goes_on(command: Command) -> None:  # noqa: F811
    """Before: the most it may take; while it runs: which trial of how many, and why."""
    _, err, _ = run(command, 1.4, 1.4, most=2)
    assert "at most 2 trials, 1 of them only where a gate is inconclusive, about" in err
    assert "fp32 quick (bert-base-uncased), trial 2 of at most 2, since inconclusive: time.step:" in err


def test_a_failed_trial_is_not_followed_by_more(command: Command) -> None:  # noqa: F811
    """It fails the run whatever else is measured."""
    measured(*(timed(i, 1.0) for i in range(5)), name="approved")
    command("promote", "approved", "--reason", "first figures")
    broken = replace(timed(0, 1.4, day=4), status=Status.FAILED, problem="out of memory", metrics={}, fingerprint={})
    measured(broken, timed(1, 1.4, day=4), name="source")
    command("run", "--replay", "source", "--trials", "1", "--trials-max", "2")
    assert len(store.load_run(Path("results") / "latest")) == 1


def test_pytest_adds_them_too(bench: Project) -> None:
    """By option or ini twin; the added trial is judged with the others."""
    slow = [timed(i, 1.4, day=4) for i in range(2)]
    bench.promote(*(timed(i, 1.0 + i / 1000) for i in range(5)))
    bench.record(*slow)
    arguments = ("bench", "--suite-replay=runs/source", "--suite-trials=1", "-p", "no:cacheprovider", "-k", "training")
    assert bench.pytester.runpytest_inprocess(*arguments).ret == 0
    bench.pytester.makeini("[pytest]\nsuite_trials_max = 2\n")
    result = bench.pytester.runpytest_inprocess(*arguments)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*trial 2 of at most 2, since inconclusive: time.step*", "*REGRESSED time.step*"])
