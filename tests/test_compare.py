"""What may be compared, what is said where it may not, and when a run fails."""

from dataclasses import replace
from fnmatch import fnmatchcase

import pytest
from factories import make_baseline, make_case, make_environment, make_provenance, make_record
from judging import METRICS, gpu_baseline, gpu_case, gpu_record, result, unchanged, upgraded, values

from benchsuite.compare import exit_code, measured
from benchsuite.meters.nvml import ENERGY
from benchsuite.nouns import (
    Better,
    Kind,
    Measured,
    Metric,
    Options,
    Outcome,
    Predictions,
    Role,
    Status,
    SuiteError,
    UsageError,
)
from benchsuite.tolerances import tolerant
from benchsuite.wording import one_line, paragraph, tally

CASE = gpu_case()


def by_metric(found):
    """Verdicts by metric name."""
    return {v.metric: v for v in found.verdicts}


def outcomes(found):
    """The set of outcomes of a case."""
    return {v.outcome for v in found.verdicts}


def test_measured_joins_metrics_fingerprint_and_logits():
    """Structures and logits are judged like numbers; without predictions there are no logits."""
    record = make_record()
    assert {"time.train", "model.modules", "quality.logits"} <= measured(record).keys()
    assert measured(record)["quality.logits"].value[0] == [1.25, -0.75]
    assert "quality.logits" not in measured(replace(record, predictions=Predictions(labels=(), logits=())))


def test_an_unchanged_stack_is_ok_in_every_metric():
    """Five trials like the baseline's raise no alarm and leave nothing open."""
    found = unchanged()
    assert outcomes(found) == {Outcome.OK}
    assert {v.metric for v in found.verdicts} == METRICS.keys()
    assert exit_code([found], Options(require_baseline=True)) == 0


def test_an_upgrade_that_went_wrong_is_told_metric_by_metric():
    """Each kind of trouble gets the outcome it deserves, each exactly once."""
    found = {v.metric: v.outcome for v in upgraded().verdicts}
    assert found == {
        "trial": Outcome.INVALID,
        "count.kernels.step": Outcome.IMPROVED,
        "device.kernel_time.step": Outcome.OK,
        "energy.train": Outcome.INCOMPARABLE,
        "kernels.by_name": Outcome.CHANGED,
        "latency.sample": Outcome.OK,
        "model.dtypes": Outcome.CHANGED,
        "model.modules": Outcome.CHANGED,
        "optimizer.lr": Outcome.OK,
        "params.total": Outcome.OK,
        "params.trainable": Outcome.OK,
        "quality.accuracy.reloaded": Outcome.REGRESSED,
        "quality.logits": Outcome.INCOMPARABLE,
        "time.train": Outcome.INCONCLUSIVE,
        "vram.after_reload": Outcome.REGRESSED,
        "vram.peak.evaluate": Outcome.INVALID,
        "vram.peak.train": Outcome.OK,
    }
    assert exit_code([upgraded()], Options()) == 1
    assert exit_code([upgraded()], Options(gate=False)) == 0


def test_every_verdict_that_is_not_ok_says_why_and_what_to_do():
    """Detail and advice are never empty where something is up."""
    for verdict in upgraded().verdicts:
        if verdict.outcome is not Outcome.OK:
            assert verdict.detail, verdict.metric
            assert verdict.advice, verdict.metric


def test_the_advice_to_promote_names_what_it_matches():
    """The glob in the advice selects its own metric."""
    verdict = by_metric(upgraded())["vram.after_reload"]
    glob = verdict.advice.split("'")[1]
    assert fnmatchcase(f"{verdict.case}/{verdict.metric}", glob)
    assert "benchsuite promote results/latest --only" in verdict.advice


def test_one_line_and_paragraph_tell_the_whole_story():
    """What was, what is, by how much, and what next."""
    verdict = by_metric(upgraded())["vram.after_reload"]
    assert one_line(verdict) == "REGRESSED vram.after_reload (VRAM after reload): 90.2 -> 135.9 MB (+51 %)"
    assert paragraph(verdict).splitlines()[1:] == ["  +47,919,923 bytes", f"  next: {verdict.advice}"]


def test_an_explaining_metric_does_not_shout():
    """What only explains is marked so, and fails nothing."""
    verdict = by_metric(upgraded())["kernels.by_name"]
    assert not verdict.fails
    assert one_line(verdict).startswith("changed (explains, fails nothing) kernels.by_name")


@pytest.mark.parametrize("status", [Status.FAILED, Status.INVALID])
def test_where_every_trial_failed_only_the_failures_are_told(status):
    """A case without a good trial has one verdict a trial, each with its problem, and fails."""
    record = gpu_record(CASE, status=status, problem="no room")
    found = result(CASE, (record, replace(record, trial=1)), gpu_baseline(CASE))
    assert [(v.metric, v.outcome, v.detail) for v in found.verdicts] == [("trial", Outcome.INVALID, "no room")] * 2
    assert exit_code([found], Options()) == 1


def test_without_a_baseline_nothing_is_judged_and_promotion_is_advised():
    """A first run warns, and fails only where a baseline is required."""
    found = result(CASE, (gpu_record(CASE),), None)
    assert outcomes(found) == {Outcome.NO_BASELINE}
    assert all('benchsuite promote results/latest --reason "first baseline"' in v.advice for v in found.verdicts)
    assert exit_code([found], Options()) == 0
    assert exit_code([found], Options(require_baseline=True)) == 1


@pytest.mark.parametrize(
    ("baseline", "reason"),
    [
        ({"digest": "0" * 16}, "the baseline is of another case: its digest differs"),
        ({"digest": "0" * 16, "case": replace(CASE, seed=7)}, "the baseline is of another case: seed 7 -> 42"),
        ({"machine": "tesla-t4"}, "the baseline is of another machine: tesla-t4 -> nvidia-h100-80gb"),
        (
            {"trials": (gpu_record(CASE, provenance=make_provenance(data="real", weights="random")),)},
            "the inputs differ: weights random -> real",
        ),
        ({"trials": ()}, "the baseline holds no trial that went well"),
    ],
)
def test_what_is_not_alike_is_not_compared(baseline, reason):
    """Another digest, machine or provenance makes all of a case incomparable; as nothing is judged, the run fails."""
    found = result(CASE, (gpu_record(CASE),), replace(gpu_baseline(CASE), **baseline))
    assert outcomes(found) == {Outcome.INCOMPARABLE}
    assert {v.detail for v in found.verdicts} == {reason}
    assert exit_code([found], Options()) == 1


def test_other_library_versions_are_compared():
    """Versions of packages never stand in the way of a comparison."""
    environment = replace(gpu_record(CASE).environment, packages={"torch": "9.9"})
    records = tuple(gpu_record(CASE, i, environment=environment) for i in range(5))
    assert outcomes(result(CASE, records, gpu_baseline(CASE))) == {Outcome.OK}


def test_a_metric_alone_is_incomparable_where_its_hardware_differs():
    """What a metric depends on is named with both values; its neighbours are judged."""
    found = by_metric(upgraded())
    assert found["quality.logits"].detail == "it depends on what differs: cpu_capability AVX512 -> AVX2"
    assert found["params.total"].outcome is Outcome.OK


def test_a_metric_that_the_suite_reads_in_another_way_is_incomparable():
    """A newer suite is no change of the stack: what it reads otherwise is not compared, and says so; all else is."""
    fingerprint = {**gpu_record(CASE).fingerprint, "optimizer.lr": [1.0]}
    new = tuple(
        gpu_record(CASE, i, suite="0.2.0", readings={"optimizer.lr": 2}, fingerprint=fingerprint) for i in range(5)
    )
    found = by_metric(result(CASE, new, gpu_baseline(CASE)))
    assert found["optimizer.lr"].outcome is Outcome.INCOMPARABLE
    assert found["optimizer.lr"].detail == (
        "benchsuite reads it in another way since: 0.1.0 (reading 1) -> 0.2.0 (reading 2)"
    )
    assert found["model.modules"].outcome is Outcome.OK


def test_a_metric_on_one_side_only_is_never_silent():
    """Gone from this run it is invalid, or incomparable where it only explains; new in this run it has no baseline."""
    new = tuple(gpu_record(CASE, i, fingerprint={}) for i in range(5))
    found = by_metric(result(CASE, new, gpu_baseline(CASE)))
    assert found["model.modules"].outcome is Outcome.INVALID
    assert found["model.modules"].detail.startswith("missing in this run, the baseline has it")
    assert found["kernels.by_name"].outcome is Outcome.INCOMPARABLE
    old = replace(gpu_baseline(CASE), trials=new)
    found = by_metric(result(CASE, (gpu_record(CASE),), old))
    assert found["model.modules"].outcome is Outcome.NO_BASELINE


def test_what_a_sound_trial_may_lack_is_no_alarm():
    """A host that trains quicker than the energy counter can tell is told so, and fails nothing."""
    joules = Measured(value=1874.5)
    old = tuple(replace(t, metrics={**t.metrics, "energy.train": joules}) for t in gpu_baseline(CASE).trials)
    baseline = replace(gpu_baseline(CASE), trials=old)
    judged = result(CASE, (gpu_record(CASE),), baseline, metrics={**METRICS, ENERGY.name: ENERGY})
    found = by_metric(judged)["energy.train"]
    assert (found.outcome, found.fails) == (Outcome.INCOMPARABLE, False)
    assert found.detail == (
        "not measured in this run: a training under 5 s has none, the driver's counter is too coarse"
    )


def test_a_metric_that_some_trials_lack_is_judged_and_the_gap_told():
    """Trials without the metric are counted in words."""
    records = (gpu_record(CASE), gpu_record(CASE, 1, fingerprint={}))
    verdict = by_metric(result(CASE, records, gpu_baseline(CASE)))["optimizer.lr"]
    assert verdict.outcome is Outcome.OK
    assert verdict.detail == "only 1 of this run's 2 trials measured it"


def test_wall_metrics_on_a_cpu_only_explain():
    """On a CPU a time that tripled is shown and fails nothing."""
    case = make_case()
    fast = make_baseline(trials=tuple(make_record(trial=i, metrics=values(time__train=1 + i / 100)) for i in range(3)))
    slow = tuple(make_record(trial=i, metrics=values(time__train=3 + i / 100)) for i in range(3))
    verdict = by_metric(result(case, slow, fast))["time.train"]
    assert (verdict.outcome, verdict.role) == (Outcome.REGRESSED, Role.EXPLAIN)
    assert METRICS["time.train"].role is Role.GATE


@pytest.mark.parametrize(
    ("package", "role"), [("transformers", Role.EXPLAIN), ("pytest", Role.GATE)], ids=["guarded", "other"]
)
def test_what_an_upgrade_moves_by_itself_only_explains_after_one(package, role):
    """A count of a library's inner life is a gate on the same versions of the guarded libraries, and else explains."""
    counted = {**METRICS, "count.kernels.step": replace(METRICS["count.kernels.step"], same_stack=True)}
    environment = gpu_record(CASE).environment
    other = replace(environment, packages={**environment.packages, package: "99"})
    more = values(count__kernels__step=2000)
    for installed, expected in ((environment, Role.GATE), (other, role)):
        records = tuple(gpu_record(CASE, i, metrics=more, environment=installed) for i in range(5))
        verdict = by_metric(result(CASE, records, gpu_baseline(CASE), metrics=counted))["count.kernels.step"]
        assert (verdict.outcome, verdict.role) == (Outcome.REGRESSED, expected)


def test_tolerances_override_by_glob_and_the_last_wins():
    """A configured tolerance replaces the judge's own."""
    worse = tuple(gpu_record(CASE, i, metrics=values(vram__peak__train=440 * 2**20)) for i in range(5))
    assert by_metric(result(CASE, worse, gpu_baseline(CASE)))["vram.peak.train"].outcome is Outcome.REGRESSED
    loose = result(CASE, worse, gpu_baseline(CASE), tolerances={"*": "0.1 %", "vram.*": "3 %"})
    assert by_metric(loose)["vram.peak.train"].outcome is Outcome.OK


def test_a_tolerance_of_another_unit_is_a_usage_error():
    """Bytes for a time are refused, not ignored."""
    with pytest.raises(UsageError, match="2 MiB"):
        tolerant(METRICS["time.train"], {"time.*": "2 MiB"})
    assert tolerant(METRICS["time.train"], {"vram.*": "2 MiB"}) is METRICS["time.train"]


def test_a_metric_whose_judge_is_unknown_is_an_error():
    """A judge that went missing is loud."""
    lost = Metric(name="params.total", unit="1", kind=Kind.EXACT, concern="c", title="t", judge="gone")
    with pytest.raises(SuiteError, match=r"wants judge gone; known: .*mcnemar"):
        result(CASE, (gpu_record(CASE),), gpu_baseline(CASE), metrics={"params.total": lost})


def test_tally_counts_every_verdict():
    """The last line of a run says how much was judged and why the rest was not."""
    assert tally(upgraded().verdicts) == ("judged 12 of 17; not judged: 5 (1 inconclusive, 2 incomparable, 2 invalid)")
    assert tally(()) == "judged 0 of 0; not judged: 0"


def test_a_case_of_which_no_gate_was_judged_fails_only_with_a_baseline():
    """An explaining metric that was judged does not count as having judged the case."""
    explain = {n: replace(m, role=Role.EXPLAIN) for n, m in METRICS.items()}
    found = result(CASE, (gpu_record(CASE),), gpu_baseline(CASE), metrics=explain)
    assert exit_code([found], Options()) == 1
    assert exit_code([result(CASE, (gpu_record(CASE),), None, metrics=explain)], Options(require_baseline=True)) == 0


def test_improvement_is_advised_to_be_kept():
    """A gain is no failure, and says how to keep it."""
    better = tuple(gpu_record(CASE, i, metrics=values(count__kernels__step=1000)) for i in range(5))
    verdict = by_metric(result(CASE, better, gpu_baseline(CASE)))["count.kernels.step"]
    assert (verdict.outcome, verdict.fails) == (Outcome.IMPROVED, False)
    assert "promote" in verdict.advice
    assert METRICS["count.kernels.step"].better is Better.LOWER


def test_trials_of_two_machines_are_not_mixed():
    """One trial that ran elsewhere spoils the comparison, by name."""
    elsewhere = gpu_record(CASE, 1, environment=make_environment(machine="tesla-t4"))
    found = result(CASE, (gpu_record(CASE), elsewhere), gpu_baseline(CASE))
    assert {v.detail for v in found.verdicts} == {"the baseline is of another machine: nvidia-h100-80gb -> tesla-t4"}


def test_failed_trials_of_a_baseline_are_not_compared_with():
    """Only what went well is a baseline."""
    broken = gpu_record(CASE, 9, status=Status.FAILED, metrics={"params.total": Measured(value=1)})
    baseline = replace(gpu_baseline(CASE), trials=(broken, *gpu_baseline(CASE).trials))
    assert by_metric(result(CASE, (gpu_record(CASE),), baseline))["params.total"].outcome is Outcome.OK
