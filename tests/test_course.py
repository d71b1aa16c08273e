"""The course of the real training: what is made of rates, modes, rows and the log's counts."""

from __future__ import annotations

import functools
import types

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchsuite import compat
from benchsuite.meters import course
from benchsuite.meters._tally import Done, furthest, tally

RATES = [0.1, 0.3, 0.2, 0.1]


def updates(*groups):
    """What each update obeyed, from the rates of each group."""
    return [(i + 1, list(every)) for i, every in enumerate(zip(*groups, strict=True))]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_groups_that_follow_the_schedule_have_nothing_to_tell(count):
    """Whatever the rates are, and where a scaler skipped an update."""
    told = {f"group {i + 1}": {"otherwise": 0} for i in range(count)}
    assert course.groups(RATES, updates(*[RATES] * count)) == told
    assert course.groups(RATES, updates(*[RATES] * count)[1:]) == told


def test_a_group_of_its_own_is_told_with_its_first_step():
    """And the others are not."""
    found = course.groups(RATES, updates(RATES, [0.1, 0.2, 0.2, 0.1]))
    assert found["group 1"] == {"otherwise": 0}
    second = found["group 2"]
    assert {k: v for k, v in second.items() if k != "ratios"} == {
        "otherwise": 1, "from": 2, "rate": 0.2, "begun": 0.3,
    }  # fmt: skip


def test_a_fixed_multiple_is_the_same_whatever_the_schedule_is():
    """A group of ten times the rate is told by ratios, so that a schedule that moves is told once, elsewhere."""
    found = [
        course.groups(rates, updates(rates, [10 * r for r in rates]))["group 2"]["ratios"]
        for rates in (RATES, [0.4, 0.3, 0.2, 0.1])
    ]
    assert found[0] == found[1]


def test_modes_are_told_in_runs():
    """As words, each with how many steps in a row it held."""
    steps = [(5, True)] * 3 + [(0, True)] * 2 + [(4, False)]
    told = course.runs(course.mode(*step, of=5) for step in steps)
    assert told == ["train x 3", "eval x 2", "4 of 5 modules train without gradients x 1"]
    assert course.runs([]) == []


def test_the_callback_sees_each_step_and_leaves_nothing_behind():
    """Rates as the optimizer's step finds them, whoever moved them; afterwards no module and no hook is held."""
    seen = course.Course()
    watching = course._watching(seen)
    model = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Dropout())
    optimizer = torch.optim.SGD([{"params": [model[0].weight]}, {"params": [model[0].bias]}], lr=0.5)
    watching.on_train_begin(model=model, optimizer=optimizer, train_dataloader=[1, 2])
    for rate in (0.5, 0.25):
        watching.on_step_begin()
        model(torch.ones(1, 2))
        optimizer.param_groups[1]["lr"] = rate
        model.train(rate == 0.5)
        optimizer.step()
        watching.on_step_end()
    watching.on_log()
    watching.on_train_end()
    model(torch.ones(1, 2))
    optimizer.step()
    assert seen.begun == [0.5, 0.5]
    assert seen.forwards == {"training": 2}
    assert seen.rates == [(1, [0.5, 0.5]), (2, [0.5, 0.25])]
    assert (seen.modes, seen.modules, seen.batches, seen.logged) == ([(3, True), (0, True)], 3, 2, [2])
    assert watching.modules == ()
    assert watching.hooks == ()
    assert not model._forward_pre_hooks


def test_an_evaluation_is_told_where_its_figures_are_computed():
    """Its rows, whether its labels are the data set's, and its figures, which are what they were."""
    seen = course.Course()
    trainer = types.SimpleNamespace(compute_metrics=lambda predicted: {"rows": len(predicted[1])})
    own = [0, 1, 1, 0]
    course._look(types.SimpleNamespace(trainer=trainer, rows={"validation": {"labels": own}}), seen)
    assert trainer.compute_metrics((torch.zeros(4, 2), torch.tensor(own))) == {"rows": 4}
    trainer.compute_metrics((torch.zeros(4, 2), torch.tensor([0, 0, 1, 1])))
    trainer.compute_metrics((torch.zeros(3, 2), torch.tensor(own[:3])))
    assert seen.evaluated == [4, 4, 3]
    assert seen.labels == ["the data set's", "2 are others", "1 are others"]
    assert seen.figures == [{"rows": 4}, {"rows": 4}, {"rows": 3}]


@pytest.mark.parametrize(
    ("logged", "found"),
    [
        ([0.5, 0.75], {"otherwise": 0}),
        ([0.5, 0.85], {"otherwise": 1, "first": "accuracy: 0.85, computed as 0.75"}),
        ([0.5, None], {"otherwise": 1, "first": "accuracy: None, computed as 0.75"}),
        ([0.5], {"otherwise": 1}),
    ],
)
def test_logged_figures_are_held_against_those_computed(logged, found):
    """Each evaluation's in turn; an evaluation that is not logged counts too."""
    entries = [{"loss": 0.3}, *({"eval_loss": 0.1, "eval_accuracy": value} for value in logged)]
    assert course.figures(entries, [{"accuracy": 0.5}, {"accuracy": 0.75}]) == found


# ---------------------------------------------------------------- counts of the log


def done(**more):
    """Two epochs of 70 rows in batches of 16, an evaluation of 20 rows after each."""
    fields = {"logged": [2, 5, 5, 10, 10, 10], "steps": 10, "batches": 5, "accumulated": 1, "rows": 70, "batch": 16,
              "evaluated": 20, "evaluated_batch": 8}  # fmt: skip
    return Done(**{**fields, **more})


def history(seconds=3.21):
    """What a sound Trainer logs of that."""
    each = {"eval_runtime": round(seconds, 4), "eval_samples_per_second": round(20 / seconds, 3),
            "eval_steps_per_second": round(3 / seconds, 3)}  # fmt: skip
    last = {"train_runtime": round(seconds, 4), "train_samples_per_second": round(140 / seconds, 3),
            "train_steps_per_second": round(10 / seconds, 3)}  # fmt: skip
    steps = [2, 5, 5, 10, 10, 10]
    more = [{"loss": 1.0}, {"loss": 1.0}, each, {"loss": 1.0}, each, last]
    return [{"step": step, "epoch": step / 5, **m} for step, m in zip(steps, more, strict=True)]


@given(st.floats(1e-3, 1e5))
def test_a_sound_log_counts_right_however_long_it_took(seconds):
    """What rounding does to rates and runtimes is no difference."""
    assert set(tally(history(seconds), done()).values()) == {1.0}


@pytest.mark.parametrize("key", ["train_samples_per_second", "train_steps_per_second", "eval_steps_per_second"])
def test_a_rate_that_is_doubled_is_told_as_such(key):
    """And nothing else is."""
    log = [{**entry, key: 2 * entry[key]} if key in entry else entry for entry in history()]
    found = tally(log, done())
    assert found[key] == pytest.approx(2, abs=0.02)
    assert {value for name, value in found.items() if name != key} == {1.0}


def test_an_epoch_too_many_and_a_step_too_few_are_told():
    """By the entry that is furthest off."""
    found = tally([{**entry, "epoch": entry["epoch"] + 1} for entry in history()], done())
    assert found["epoch"] == 3.5
    assert tally([{**entry, "step": entry["step"] - 1} for entry in history()], done())["step"] == 0.5


def test_an_entry_that_is_not_told_or_not_logged_has_no_share():
    """Nothing is made up of what is missing."""
    assert tally(history()[1:], done()) == {"entries": -1}
    assert tally([{"loss": 1.0}] * 6, done())["epoch"] is None
    assert furthest([]) is None
    assert furthest([(1.0, 0.0, 0.0)]) is None


def test_accumulated_batches_make_one_step():
    """An epoch's last step may have fewer of them."""
    many = done(accumulated=2, steps=6)
    assert [many.epoch(steps) for steps in (1, 2, 3, 6)] == [0.4, 0.8, 1.0, 2.0]
    assert many.seen == (140, 192)


# ---------------------------------------------------------------- how checkpoints are made


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpoints_tell_what_they_call(reentrant):
    """With what is fixed of its arguments; a layer that does not recompute says nothing."""
    from torch.utils.checkpoint import checkpoint

    model = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Linear(1, 1))
    for layer, on in zip(model, (True, False), strict=True):
        layer.gradient_checkpointing = on
        layer._gradient_checkpointing_func = functools.partial(checkpoint, use_reentrant=reentrant)
    assert compat.checkpointing_kinds(model) == [f"checkpoint use_reentrant={reentrant}"]
    assert compat.checkpointing_kinds(torch.nn.Linear(1, 1)) == []


def test_layers_are_counted_and_not_what_holds_them():
    """A switch on the encoder as well makes no layer more; alone, it is the one."""
    model = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Linear(1, 1))
    model.gradient_checkpointing = True
    assert compat.checkpointing_layers(model) == [model]
    model[1].gradient_checkpointing = True
    assert compat.checkpointing_layers(model) == [model[1]]
