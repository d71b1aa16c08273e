"""The fingerprint's meters, each on what it alone can be asked."""

import contextlib
import dataclasses
import functools
import gc
import math
import threading
import types

import pytest
from factories import make_case
from hypothesis import given
from hypothesis import strategies as st

from benchsuite import environment, invariance, probe, registry
from benchsuite.defaults import scenarios, signatures
from benchsuite.judges.values import JUDGE as VALUES
from benchsuite.judges.values import common, names
from benchsuite.meters import (
    _calls,
    _probing,
    _watch,
    allocations,
    arguments,
    batches,
    clipping,
    curves,
    function,
    gradients,
    inputs,
    live_objects,
    model_map,
    operators,
    phase_calls,
    precision,
    process,
    python_calls,
    rng,
    saved_tensors,
    saved_values,
    stack,
    thread_count,
    twin,
    updates,
    weights,
)
from benchsuite.nouns import Device, Kind, Measured, Metric, Outcome, Phase, Role
from benchsuite.rules import phase_work

torch = pytest.importorskip("torch")


# ---------------------------------------------------------------- declarations


def test_every_metric_is_judged_by_somebody():
    """Each declared metric names a known judge, or has a kind that one judges."""
    judges = registry.judges()
    kinds = {judge.kind for judge in judges.values()}
    stray = [m.name for m in registry.metrics().values() if (m.judge not in judges if m.judge else m.kind not in kinds)]
    assert stray == []


@pytest.mark.parametrize(
    "name",
    ["count.operators.step", "count.python_calls.step", "count.c_calls.step", "count.allocations.step", "seeds.rng"],
)
def test_what_moves_with_every_release_is_news_on_one_stack_only(name):
    """Counts that a release may move gate on the same versions and explain across them."""
    metric = registry.metrics()[name]
    assert (metric.same_stack, metric.role) == (True, Role.GATE)


@pytest.mark.parametrize("name", ["operators.by_name", "stack.packages", "stack.modules", "python_calls.by_package"])
def test_names_of_work_only_explain(name):
    """Names of operators, packages and modules fail no run."""
    assert registry.metrics()[name].role is Role.EXPLAIN


# ---------------------------------------------------------------- crashes as values


class Broken(_probing.ProbeMeter):
    """A probe whose library raises."""

    name = "broken"
    metrics = (_probing.exact("a.b", "one"), _probing.count("a.c", "two"))

    def probe(self, scene):
        """Raise as a library of another version would."""
        raise TypeError("no such argument\nand more")


def scene(*, shared=False):
    profile = types.SimpleNamespace(shared=shared)
    return types.SimpleNamespace(case=types.SimpleNamespace(profile=profile))


def test_a_crashing_probe_says_so_in_each_of_its_metrics():
    """A probe that raises loses nothing but its own values, which hold the crash."""
    found = Broken().stop(Phase.PROBE, scene())
    assert {name: m.value for name, m in found.items()} == dict.fromkeys(
        ("a.b", "a.c"), "crash: TypeError: no such argument"
    )


@pytest.mark.parametrize(("phase", "shared"), [(Phase.TRAIN, False), (Phase.PROBE, True)])
def test_probes_keep_out_of_other_phases_and_of_the_shared_process(phase, shared):
    """Nothing is probed before the probe phase, nor where one process holds all models."""
    assert Broken().stop(phase, scene(shared=shared)) == {}


# ---------------------------------------------------------------- judging named values

TABLE = Metric(name="t", unit="", kind=Kind.EXACT, concern="fingerprint", title="t", judge="values")


@pytest.mark.parametrize(
    ("old", "new", "outcome", "said"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, Outcome.OK, "new names: b"),
        ({"a": 1, "b": 2}, {"a": 1}, Outcome.OK, "names gone: b"),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 1, "z": 2}}, Outcome.OK, "new names: a.z\nnames gone: a.y"),
        ({"a": {"x": 1}}, {"a": {"x": 3}}, Outcome.CHANGED, "x"),
        ({"a": {"x": 1}}, {"a": "crash: TypeError: x"}, Outcome.CHANGED, "crash"),
        ({"a": 1}, {"a": 1}, Outcome.OK, ""),
    ],
)
def test_values_judge_tells_a_moved_value_from_a_moved_name(old, new, outcome, said):
    """A default that changed is a change; a parameter that came or went is told, and is none."""
    found = VALUES(TABLE, (Measured(value=old),), (Measured(value=new),))
    assert found.outcome is outcome
    assert said in found.detail


JSONS = st.recursive(
    st.integers() | st.text(max_size=3), lambda sub: st.dictionaries(st.text(max_size=2), sub), max_leaves=8
)


@given(JSONS, JSONS)
def test_common_parts_name_nothing_that_the_other_lacks(one, other):
    """What is left to compare has the same names on both sides, whatever the tables."""
    a, b = common(one, other), common(other, one)
    assert names(a, b) == names(b, a) == []


# ---------------------------------------------------------------- work


@given(st.lists(st.integers(1, 1000)))
def test_allocations_that_are_all_given_back_peak_at_their_sum(sizes):
    """The peak counts what is held at once; giving back is no request."""
    assert allocations.summary([*sizes, *(-size for size in sizes)]) == (len(sizes), sum(sizes))


def test_allocations_in_turn_peak_at_the_largest():
    """What was given back before no longer counts."""
    assert allocations.summary([100, -100, 300, -300, 200, -200]) == (3, 300)


def test_torch_tells_of_its_requests():
    """One tensor made and dropped is one request of its bytes."""
    allocations.start_events()
    made = torch.empty(1024, dtype=torch.uint8)
    del made
    assert allocations.summary(allocations.stop_events()) == (1, 1024)


def counted(run):
    seen = operators.Seen()
    with operators.census(seen):
        run()
    return seen


def test_operators_are_counted_with_their_flops_and_waits():
    """A matrix product is one operator of 2mnk FLOPs; reading a number waits for the device."""
    a, b = torch.ones(2, 3), torch.ones(3, 5)

    def run():
        return (a @ b)[0, 0].item()

    found = counted(run)
    assert found.flops == {"float32": 2 * 2 * 3 * 5}
    assert found.syncs == 1
    assert found.operators.total() == 4


def test_attention_has_flops_on_the_cpu():
    """The fused kernel counts like its two matrix products, and its backward like five."""
    q = torch.ones(1, 2, 4, 8, requires_grad=True)
    out = []
    forward = counted(lambda: out.append(torch.nn.functional.scaled_dot_product_attention(q, q, q)))
    assert forward.flops.total() == 2 * 2 * (1 * 2 * 4 * 4 * 8)
    assert forward.attention == ["aten._scaled_dot_product_flash_attention_for_cpu.default"]
    backward = counted(lambda: out[0].sum().backward())
    assert backward.flops.total() == 5 * 2 * (1 * 2 * 4 * 4 * 8)


def test_the_census_tells_dtypes_and_copies():
    """Products are told by what they are computed in; a cast is a copy."""
    a = torch.ones(4, 4)
    found = counted(lambda: (a @ a, a.bfloat16() @ a.bfloat16()))
    assert found.shares == {"bfloat16": 0.5, "float32": 0.5}
    assert found.copies == 2


@pytest.mark.parametrize(
    ("run", "draws"),
    [
        (lambda x: torch.nn.functional.dropout(x, 0.1), {"0.1": 1}),
        (lambda x: torch.nn.functional.dropout(x, 0.1, training=False), {}),
        (lambda x: torch.nn.functional.scaled_dot_product_attention(x, x, x, dropout_p=0.25), {"0.25": 1}),
        (lambda x: torch.nn.functional.scaled_dot_product_attention(x, x, x), {}),
        (lambda x: torch.ops.aten.native_dropout(x, 0.5, True), {"0.5": 1}),
        (lambda x: torch.ops.aten.native_dropout(x, 0.5, False), {}),
    ],
    ids=["on", "off", "attention", "attention off", "native", "native off"],
)
def test_dropout_is_told_as_it_is_drawn(run, draws):
    """Share and number of draws, whichever operator draws them."""
    assert counted(lambda: run(torch.ones(1, 1, 4, 8))).dropout == draws


@pytest.mark.parametrize(
    ("name", "source", "target", "waiting"),
    [
        ("aten._local_scalar_dense.default", "cuda", "cuda", True),
        ("aten._to_copy.default", "cuda", "cpu", True),
        ("aten._to_copy.default", "cpu", "cuda", False),
        ("aten._to_copy.default", "cpu", "cpu", False),
        ("aten.add.Tensor", "cuda", "cpu", False),
    ],
)
def test_only_reading_on_the_host_waits(name, source, target, waiting):
    """Copies to the device and work on it run on; a look at the result waits."""
    tensor, out = (types.SimpleNamespace(device=types.SimpleNamespace(type=kind)) for kind in (source, target))

    class Func:
        def __str__(self):
            return name

    assert operators.waits(Func(), (tensor,), out) is waiting


def test_python_calls_are_counted_by_package_and_the_profiler_is_put_back():
    """A generator's end and our own functions do not count, nor do C functions that we call."""
    import json
    import sys

    calls, before = _calls.Calls(), sys.getprofile()
    with _calls.counting(calls):
        json.dumps(1)
        invariance.ratio(1.0, 2.0)
    assert python_calls.by_package(calls)["json"] == 3
    assert "benchsuite" not in python_calls.by_package(calls)
    assert sys.getprofile() is before


def test_c_functions_are_counted_by_name():
    """As people write them, whoever's object they are of; what the suite calls itself is left out."""
    calls = _calls.Calls()
    with _calls.counting(calls):
        [].append(sorted([2, 1]))
    assert (calls.c()["list.append"], calls.c()["builtins.sorted"]) == (1, 1)
    ours = {"__name__": "benchsuite.meters.x"}
    with _calls.counting(again := _calls.Calls()):
        exec("sorted([2, 1])", ours)
    assert "builtins.sorted" not in again.c()


def test_what_is_planted_stands_in_for_a_library():
    """It counts, and no other module of ours does."""
    assert _calls.counts("benchsuite.faults.phases", ())
    assert not _calls.counts("benchsuite.scene", ())


def test_a_phase_is_counted_without_what_hangs_on_time_and_place():
    """The same act counts the same, whatever waits beside it and wherever its files lie."""
    import json
    import posixpath
    import threading

    def work():
        json.dumps({"a": [1, 2]})

    def more():
        work()
        threading.Event().set()
        posixpath.normpath("/a/b")

    plain, other = phase_calls.counted(work), phase_calls.counted(more)
    assert plain == phase_calls.counted(work)
    assert not any(name.startswith(("threading", "posixpath")) for name in other)
    assert plain["json.dumps"] == other["json.dumps"] == 1


def test_the_card_of_a_saved_adapter_counts_the_same_whatever_the_folder_of_its_model_is_called():
    """It names that folder, and yaml goes through a name letter by letter."""
    from huggingface_hub import ModelCardData

    def counted(folder):
        return phase_calls.counted(ModelCardData(base_model=folder, library_name="peft").to_yaml)

    short, long = counted("/m"), counted("/a/folder/whose/name/is/longer/m")
    assert short == long
    assert short.total() > 0


def test_functions_of_a_phase_are_named_from_a_share_on():
    """The rest would be most of a record."""
    from collections import Counter

    assert phase_calls.named(Counter(a=996, b=5, c=1)) == {"a": 996}
    assert phase_work.SHARE == phase_calls.SHARE


def test_calls_of_the_system_are_counted_by_name():
    """The clock's and the process's, but not those of Python as it looks for a package."""
    import os
    import time

    meter, finder = python_calls.PythonCallMeter(), {"__name__": "importlib._bootstrap_external", "stat": os.stat}
    with _calls.counting(meter.calls):
        os.getpid()
        time.monotonic()
        len([1])
        exec("stat('.')", finder)
    assert meter.probe(None)["count.system_calls.step"] == {"posix.getpid": 1, "time.monotonic": 1}


def test_calls_that_hang_on_where_packages_lie_are_left_out():
    """The search for packages takes as many calls as there are folders to look in."""
    meter, code = python_calls.PythonCallMeter(), invariance.ratio.__code__
    modules = {"torch.nn": 7, "importlib.util": 200, "__editable___x_finder": 4, "benchsuite.trial": 3}
    meter.calls.codes.update({(module, code): calls for module, calls in modules.items()})
    meter.calls.functions.update({(module, "list.append"): calls for module, calls in modules.items()})
    assert meter.probe(None) == {
        "count.python_calls.step": 7, "python_calls.by_package": {"torch": 7}, "count.c_calls.step": 7,
        "c_calls.by_name": {"list.append": 7}, "count.system_calls.step": {}, "count.python_calls.between": 0,
        "python_calls.between": {}, "count.c_calls.between": 0, "c_calls.between": {},
    }  # fmt: skip


def test_what_lies_between_steps_is_counted_apart_from_the_step():
    """A collection of garbage there is a call of C by its name."""
    import json

    meter = python_calls.PythonCallMeter()
    with meter.between(None):
        json.dumps(1)
        gc.collect(0)
    found = meter.probe(None)
    assert (found["count.python_calls.step"], found["python_calls.between"]["json"]) == (0, 3)
    assert found["c_calls.between"]["gc.collect"] == 1
    assert found["count.c_calls.between"] == sum(found["c_calls.between"].values())


def test_a_number_read_between_steps_is_a_wait_of_no_step():
    """As a loss that is looked at after its step."""
    meter, loss = operators.OperatorMeter(), torch.ones(1)
    with meter.between(None):
        torch.isnan(loss).item()
    found = meter.probe(types.SimpleNamespace(on_cuda=True))
    assert (found["count.syncs.between"], found["count.syncs.step"]) == (1, 0)


class Marking(_probing.SessionMeter):
    """Notes where its instruments come and go."""

    def __init__(self, marks):
        super().__init__()
        self.marks = marks

    @contextlib.contextmanager
    def around(self, what):
        """Its begin in the notes, then its end."""
        self.marks.append(what)
        yield
        self.marks.append(f"{what} ends")

    def instrument(self, scene):
        """Around a step."""
        return self.around("instrument")

    def between(self, scene):
        """Around a stretch."""
        return self.around("between")

    def probe(self, scene):
        """Nothing more."""
        return {}


SESSION = types.SimpleNamespace(trainer=None)


def test_each_meter_has_its_stretch_between_two_steps_of_the_session(monkeypatch):
    """It begins with the end of the step before, after an evaluation, and ends before the next step's instrument."""
    pytest.importorskip("transformers")
    marks = []
    monkeypatch.setattr(probe, "evaluate_some", lambda *_: marks.append("evaluation"))
    meter = Marking(marks)
    turns = probe._turns(SESSION, [meter], [meter], [meter])
    for step in range(2):
        turns.on_step_begin(None, types.SimpleNamespace(global_step=step), None)
        marks.append("step")
        turns.on_step_end(None, types.SimpleNamespace(global_step=step + 1), None)
    assert marks == ["step", "evaluation", "between", "between ends", "instrument", "step", "instrument ends"]
    assert gc.isenabled()


def test_a_stretch_that_no_step_follows_ends_with_the_training(monkeypatch):
    """The profiler is not left in place."""
    pytest.importorskip("transformers")
    marks = []
    monkeypatch.setattr(probe, "evaluate_some", lambda *_: None)
    meter = Marking(marks)
    turns = probe._turns(SESSION, [], [meter], [meter])
    turns.on_step_end(None, types.SimpleNamespace(global_step=1), None)
    turns.on_train_end()
    assert marks == ["between", "between ends"]


def test_of_a_training_only_what_lies_outside_its_steps_is_counted():
    """Whoever counts is set aside as a step begins, and is back as it ends."""
    import json

    pytest.importorskip("transformers")
    callback = phase_calls._unseen_steps()

    def train():
        json.dumps(1)
        callback.on_step_begin()
        json.dumps(2)
        callback.on_step_end()
        json.dumps(3)

    assert phase_calls.counted(train)["json.dumps"] == 2


def test_every_phase_that_is_counted_has_words_for_its_cause():
    """A count that moved would else be without a known cause."""
    assert phase_work.DOING.keys() == phase_calls.PHASES.keys()


def saved_by(layer, x):
    meter = saved_tensors.SavedTensorMeter()
    with meter.instrument(types.SimpleNamespace(model=layer)):
        layer(x).sum().backward()
    return meter.probe(None)["memory.saved_for_backward"]


def test_saved_tensors_are_counted_once_and_without_parameters():
    """A linear layer saves its input for its weight's gradient; the weight itself is no extra memory."""
    layer, x = torch.nn.Linear(8, 8), torch.ones(4, 8)
    assert saved_by(layer, x) == 4 * 8 * 4
    assert saved_by(torch.nn.Sequential(layer, torch.nn.Identity()), x) == 4 * 8 * 4


def test_recomputing_holds_less_than_keeping():
    """Under checkpointing only a segment's input is held when the forward pass ends."""
    from torch.utils.checkpoint import checkpoint

    body = torch.nn.Sequential(*(torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.GELU()) for _ in range(4)))

    class Checkpointed(torch.nn.Module):
        def forward(self, x):
            return checkpoint(body, x, use_reentrant=True)

    x = torch.ones(4, 8, requires_grad=True)
    assert saved_by(Checkpointed(), x) < saved_by(body, x) / 4


# ---------------------------------------------------------------- input


@given(st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=4), min_size=1, max_size=6))
def test_an_order_is_told_by_its_digest(drawn):
    """The same order gives the same, another order another digest."""
    one, turned = batches.order(drawn), batches.order(drawn[::-1])
    flat, back = [i for b in drawn for i in b], [i for b in drawn[::-1] for i in b]
    assert one == batches.order(drawn)
    assert (one["digest"] == turned["digest"]) == (flat == back)


def test_a_batch_is_told_by_names_dtypes_and_shapes():
    """Tensors in the order of their names."""
    batch = {"labels": torch.zeros(2, dtype=torch.int64), "input_ids": torch.zeros(2, 5, dtype=torch.int64)}
    assert batches.shape(batch) == "input_ids int64 2x5, labels int64 2"


def test_an_evaluation_loader_is_told_by_rows_shapes_and_content():
    """A row less, another order and another label each show."""
    rows = [{"input_ids": torch.tensor([i, i]), "labels": torch.tensor(i % 2)} for i in range(5)]
    whole, cut, turned = (batches.evaluation(loader(given)) for given in (rows, rows[:4], rows[::-1]))
    assert (whole["rows"], whole["batches"]) == (5, 3)
    assert whole["shapes"] == {"input_ids int64 2x2, labels int64 2": 2, "input_ids int64 1x2, labels int64 1": 1}
    assert (cut["rows"], cut["batches"]) == (4, 2)
    assert turned["shapes"] == whole["shapes"]
    assert turned["content"] != whole["content"]
    other = batches.evaluation(loader([*rows[:4], {**rows[4], "labels": torch.tensor(1)}]))
    assert other["content"]["input_ids"] == whole["content"]["input_ids"]
    assert other["content"]["labels"] != whole["content"]["labels"]


def loader(rows):
    return torch.utils.data.DataLoader(rows, batch_size=2)


# ---------------------------------------------------------------- at the model's own door


class Doubling(torch.nn.Module):
    """A model of one dropout."""

    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Dropout(0.5)

    def forward(self, *, input_ids, labels=None, scalar=None):
        """Half of the ids."""
        return self.inner(input_ids.half())


def test_what_a_model_receives_is_seen_with_its_mode():
    """Rows of tensors by name, the mode of modules and gradients, dtypes in and out; hooks do not stay."""
    seen, model = _watch.Watch(), Doubling().eval()
    given = {"input_ids": torch.ones(2, 3), "labels": torch.tensor([0, 1])}
    with seen.on(model), torch.no_grad():
        model(**given, scalar=torch.tensor(2))
    assert [sorted(batch) for batch in seen.batches] == [["input_ids", "labels"]]
    assert seen.modes == {"trains": False, "gradients": False, "autocast": "off"}
    assert seen.dtypes == {"Dropout": ["float16 -> float16"]}
    model(**given)
    assert len(seen.batches) == 1


@pytest.mark.parametrize(
    ("turn", "told"),
    [(lambda model: model.train(), True), (lambda model: model.inner.train(), "some modules")],
    ids=["all", "some"],
)
def test_training_mode_that_was_left_on_is_told(turn, told):
    """Of all modules or of some."""
    model = Doubling().eval()
    turn(model)
    assert _watch.mode(model)["trains"] == told


def test_autocast_is_told_as_the_layers_see_it():
    """Switched on behind the model's door, or on for a part of its layers."""
    assert _watch.autocast("cpu") == "off"
    with torch.autocast("cpu", torch.bfloat16):
        assert _watch.autocast("cpu") == "bfloat16"
        assert _watch.autocast("cpu", "off") == "bfloat16, off"
    assert _watch.autocast("cpu", "bfloat16, off") == "bfloat16, off"


def test_cross_entropy_is_torchs_own():
    """Written out, so that a changed one of torch's is seen."""
    logits, labels = torch.randn(5, 3), torch.tensor([0, 1, 2, 0, 1])
    wanted = torch.nn.functional.cross_entropy(logits.double(), labels)
    assert _watch.cross_entropy(logits, labels) == pytest.approx(float(wanted), rel=1e-12)


LOSSES = {
    "plain": (torch.nn.functional.cross_entropy, 1.0, 1.0, False),
    "sum": (lambda x, y: torch.nn.functional.cross_entropy(x, y, reduction="sum"), 4.0, 4.0, False),
    "smoothed": (lambda x, y: torch.nn.functional.cross_entropy(x, y, label_smoothing=0.2), None, None, True),
}


@pytest.mark.parametrize(("loss", "times", "gradient", "rest"), LOSSES.values(), ids=LOSSES)
def test_a_gradient_is_held_against_plain_cross_entropy(loss, times, gradient, rest):
    """A factor is told as one, and what is no multiple as a rest."""
    logits = torch.tensor([[1.0, 0.0], [0.2, 0.1], [3.0, -1.0], [0.0, 0.5]], requires_grad=True)
    labels = torch.tensor([0, 1, 0, 0])
    value = loss(logits, labels)
    logits.retain_grad()
    value.backward()
    found = gradients.against(labels=labels, logits=logits, loss=value)
    assert (found["rest"] > 0.01) == rest
    if times:
        assert (found["loss"], found["gradient"]) == pytest.approx((times, gradient), abs=1e-3)


def test_a_gradient_without_labels_cannot_be_told():
    """Nothing, rather than a number."""
    told = gradients.against(labels=None, logits=torch.ones(1, 2), loss=torch.tensor(1.0))
    assert set(told.values()) == {None}


def test_a_gradient_that_reached_no_logits_cannot_be_told():
    """Nothing, where every forward pass of the step ran without gradients."""
    told = gradients.against(labels=torch.tensor([1]), logits=None, loss=torch.tensor(1.0))
    assert set(told.values()) == {None}


def test_a_batch_given_twice_in_a_row_counts_once():
    """A second pass over the same rows is no other input; another batch, or the same one later, is."""
    one, two = ({"ids": torch.tensor([[number]])} for number in (1, 2))
    assert [batch["ids"].item() for batch in _watch.once([one, one, two, one])] == [1, 2, 1]
    assert _watch.once([]) == []


def test_gradients_are_told_where_they_stand():
    """None, zero, left over; and at the update by dtype."""
    bare, zero, left = (torch.nn.Parameter(torch.ones(2)) for _ in range(3))
    zero.grad, left.grad = torch.zeros(2), torch.ones(2)
    assert [gradients.standing(p) for p in (bare, zero, left)] == ["none", "zero", "left over"]
    assert gradients.dtypes([bare, zero, left]) == {"float32": 2, "none": 1}


# ---------------------------------------------------------------- updates


def trained(steps=3, skip=False, **settings):
    """An AdamW that has made some steps on two tensors, of which one may have missed the last."""
    tensors = [torch.nn.Parameter(torch.linspace(0.1, 0.5, 4)) for _ in range(2)]
    optimizer = torch.optim.AdamW([{"params": tensors[:1]}, {"params": tensors[1:], "weight_decay": 0.0}], **settings)
    for step in range(steps):
        for i, tensor in enumerate(tensors):
            tensor.grad = None if skip and i and step == steps - 1 else torch.ones(4)
        optimizer.step()
    return optimizer


def test_updates_are_counted_by_tensor():
    """A tensor that got no gradient missed the update, whatever the step counter says."""
    assert updates.applied(trained()) == {"3": 2}
    assert updates.applied(trained(skip=True)) == {"2": 1, "3": 1}
    assert updates.applied(trained(steps=1, skip=True)) == {"0": 1, "1": 1}
    assert updates.applied(torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1)) == {"untold": 1}


@pytest.mark.parametrize("settings", [{}, {"fused": True}, {"foreach": True}, {"betas": (0.8, 0.9), "eps": 1e-4}])
def test_adamw_obeys_its_formula_and_is_left_as_it_was(settings):
    """Every implementation and setting of it; weights and settings are put back."""
    optimizer = trained(weight_decay=0.01, **settings)
    before = [(g["lr"], g["weight_decay"], g["params"][0].detach().clone()) for g in optimizer.param_groups]
    assert updates.formula(optimizer) == pytest.approx({"group 0": 0.0, "group 1": 0.0}, abs=1e-4)
    for group, (rate, decay, value) in zip(optimizer.param_groups, before, strict=True):
        assert (group["lr"], group["weight_decay"]) == (rate, decay)
        assert torch.equal(group["params"][0], value)


@pytest.mark.parametrize("settings", [{}, {"fused": True}, {"foreach": True}])
def test_adamw_obeys_its_formula_on_weights_that_lie_column_by_column(settings):
    """The gradients that are given lie as the weights do, as those of a backward pass would."""
    weight = torch.nn.Parameter(torch.linspace(0.1, 0.5, 12).view(3, 4).t())
    assert not weight.is_contiguous()
    assert updates.formula(torch.optim.AdamW([weight], **settings)) == {"group 0": pytest.approx(0.0, abs=5e-5)}


def test_weights_that_lie_otherwise_than_row_by_row_are_told_with_their_strides():
    """Of a layer whose weights lie row by row nothing is said."""
    layer = torch.nn.Linear(4, 3)
    assert "strided" not in model_map.modules(layer)[""]
    layer.weight.data = layer.weight.data.t().contiguous().t()
    assert model_map.modules(layer)[""]["strided"] == {"weight": [1, 3]}


def test_decay_that_is_coupled_is_no_adamw():
    """Decay that goes through the moments is seen in the group that decays, and only there."""
    optimizer = trained(weight_decay=0.01)
    for group in optimizer.param_groups:
        group["decoupled_weight_decay"] = False
    found = updates.formula(optimizer)
    assert found["group 0"] > 0.01
    assert found["group 1"] == pytest.approx(0.0, abs=1e-4)


def test_other_optimizers_have_no_formula_here():
    """What is not known is not judged."""
    assert updates.formula(torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1)) == {}


# ---------------------------------------------------------------- the model in 64 bits, and its file


def test_layers_without_parameters_are_told_by_class_and_answers():
    """Activations and dropouts, not containers; another formula under the same name shows."""
    body = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.GELU(), torch.nn.Dropout(0.1), torch.nn.ModuleDict())
    found = dict(twin.bare_leaves(body.eval()))
    assert twin.classes(found.values()) == {"Dropout": 1, "GELU": 1}
    exact = twin.answers(found.values(), "cpu")
    near = twin.answers([torch.nn.GELU(approximate="tanh")], "cpu")
    assert exact["Dropout"] == list(twin.POINTS)
    assert max(abs(a - b) for a, b in zip(exact["GELU"], near["GELU"], strict=True)) > 1e-4


def test_what_wants_another_input_has_no_answers():
    """A loss takes two arguments and is left out."""
    assert twin.answers([torch.nn.CrossEntropyLoss()], "cpu") == {}


def test_widening_dequantises_and_fixes_what_was_drawn():
    """A 4-bit layer becomes the plain one of its values; what no file holds is the same however it was drawn."""
    import bitsandbytes as bnb

    packed = bnb.nn.Linear4bit(64, 8, bias=True, quant_type="nf4").to("cpu")
    wanted = bnb.functional.dequantize_4bit(packed.weight.data, packed.weight.quant_state).double()
    heads = [torch.nn.Linear(8, 2) for _ in range(2)]
    found = [twin.widened(torch.nn.Sequential(packed, head), ["1.weight", "1.bias"]) for head in heads]
    assert type(found[0][0]) is torch.nn.Linear
    assert torch.equal(found[0][0].weight, wanted)
    assert torch.equal(found[0][1].weight, found[1][1].weight)
    assert {p.dtype for p in found[0].parameters()} == {torch.float64}


class Answer(torch.nn.Module):
    """Two layers whose backward pass multiplies by `times`, as a broken one would."""

    def __init__(self, times=1.0):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last, self.times = torch.nn.Linear(4, 4), torch.nn.Linear(4, 2), times

    def forward(self, inputs):
        """Logits."""
        hidden = self.first(inputs)
        kept = hidden * self.times + (hidden * (1 - self.times)).detach()
        return types.SimpleNamespace(logits=self.last(kept))


@pytest.mark.parametrize(("times", "off"), [(1.0, 0.0), (0.5, 0.5), (0.0, 1.0)])
def test_a_backward_pass_that_loses_gradients_is_off_by_as_much(times, off):
    """The forward pass is the same in all; the first layer's gradients are not."""
    inputs = {"inputs": torch.linspace(-1, 1, 8).view(2, 4)}
    names = twin.sample(["first.weight", "last.weight"])
    own = twin.gradients(Answer(times), inputs, names)
    wanted = twin.gradients(Answer().double(), {"inputs": inputs["inputs"].double()}, names)
    assert twin.farthest(own, wanted) == pytest.approx({"largest": off, "tensors": 2}, abs=1e-4)


def test_rounding_is_no_gradient():
    """Where none is due, as of a key's bias, distance is told by the largest gradient; a real one there shows."""
    wanted = {"weight": torch.ones(4, dtype=torch.float64), "key.bias": torch.full((4,), 1e-18, dtype=torch.float64)}
    rounded, wrong = ({"weight": torch.ones(4), "key.bias": torch.full((4,), size)} for size in (1e-8, 0.5))
    assert twin.farthest(rounded, wanted) == {"largest": 0.0, "tensors": 2}
    assert twin.farthest(wrong, wanted)["largest"] > 1


def test_fixed_values_are_taken_back():
    """What was drawn is as it was, to the bit."""
    layer = torch.nn.Linear(3, 2)
    before = layer.weight.detach().clone()
    with twin.fixed(layer, ["weight"]):
        assert not torch.equal(layer.weight, before)
    assert torch.equal(layer.weight, before)


def test_a_sample_is_spread_evenly():
    """All where they are few, and never more than asked for."""
    names = [str(i) for i in range(100)]
    assert twin.sample(names[:3]) == names[:3]
    assert twin.sample(names, 24) == names[::5]


@pytest.mark.parametrize(
    ("turn", "kept"),
    [
        (lambda t: t, True),
        (lambda t: t.half(), True),
        (lambda t: t.bfloat16().float(), False),
        (lambda t: t + 1e-6, False),
        (lambda t: t[:5], False),
    ],
    ids=["same", "cast", "rounded", "moved", "cut"],
)
def test_a_saved_tensor_is_some_tensor_of_the_model(turn, kept):
    """Its values exactly, or cast to the dtype that the model holds them in."""
    tensor = torch.linspace(-1, 1, 11)
    known = frozenset({saved_values.bits(turn(tensor)), saved_values.bits(torch.ones(3))})
    assert saved_values.equals(tensor, known) == kept


def test_the_tokenizer_is_told_by_content():
    """Class without its speed, vocabulary by digest, the steps around it as they are."""
    from transformers import AutoTokenizer

    from benchsuite.checkpoints import EMBEDDED_FOLDER

    found = inputs.tokenizer(AutoTokenizer.from_pretrained(EMBEDDED_FOLDER))
    assert (found["class"], found["size"], found["normalizer"]["type"]) == ("BertTokenizer", 194, "BertNormalizer")


# ---------------------------------------------------------------- model and weights


@pytest.mark.parametrize(
    ("file", "held", "expected"),
    [
        (("bert.a.weight",), ("bert.a.weight", "classifier.weight"), {"bert.a.weight": "bert.a.weight"}),
        (("a.weight",), ("bert.a.weight",), {"a.weight": "bert.a.weight"}),
        (("bert.n.gamma", "n.beta"), ("bert.n.weight", "bert.n.bias"),
         {"bert.n.gamma": "bert.n.weight", "n.beta": "bert.n.bias"}),
        (("cls.decoder.weight",), ("bert.a.weight",), {}),
        (("gamma",), ("bert.weight",), {}),
    ],
)  # fmt: skip
def test_names_of_a_file_are_found_in_the_model(file, held, expected):
    """With and without the base model's prefix, and by the old names of LayerNorm's tensors."""
    assert weights.match(file, dict.fromkeys(held), "bert") == expected


def test_loaded_weights_equal_the_file_in_their_own_dtype():
    """Casting is no difference; one element that moved is."""
    tensor = torch.linspace(-1, 1, 64).view(8, 8)
    assert not weights.differs(tensor, torch.nn.Parameter(tensor.half()))
    moved = tensor.clone()
    moved[3, 3] += 1e-3
    assert weights.differs(tensor, torch.nn.Parameter(moved))
    assert weights.differs(tensor, torch.nn.Parameter(tensor[:4].clone()))


@pytest.mark.parametrize("scale", [0.02, 1.0])
@pytest.mark.parametrize("double", [True, False])
@pytest.mark.parametrize("kind", ["nf4", "fp4"])
def test_quantised_weights_lie_within_what_the_format_can_miss(kind, double, scale):
    """4-bit weights of a tensor pass; those of the tensor redrawn do not."""
    from bitsandbytes.functional import quantize_4bit

    torch.manual_seed(0)
    tensor, other = torch.randn(128, 192) * scale, torch.randn(128, 192) * scale
    packed, state = quantize_4bit(tensor, quant_type=kind, compress_statistics=double)
    parameter = types.SimpleNamespace(data=packed, quant_state=state)
    assert not weights.differs(tensor, parameter)
    assert weights.differs(other, parameter)


def test_a_digest_sees_values_dtype_and_shape():
    """Equal tensors agree; any of the three that moves shows."""
    one = torch.arange(6.0)
    same, *others = one.clone(), one.half(), one.view(2, 3), one + 1
    assert weights.digest(one) == weights.digest(same)
    assert len({weights.digest(t) for t in (one, *others)}) == 4
    assert len(weights.digest(torch.tensor(1.0, dtype=torch.bfloat16))) == 16


def test_constants_of_quantised_weights_are_summed_with_their_own():
    """Bytes of absmax, and of what double quantisation puts in place of more of them."""
    from bitsandbytes.functional import quantize_4bit

    def model(*, double):
        parameter = torch.nn.Parameter(torch.zeros(1))
        _, parameter.quant_state = quantize_4bit(torch.ones(64, 64), quant_type="nf4", compress_statistics=double)
        return types.SimpleNamespace(parameters=lambda: [parameter])

    assert model_map.quantised_bytes(model(double=False)) == {"absmax": 64 * 4, "nested": 0}
    assert model_map.quantised_bytes(model(double=True)) == {"absmax": 64, "nested": 4}


def test_the_map_holds_an_adapters_factor_and_not_an_attentions():
    """An adapter's factor is a table by adapter; attention modules have a plain number of that name."""
    layer = torch.nn.Module()
    layer.scaling = {"default": 2.0}
    attention = torch.nn.Module()
    attention.scaling = 0.125
    found = model_map.modules(torch.nn.ModuleDict({"lora": layer, "attention": attention}))
    assert found == {"lora": {"class": "Module", "scaling": {"default": 2.0}}}


def test_what_was_loaded_is_told_by_dtype_and_bytes():
    """Half a model in half precision: elements by dtype, bytes with buffers, and the map of modules."""
    model = torch.nn.ModuleDict({"a": torch.nn.Linear(2, 2), "b": torch.nn.LayerNorm(4).half()})
    model.register_buffer("ids", torch.zeros(3, dtype=torch.int64))
    found = model_map.loaded(model)
    assert found["model.dtypes.loaded"] == {"float16": 8, "float32": 6}
    assert found["model.bytes.loaded"] == 8 * 2 + 6 * 4 + 3 * 8
    assert found["model.modules.loaded"]["b"] == {"class": "LayerNorm", "dtype": "float16", "trains": True, "eps": 1e-5}


@pytest.mark.parametrize(
    ("turn", "told"),
    [
        (lambda m: m.eval(), "evaluation"), (lambda m: m, "training"),
        (lambda m: m[0].eval(), "2 of 3 modules in training"),
    ],
)  # fmt: skip
def test_the_mode_of_a_model_is_told(turn, told):
    """In a word, and by number where its modules do not agree."""
    model = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Linear(1, 1))
    turn(model)
    assert model_map.mode(model) == told


def test_builds_with_nothing_pinned_are_told_with_their_mode():
    """Of stages that leave a model; what a stage says in words has none."""
    made = {"plain": scenarios.stages((("loaded", lambda _: tiny()), ("run", lambda _: "ran")))}
    assert scenarios.modes(made) == {"plain": {"loaded": "evaluation"}}


def tiny():
    """The embedded model, as it is handed over."""
    from benchsuite.checkpoints import EMBEDDED_FOLDER

    return scenarios.load(EMBEDDED_FOLDER)


# ---------------------------------------------------------------- function


def test_stripping_leaves_what_the_mask_keeps():
    """Padding goes, on whichever side it is."""
    batch = {"input_ids": [[1, 2, 0], [0, 3, 4]], "attention_mask": [[1, 1, 0], [0, 1, 1]]}
    assert function.strip(batch) == {"input_ids": [[1, 2], [3, 4]], "attention_mask": [[1, 1], [1, 1]]}


@pytest.mark.parametrize(("missed", "apart"), [(0.0, 0.0), (0.5, 0.5)])
def test_each_example_is_asked_without_a_mask_too(monkeypatch, missed, apart):
    """By itself and as it is but for the mask; a model that needs one answers otherwise."""

    class Needs(torch.nn.Module):
        def forward(self, input_ids, attention_mask=None):
            off = missed if attention_mask is None else 0.0
            return types.SimpleNamespace(logits=input_ids.float().sum(-1, keepdim=True) + off)

    rows = {"input_ids": [[1, 2], [3, 4]], "attention_mask": [[1, 1], [1, 1]]}

    def pad(batch, **_):
        return {name: torch.tensor(values) for name, values in batch.items()}

    scene = types.SimpleNamespace(
        tokenizer=types.SimpleNamespace(pad=pad), device="cpu", plan=types.SimpleNamespace(autocast="")
    )
    monkeypatch.setattr(function, "examples", lambda _: rows)
    with_mask, without = (function.unpadded(scene, Needs(), masked=masked) for masked in (True, False))
    assert with_mask.tolist() == [[3.0], [7.0]]
    assert function.drift(with_mask, without) == apart


def test_evaluating_leaves_every_module_as_it_was():
    """A part that was frozen in evaluation mode stays so."""
    model = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Dropout())
    model.train()
    model[1].eval()
    with function.evaluating(model):
        assert not any(m.training for m in model.modules())
    assert [m.training for m in model.modules()] == [True, True, False]


def test_drift_is_the_largest_distance():
    """In whichever direction."""
    assert function.drift(torch.tensor([1.0, 2.0]), torch.tensor([1.5, -1.0])) == 3.0


# ---------------------------------------------------------------- optimisation


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(4.0, 1.0, 4.0), (1.0, 0.0, None), (math.nan, 1.0, None), (None, 1.0, None), (1.0, None, None)],
)
def test_a_ratio_is_a_number_or_nothing(part, whole, expected):
    """Zero, NaN and absent values make no ratio."""
    assert invariance.ratio(part, whole) == expected


@pytest.mark.parametrize(("filled", "whole"), [(4, 16), (2, 8)])
def test_a_group_is_held_against_one_batch_of_the_rows_it_has(filled, whole):
    """Of all its small batches, or of the few that a last group gets; no gradient is left."""
    asked = []

    def trainer(arguments):
        batch, parts = arguments["per_device_train_batch_size"], arguments["gradient_accumulation_steps"]
        asked.append((batch, parts))
        log = [{"loss": float(parts), "grad_norm": 3.0}]
        return types.SimpleNamespace(train=lambda: None, state=types.SimpleNamespace(log_history=log))

    model = torch.nn.Linear(1, 1)
    model.weight.grad = torch.ones(1, 1)
    assert invariance.measure(model, trainer, 16, filled) == {"loss_ratio": 4.0, "grad_norm_ratio": 1.0}
    assert asked == [(whole, 1), (4, 4)]
    assert model.weight.grad is None


def test_a_steady_model_stays_in_evaluation_until_it_is_let_go():
    """A Trainer's wish to train is not heard inside, and the mode comes back after."""
    model = torch.nn.Linear(2, 2)
    with invariance.steady(model):
        assert not model.train().training
    assert model.training
    assert model.eval().training is False


def test_the_norm_is_over_all_gradients():
    """Parameters without a gradient add nothing."""
    one, two, three = (torch.nn.Parameter(torch.zeros(2)) for _ in range(3))
    one.grad, two.grad = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 4.0])
    assert clipping.norm([one, two, three]) == pytest.approx(5.0)
    assert clipping.norm([three]) == 0.0


def test_generators_are_told_by_their_states():
    """Reading draws nothing; drawing from one shows in that one."""
    first = rng.states(cuda=False)
    assert rng.states(cuda=False) == first
    torch.rand(1)
    second = rng.states(cuda=False)
    assert [name for name in first if first[name] != second[name]] == ["torch"]


def test_arguments_are_plain_values_without_places():
    """Where files go is no argument of training; what JSON lacks becomes text."""
    made = {
        "output_dir": "/x",
        "lr": 0.1,
        "betas": (0.9, 0.99),
        "kind": Outcome.OK,
        "set": {"b", "a"},
        "what": torch.float16,
    }
    found = arguments.table(types.SimpleNamespace(to_dict=lambda: made))
    assert found == {"betas": [0.9, 0.99], "kind": "ok", "lr": 0.1, "set": ["a", "b"], "what": "torch.float16"}


# ---------------------------------------------------------------- memory, precision, stack


def test_a_module_kept_alive_is_counted_and_a_bare_function_is_not():
    """Parameters and parts count; what is neither is a library's constant."""
    before = live_objects.census()
    kept, idle = torch.nn.Linear(4, 4), torch.nn.GELU()
    after = live_objects.census()
    assert after["memory.live_modules"] - before["memory.live_modules"] == 1
    assert after["memory.live_tensors"] - before["memory.live_tensors"] == (16 + 4) * 4
    assert (kept, idle) is not None


def test_tensors_are_held_once_training_has_returned():
    """Bytes of what is alive then, each storage once."""
    meter, scene = live_objects.LiveObjectMeter(), types.SimpleNamespace(case=make_case())
    before = meter.stop(Phase.TRAIN, scene)["memory.held.train"].value
    kept = torch.zeros(256)
    views = [kept[:128], kept[128:]]
    assert meter.stop(Phase.TRAIN, scene)["memory.held.train"].value - before == 1024
    assert len(views) == 2


def test_what_training_leaves_otherwise_is_told_by_module():
    """Modules by name with what each was; hooks and gradients by number; nothing of a model that stays as it is."""
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout(0.1))
    model.config = types.SimpleNamespace(_attn_implementation="sdpa")
    before = model_map.state(model)
    assert model_map.otherwise(before, model_map.state(model)) == {}
    model[1].p = 0.15
    model[0].register_forward_hook(lambda *_: None)
    model[0].weight.grad = torch.zeros(2, 2)
    assert model_map.otherwise(before, model_map.state(model)) == {
        "model.modules 1 dropout": "0.1 -> 0.15", "hooks": "0 -> 1", "gradients": "0 -> 1",
    }  # fmt: skip


def test_bits_of_a_log_are_all_but_its_times():
    """Any figure's last bit counts, and no time does."""
    log = [{"loss": 0.3, "step": 1}, {"eval_loss": 0.2, "eval_runtime": 1.0, "eval_samples_per_second": 9.0}]
    slower = [log[0], {**log[1], "eval_runtime": 2.0, "eval_samples_per_second": 4.5}]
    other = [{**log[0], "loss": math.nextafter(0.3, 1)}, log[1]]
    assert curves.bits(log) == curves.bits(slower) != curves.bits(other)


def test_threads_set_after_torch_started_are_no_hardware():
    """They are told as such, and what the record names as hardware stays what torch started with."""
    started = environment.threads()
    torch.set_num_threads(started + 1)
    try:
        (found,) = thread_count.ThreadCountMeter().stop(Phase.TRAIN, None).values()
        hardware = environment.describe(Device.CPU, "m").hardware
    finally:
        torch.set_num_threads(started)
    assert found.value == f"{started} -> {started + 1}"
    assert hardware["threads"] == started
    assert thread_count.ThreadCountMeter().stop(Phase.TRAIN, None)["model.threads"].value == "as torch started"


def test_threads_that_others_started_are_told_without_numbers():
    """Of a pool one name; neither our own, nor what is no Python thread, nor the main one."""
    ended = threading.Event()
    wait = functools.partial(ended.wait)
    ours = threading.Thread(target=process.left, name="ours")
    others = [threading.Thread(target=wait, name=name) for name in ("poll", "Pool-0_1", "Pool-0_2", "Thread-7 (work)")]
    assert process.names([threading.main_thread(), ours, *others]) == ["Pool", "Thread (work)", "poll"]


def test_garbage_that_nobody_collects_any_more_is_told():
    """As it is when training ends."""
    gc.disable()
    try:
        found = process.left()
    finally:
        gc.enable()
    assert found["collects"] is False
    assert process.ProcessMeter().stop(Phase.TRAIN, None)["trainer.process"].value["collects"] is True


def test_flushed_denormals_are_seen_by_what_becomes_of_one():
    """And a baseline from before it was asked is none that differs."""
    before = precision.flags()
    assert before["flushes_denormals"] is False
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot")
    try:
        now = precision.flags()
    finally:
        torch.set_flush_denormal(False)
    assert now["flushes_denormals"] is True
    older = {name: value for name, value in before.items() if name != "flushes_denormals"}
    assert [VALUES(TABLE, (Measured(value=side),), (Measured(value=now),)).outcome for side in (before, older)] == [
        Outcome.CHANGED, Outcome.OK,
    ]  # fmt: skip


def test_precision_flags_follow_torch():
    """A switch that is thrown shows; one that torch lacks is absent, not a crash."""
    before = precision.flags()
    torch.set_float32_matmul_precision("high")
    try:
        after = precision.flags()
    finally:
        torch.set_float32_matmul_precision("highest")
    assert before["get_float32_matmul_precision"] == "highest"
    assert after["get_float32_matmul_precision"] == "high"
    assert precision._read("no.such.switch", call=False) == precision.ABSENT
    assert precision.ABSENT not in before.values()


def test_variables_hide_folders_and_secrets():
    """Only what changes numbers or memory is kept, and no value that holds a folder."""
    environ = {"OMP_NUM_THREADS": "2", "TORCH_HOME": "/a/b", "TORCH_TOKEN": "x", "HOME": "/a", "HF_TOKEN": "y"}
    assert stack.variables(environ) == {"OMP_NUM_THREADS": "2", "TORCH_HOME": "set"}


def test_tokenizers_are_no_secret():
    """A variable that begins like one is told; one that is one is not, whoever's."""
    environ = {"TOKENIZERS_PARALLELISM": "false", "TRANSFORMERS_TOKEN": "x", "HF_TOKEN": "x", "ACCELERATE_API_KEY": "x"}
    assert stack.variables(environ) == {"TOKENIZERS_PARALLELISM": "false"}


def test_modules_are_counted_by_package():
    """Under the top-level name, without our own."""
    assert stack.imported(("torch", "torch.nn", "os", "benchsuite.x")) == {"os": 1, "torch": 2}


def test_packages_that_matter_are_kept():
    """The guarded libraries and what computes for them."""
    installed = {"torch": "1", "nvidia-cublas-cu12": "2", "black": "3", "numpy": "4"}
    assert stack.mattering(installed) == {"torch": "1", "nvidia-cublas-cu12": "2", "numpy": "4"}


# ---------------------------------------------------------------- defaults

WHAT = object()


def test_defaults_are_read_from_a_signature():
    """Parameters without a default and those that name places are left out."""

    def build(model, *, r=8, output_dir="x", how=Outcome.OK, kind=torch.nn.Linear, many=(1, 2), what=WHAT):
        return model, r, output_dir, how, kind, many, what

    found = signatures.defaults(build)
    assert found == {"r": 8, "how": "ok", "kind": "Linear", "many": [1, 2], "what": "<object object>"}


def test_names_of_parameters_stand_apart_from_their_values():
    """A crash has no names."""
    tables = {"f": {"b": 1, "a": 2}, "g": "crash: ImportError: x"}
    assert signatures.names(tables, {"h": {"c": 3}}) == {"f": ["a", "b"], "g": [], "h": ["c"]}


def test_what_a_factory_makes_is_the_default():
    """A dataclass's signature says only that there is a factory."""

    @dataclasses.dataclass
    class Config:
        rank: int = 8
        skipped: list[str] = dataclasses.field(default_factory=lambda: ["head"])
        peft_version: str = "1"

    assert signatures.defaults(Config) == {"rank": 8, "skipped": ["head"]}


def test_a_default_is_what_takes_effect(monkeypatch):
    """However a release writes it: null that becomes False is False, and stands as written only in the explanation."""
    import transformers

    class TrainingArguments:
        def __init__(self, output_dir, checkpointing=None, trackio_space_id="x"):
            self.held = {"output_dir": output_dir, "checkpointing": bool(checkpointing), "trackio_space_id": "x"}

        def to_dict(self):
            return self.held

    monkeypatch.setattr(transformers, "TrainingArguments", TrainingArguments)
    table = signatures.table("work")
    assert table["TrainingArguments()"] == {"checkpointing": False}
    assert "TrainingArguments" not in table
    assert signatures.written()["TrainingArguments"] == {"checkpointing": None}


def test_the_tables_of_defaults_are_stable(tmp_path):
    """Asked twice, the stack says the same, and nothing of it names a memory address or the folder."""
    import json

    first, second = (json.dumps(signatures.table(str(tmp_path / name))) for name in ("a", "b"))
    assert first == second
    assert "0x" not in first
    assert "crash" not in first
