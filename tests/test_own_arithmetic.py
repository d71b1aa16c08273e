"""Meters that hold a stack against its own 64-bit arithmetic: gradients, rounding, dropout, and what updates make."""

import math
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite import compat, registry
from benchsuite.meters import (
    _training,
    attention_dropout,
    dropout_scale,
    gradients,
    twin,
    twin_backward,
    uncheckpointed,
    unclipped,
    updates,
)
from benchsuite.nouns import Outcome, Role

torch = pytest.importorskip("torch")

GATES = (
    "function.exact.training",
    "optimizer.backward.exact", "optimizer.backward.own", "optimizer.backward.recomputed", "function.rounding",
    "model.dropout.scale", "model.dropout.attention", "optimizer.gradients.kept", "optimizer.formula",
    "optimizer.formula.late", "optimizer.formula.moments", "optimizer.state",
)  # fmt: skip


@pytest.mark.parametrize("name", GATES)
def test_own_arithmetic_is_a_gate_on_an_upgrade_too(name):
    """Nothing of it depends on versions: what is wrong is wrong on any."""
    metric = registry.metrics()[name]
    assert (metric.role, metric.same_stack) == (Role.GATE, False)


# ---------------------------------------------------------------- training of one's own


class Small(torch.nn.Module):
    """Embeds, drops out, answers; its attention's share is a plain number, as transformers has it."""

    def __init__(self, wrong=1.0):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.drop, self.last = torch.nn.Embedding(8, 6), torch.nn.Dropout(0.5), torch.nn.Linear(6, 2)
        self.attention_dropout, self.config = 0.25, types.SimpleNamespace(hidden_dropout_prob=0.1, layers=2)
        self.gradient_checkpointing = False
        self.wrong = wrong

    def forward(self, input_ids, attention_mask=None, labels=None, **_):
        """Loss, logits and hidden states; `wrong` multiplies what goes back to the embeddings."""
        hidden = self.drop(self.first(input_ids))
        kept = hidden * self.wrong + (hidden * (1 - self.wrong)).detach()
        logits = self.last(kept.mean(1))
        loss = None if labels is None else torch.nn.functional.cross_entropy(logits, labels)
        return types.SimpleNamespace(loss=loss, logits=logits, hidden_states=(hidden,))


INPUTS = {"input_ids": torch.arange(24).view(8, 3) % 8, "attention_mask": torch.ones(8, 3, dtype=torch.int64)}


def scene(model, **more):
    """What the meters look at."""
    return types.SimpleNamespace(
        model=model, device="cpu", on_cuda=False, labels=("no", "yes"), plan=types.SimpleNamespace(autocast=""), **more
    )


def test_dropout_keeps_all_wherever_it_is_written_and_is_put_back():
    """Modules, plain numbers and configurations; what is no share stays."""
    model = Small()
    with _training.keeping_all(model, 1e-12):
        found = model.drop.p, model.attention_dropout, model.config.hidden_dropout_prob, model.config.layers
        assert found == (1e-12, 1e-12, 1e-12, 2)
    assert (model.drop.p, model.attention_dropout, model.config.hidden_dropout_prob) == (0.5, 0.25, 0.1)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_dropout_that_keeps_all_takes_its_way_and_drops_nothing(dtype):
    """Of a million ones, in every precision that trains."""
    found = torch.nn.functional.dropout(torch.ones(1_000_000, dtype=dtype), _training.KEEPING)
    assert float((found - 1).abs().max()) < 1e-9


def test_gradients_are_had_as_training_has_them_and_leave_nothing_behind():
    """Random generators, modes and gradients are as they were; what a tensor did not get is zero."""
    model = Small().eval()
    model.last.bias.requires_grad_(requires_grad=False)
    before = torch.get_rng_state()
    with _training.apart_from_chance(scene(model)), _training.training(model):
        found = _training.learnt(model, _training.batch(scene(model), INPUTS))
    assert found.keys() == {"first.weight", "last.weight"}
    assert float(found["first.weight"].norm()) > 0
    assert torch.equal(torch.get_rng_state(), before)
    assert not model.training
    assert all(p.grad is None for p in model.parameters())


def test_labels_take_turns_and_do_not_balance():
    """The first is the most frequent, so that a head's bias has a gradient worth comparing."""
    found = _training.batch(scene(Small()), INPUTS)["labels"].tolist()
    assert found == [0, 1, 0, 0, 1, 0, 0, 1]


numbers = st.floats(-10, 10).filter(lambda number: abs(number) > 1e-3)


@given(st.lists(numbers, min_size=1, max_size=8), st.floats(0, 3))
def test_a_gradient_that_is_scaled_is_told_as_so_many_times_the_wanted_one(values, times):
    """Its distance is that from one, and so is what a verdict would see."""
    wanted = {"a": torch.tensor(values, dtype=torch.float64)}
    ((share, off),) = _training.distances({"a": wanted["a"] * times}, wanted).values()
    assert share == pytest.approx(times, abs=1e-9)
    assert off == pytest.approx(abs(times - 1), abs=1e-9)


@given(st.dictionaries(st.text(max_size=2), st.tuples(numbers, st.floats(0, 2) | st.just(math.nan)), min_size=1))
def test_what_is_furthest_off_is_never_nearer_than_most(found):
    """And a tensor that is not a number is the furthest of all."""
    told = _training.summary(found)
    if any(math.isnan(off) for _, off in found.values()):
        assert math.isnan(told["largest"])
    else:
        assert told["largest"] >= told["typical"]


def test_where_nothing_trains_nothing_is_told():
    """Nulls, not an error."""
    assert _training.summary({}) == {"largest": None, "typical": None}


# ---------------------------------------------------------------- the twin's gradients


def told(model, twin):
    """What is said of a model's gradients against a twin's."""
    own, wanted = (twin_backward.trained(scene(m), m, INPUTS) for m in (model, twin))
    return _training.distances(own, wanted)


def test_gradients_of_32_bits_are_those_of_64_but_for_rounding():
    """Of every tensor, in training mode."""
    found = told(Small(), Small().double())
    assert found.keys() == {"first.weight", "last.weight", "last.bias"}
    assert max(off for _, off in found.values()) < 1e-6
    assert _training.standing_out(found) == {}


def test_a_gradient_that_only_the_own_precision_halves_is_named():
    """The tensor, how many times the wanted gradient it has, and how far off that is."""
    found = told(Small(wrong=0.5), Small().double())
    assert _training.standing_out(found) == {"first.weight": [0.5, 0.5]}
    assert _training.summary(found)["largest"] == pytest.approx(0.5)


def test_sizes_of_gradients_tell_one_that_is_lost_from_the_rest():
    """Shares of the norm of all, and that norm."""
    whole, part = (
        twin_backward.told_by_size(twin_backward.trained(scene(m), m, INPUTS))
        for m in (Small().double(), Small(wrong=0.0).double())
    )
    assert part["first.weight"] == [0.0, 0.0]
    assert part["all"][0] < whole["all"][0]
    assert sum(pair[0] ** 2 for name, pair in whole.items() if name != "all") == pytest.approx(1.0, abs=1e-6)


def test_masks_tell_where_dropout_acts():
    """Before or after what follows it: in evaluation and without masks both orders are one function."""
    torch.manual_seed(0)
    norm, drop = torch.nn.LayerNorm(6), torch.nn.Dropout(0.5)
    inputs = torch.randn(3, 6)
    orders = [torch.nn.Sequential(norm, drop), torch.nn.Sequential(drop, norm)]
    plain = [order.eval()(inputs) for order in orders]
    with _training.masking(orders[0]):
        masked = [order.eval()(inputs) for order in orders]
    assert torch.equal(*plain)
    assert float((masked[0] - masked[1]).detach().norm()) > 0.01
    assert torch.equal(orders[0](inputs), plain[0])


def test_the_twin_is_told_in_training_mode_and_left_as_it_was():
    """Layer by layer; masks, modes and shares go, and chance has no part in it."""
    model = Small().double().eval()
    found = [twin_backward.masked(scene(model), model, INPUTS) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0].keys() == {"hidden 0", "logits"}
    assert found[0] != twin.layers(model, INPUTS)
    assert not model.training
    assert model.drop.p == 0.5


def test_rounding_is_told_layer_by_layer():
    """In 32 bits some 1e-7; where hidden states are rounded to half precision, some 1e-4."""
    model = Small().eval()
    near = twin_backward.rounding(scene(model), Small().double(), INPUTS)
    model.first.weight.data.copy_(model.first.weight.half())
    far = twin_backward.rounding(scene(model), Small().double(), INPUTS)
    assert near.keys() == far.keys() == {"hidden 0", "logits"}
    assert near["logits"] < 1e-6
    assert 1e-5 < far["hidden 0"] < 1e-3


# ---------------------------------------------------------------- checkpoints and dropout


def test_checkpointing_is_off_inside_alone():
    """The layers' own flags are put back."""
    model = Small()
    model.gradient_checkpointing = True
    with compat.without_checkpointing(model):
        assert not model.gradient_checkpointing
    assert model.gradient_checkpointing


def checkpointed(*, remembering):
    """A model whose embeddings' dropout is recomputed in the backward pass, with the same masks or with others."""
    from torch.utils.checkpoint import checkpoint

    model = Small()
    model.is_gradient_checkpointing = model.gradient_checkpointing = True
    plain = model.drop.forward

    def forward(hidden):
        if not model.gradient_checkpointing:
            return plain(hidden)
        return checkpoint(lambda x: plain(x) * x, hidden, use_reentrant=False, preserve_rng_state=remembering) / hidden

    model.drop.forward = forward
    return model


@pytest.mark.parametrize("remembering", [True, False])
def test_masks_of_a_recomputation_are_those_of_the_computation(remembering, monkeypatch):
    """Under one seed gradients with checkpoints are those without; forgotten generators show."""
    model = checkpointed(remembering=remembering)
    monkeypatch.setattr(uncheckpointed, "dealt", lambda _: INPUTS)
    meter = uncheckpointed.UncheckpointedMeter()
    meter.from_file = frozenset(id(p) for p in model.parameters())
    meter.prepared(scene(model))
    off = meter.found["optimizer.backward.recomputed"]["largest"]
    assert (off < 1e-5) is remembering


def test_a_model_without_checkpoints_is_not_asked(monkeypatch):
    """It has nothing to recompute, and says so by the same shape."""
    monkeypatch.setattr(uncheckpointed, "dealt", None)
    meter = uncheckpointed.UncheckpointedMeter()
    meter.prepared(scene(Small()))
    assert meter.found == {"optimizer.backward.recomputed": {"largest": 0.0}}


class Unscaled(torch.nn.Dropout):
    """Drops, and does not make up for it."""

    def forward(self, inputs):
        """Take back what dropout multiplies by."""
        return super().forward(inputs) * (1 - self.p)


@pytest.mark.parametrize(
    ("modules", "mean", "largest"),
    [
        ([torch.nn.Dropout(0.1), torch.nn.Dropout(0.5)], 1.0, 1.0),
        ([torch.nn.Dropout(0.1), Unscaled(0.2)], 0.8, 0.8),
        ([torch.nn.Dropout(0.0), torch.nn.Linear(2, 2)], 1.0, 1.0),
    ],
    ids=["scaled", "not scaled", "none"],
)
def test_what_dropout_keeps_makes_up_for_what_it_drops(modules, mean, largest):
    """Whatever the share; the one module that does not is what is told."""
    torch.manual_seed(0)
    found = dropout_scale.scales([module.eval() for module in modules], "cpu")
    assert found == {"mean": pytest.approx(mean, abs=0.01), "largest": pytest.approx(largest, abs=1e-4)}
    assert not any(module.training for module in modules)


def attending(kind="Bert", dropped=0.1, backend="sdpa", **more):
    """A small classifier whose attention drops so much."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 8}
    shares = {"attention_probs_dropout_prob": dropped, "attention_dropout": dropped}
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=8, pad_token_id=0, attn_implementation=backend, **small, **shares, **more
    )
    return getattr(transformers, f"{kind}ForSequenceClassification")(config).eval()


def scaled(model):
    """What is told of its attention; its mode is as before."""
    torch.manual_seed(1)
    with torch.no_grad():
        found = attention_dropout.scales(model.eval(), "cpu")
    assert not any(module.training for module in model.modules())
    return found


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("Bert", {}),
        ("Bert", {"dropped": 0.5}),
        ("Bert", {"backend": "eager"}),
        ("Llama", {"num_key_value_heads": 1}),
    ],
    ids=["sdpa", "half", "eager", "causal"],
)
def test_attention_makes_up_for_what_its_dropout_drops(kind, more):
    """In every head, whatever the share and the function, causal or not."""
    assert scaled(attending(kind, **more)) == pytest.approx(attention_dropout.NONE, abs=0.005)


@pytest.mark.parametrize("model", [lambda: attending(dropped=0.0), Small], ids=["none", "no attention"])
def test_attention_that_drops_nothing_is_exactly_one(model):
    """Without a share, and in a model that has no attention module."""
    assert scaled(model()) == attention_dropout.NONE


@pytest.mark.parametrize(
    ("turn", "told"),
    [
        (lambda call, query, share, rest: call(query, *rest, dropout_p=share) * (1 - share), (0.9, 0.9)),
        (
            lambda call, query, share, rest: call(
                torch.cat([query[:, :1] * (1.25 if share else 1), query[:, 1:]], 1), *rest, dropout_p=share
            ),
            (1.0, 1.063),
        ),
    ],
    ids=["unscaled", "one head looks otherwise"],
)
def test_attention_that_is_another_with_dropout_is_seen(monkeypatch, turn, told):
    """By the sum of its weights, or by where it looks, if only in one head."""
    call = torch.nn.functional.scaled_dot_product_attention

    def turned(query, key, value, dropout_p=0.0, **more):
        return turn(lambda q, *a, **k: call(q, *a, **more, **k), query, dropout_p, (key, value))

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", turned)
    found = scaled(attending())
    assert (found["ones"], found["half"]) == pytest.approx(told, abs=0.005)


# ---------------------------------------------------------------- between backward and update

vectors = st.lists(numbers, min_size=2, max_size=6)


@given(vectors, st.floats(0.1, 100))
def test_gradients_that_are_scaled_on_their_way_are_told_as_so_many_times(values, times):
    """And as nothing else."""
    parameter = torch.nn.Parameter(torch.zeros(len(values), dtype=torch.float64))
    parameter.grad = torch.tensor(values, dtype=torch.float64)
    after = unclipped.standing([parameter], 1.0)
    parameter.grad *= times
    assert unclipped.against(after, [parameter]) == {
        "times": pytest.approx(times, rel=1e-5), "rest": pytest.approx(0.0, abs=1e-5)
    }  # fmt: skip


def test_rounded_and_lost_gradients_are_something_else():
    """A thousandth of them for eight bits, the share of the norm for a tensor without any."""
    one, two = (torch.nn.Parameter(torch.zeros(64)) for _ in range(2))
    one.grad, two.grad = torch.linspace(0.1, 1, 64), torch.linspace(0.1, 1, 64)
    after = unclipped.standing([one, two], 1.0)
    one.grad = one.grad.bfloat16().float()
    assert 1e-4 < unclipped.against(after, [one, two])["rest"] < 1e-2
    two.grad = None
    assert unclipped.against(after, [one, two]) == {"times": pytest.approx(0.5, 0.01), "rest": pytest.approx(0.5, 0.01)}


def test_no_update_is_no_number():
    """Where a scaler skips the step, nothing reached the optimizer."""
    assert unclipped.against({}, []) == {"times": None, "rest": None}
    assert unclipped.UnclippedMeter().probe(None) == {"optimizer.gradients.kept": {"times": None, "rest": None}}


class Trainer:
    """One step after another, clipped by `clip`."""

    def __init__(self, clip):
        self.model, self.clip = torch.nn.Linear(3, 2), clip
        self.optimizer = torch.optim.AdamW(self.model.parameters())
        self.args, self.accelerator = types.SimpleNamespace(max_grad_norm=1.0), types.SimpleNamespace(scaler=None)

    def training_step(self, model, inputs):
        """Forward and backward."""
        model(inputs).sum().backward()

    def step(self):
        """A whole one."""
        self.training_step(self.model, torch.ones(2, 3))
        self.clip(self.model.parameters(), self.args.max_grad_norm)
        self.optimizer.step()


def normalise(parameters, limit):
    """Scale to the limit from wherever."""
    held = list(parameters)
    norm = unclipped_norm(held)
    for parameter in held:
        parameter.grad *= limit / norm


def unclipped_norm(parameters):
    """Norm of all gradients together."""
    return torch.stack([p.grad.norm() for p in parameters]).norm()


@pytest.mark.parametrize(
    ("clip", "kept"), [(torch.nn.utils.clip_grad_norm_, True), (normalise, False)], ids=["clips", "normalises"]
)
def test_a_limit_that_never_bites_leaves_gradients_alone(clip, kept):
    """Clipping does; scaling to the limit does not. Trainer and limit are as they were."""
    trainer, meter = Trainer(clip), unclipped.UnclippedMeter()
    with meter.instrument(types.SimpleNamespace(trainer=trainer)):
        trainer.step()
    assert (meter.found["times"] == 1.0) is kept
    assert trainer.args.max_grad_norm == 1.0
    assert "training_step" not in vars(trainer)
    assert gradients.scale(trainer) == 1.0


# ---------------------------------------------------------------- updates


def optimizer(**settings):
    """AdamW after three steps on tensors of several sizes."""
    torch.manual_seed(0)
    tensors = [torch.nn.Parameter(torch.randn(size)) for size in (64, 2)]
    made = torch.optim.AdamW([{"params": [tensors[0]]}, {"params": [tensors[1]], "weight_decay": 0.0}], **settings)
    for _ in range(3):
        for tensor in tensors:
            tensor.grad = torch.randn_like(tensor)
        made.step()
    return made


def state(made):
    """Every value and moment, as bits."""
    tensors = [p for group in made.param_groups for p in group["params"]]
    return [value.clone() for p in tensors for value in (p.detach(), *made.state[p].values())]


@pytest.mark.parametrize("number", [None, 5000])
@pytest.mark.parametrize("settings", [{}, {"fused": True}, {"foreach": True}, {"betas": (0.8, 0.9), "eps": 1e-4}])
def test_adamw_obeys_its_formula_early_and_late_and_keeps_its_state(settings, number):
    """Every tensor and moment, by every implementation; weights, moments and counts are put back."""
    made = optimizer(**settings)
    before = state(made)
    found = updates.tries(made, number)
    assert len(found) == 2
    assert max(t.update for t in found) < 1e-4
    assert max(t.moments for t in found) < 1e-6
    assert all(torch.equal(a, b) for a, b in zip(before, state(made), strict=True))


def broken(made, act):
    """An optimizer whose step ends with `act` on each tensor, its value before and its state."""
    step = made.step

    def turned():
        tensors = [p for group in made.param_groups for p in group["params"]]
        held = [p.detach().clone() for p in tensors]
        step()
        for parameter, value in zip(tensors, held, strict=True):
            act(parameter, value, made.state[parameter])

    made.step = turned
    return made


def test_small_tensors_that_stay_where_they_are_are_seen():
    """All of a group's tensors are tried, not its first."""
    made = broken(optimizer(), lambda p, value, _: p.data.copy_(value) if p.numel() < 8 else None)
    assert updates.formula(made) == {"group 0": pytest.approx(0.0, abs=1e-4), "group 1": pytest.approx(1.0)}


def test_rounded_moments_are_seen_though_the_update_is_right():
    """A moment kept in eight bits is off by a thousandth."""
    made = broken(optimizer(), lambda _p, _v, state: state["exp_avg_sq"].copy_(state["exp_avg_sq"].bfloat16()))
    found = updates.tries(made)
    assert max(t.update for t in found) < 1e-4
    assert max(t.moments for t in found) > 5e-4


@pytest.mark.parametrize(("dtype", "least"), [(torch.bfloat16, 0.002), (torch.float16, 2.5e-4)])
def test_a_rate_that_is_rounded_is_another(dtype, least):
    """The rate tried lies far from what half precision makes of it, beyond the tolerance."""
    made = optimizer()
    step = made.step

    def rounded():
        for group in made.param_groups:
            group["lr"], told = float(torch.tensor(group["lr"]).to(dtype)), group["lr"]
            step()
            group["lr"] = told

    made.param_groups[1:] = []
    made.step = rounded
    found = max(t.update for t in updates.tries(made))
    assert found > least > 2 * updates.FORMULA.absolute


def test_a_tensor_that_never_trained_is_tried_and_forgotten():
    """No state before, none after."""
    made = torch.optim.AdamW([torch.nn.Parameter(torch.ones(3))])
    assert [round(t.update, 4) for t in updates.tries(made)] == [0.0]
    assert not made.state
    assert updates.tries(torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1)) == []


def test_the_furthest_is_told_and_no_number_is_further_than_any():
    """Nothing tried is null."""
    assert updates.largest([]) == {"largest": None}
    assert updates.largest([0.1, 0.3]) == {"largest": 0.3}
    assert math.isnan(updates.largest([0.1, math.nan, 0.2])["largest"])


def test_the_optimizer_s_state_is_told_by_name_dtype_and_bytes():
    """A master copy, or a moment in another dtype, shows."""
    made = optimizer()
    assert updates.kept(made) == {
        "bytes": (64 + 2) * 4 * 2 + 2 * 4,
        "exp_avg": {"float32": 2},
        "exp_avg_sq": {"float32": 2},
        "step": {"float32": 2},
    }
    first = made.param_groups[0]["params"][0]
    made.state[first]["master"] = first.detach().double()
    assert updates.kept(made)["master"] == {"float64": 1}


# ---------------------------------------------------------------- tolerances


def verdict(name, old, new):
    """What the metric's own judge says of two values."""
    from benchsuite.nouns import Measured

    metric = registry.metrics()[name]
    return registry.judges()[metric.judge](metric, (Measured(value=old),), (Measured(value=new),)).outcome


@given(st.floats(1e-8, 0.1), st.floats(0.4, 2.5))
def test_rounding_that_moves_within_what_kernels_differ_by_is_ok(size, times):
    """Twice the rounding of another kernel is no news, whatever the precision."""
    assert verdict("function.rounding", {"logits": size}, {"logits": size * times}) is Outcome.OK
    own = [{"largest": s, "typical": s / 10} for s in (size, size * times)]
    assert verdict("optimizer.backward.own", *own) is Outcome.OK


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("function.rounding", {"hidden 1": 1.4e-7}, {"hidden 1": 1e-4}),
        ("function.rounding", {"hidden 1": 1.7e-4}, {"hidden 1": 1e-3}),
        ("optimizer.backward.own", {"largest": 5e-6}, {"largest": 1e-3}),
        ("optimizer.backward.own", {"largest": 0.003}, {"largest": 0.5}),
        ("optimizer.backward.exact", {"a": [0.2, 0.01]}, {"a": [0.1, 0.005]}),
        ("optimizer.backward.recomputed", {"largest": 0.0}, {"largest": 0.3}),
        ("optimizer.gradients.kept", {"times": 1.0, "rest": 0.0}, {"times": 1.0, "rest": 0.0011}),
        ("optimizer.formula", {"group 0": 1e-5, "group 1": 0.0}, {"group 0": 0.00213, "group 1": 0.00213}),
        ("optimizer.formula.late", {"largest": 7e-6}, {"largest": 3e-4}),
        ("optimizer.formula.moments", {"largest": 1e-6}, {"largest": 1e-3}),
        ("optimizer.gradient", {"loss": 1.0, "rest": 0.0}, {"loss": 1.0, "rest": 0.0017}),
        ("optimizer.gradient", {"loss": 1.0, "gradient": 1.0}, {"loss": 1.0, "gradient": 1.005}),
        ("model.dropout.scale", {"mean": 1.0, "largest": 1.0}, {"mean": 0.9, "largest": 0.9}),
        ("model.dropout.attention", {"ones": 1.0, "half": 1.0}, {"ones": 0.9, "half": 0.9}),
        ("model.dropout.attention", {"ones": 1.0, "half": 1.0}, {"ones": 1.0, "half": 1.0628}),
    ],
)
def test_what_the_planted_faults_move_is_a_change(name, old, new):
    """By the sizes at which they were measured."""
    assert verdict(name, old, new) is Outcome.CHANGED


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("optimizer.formula", {"group 0": 0.0}, {"group 0": 5e-5}),
        ("optimizer.formula.late", {"largest": 0.0}, {"largest": 3.5e-5}),
        ("optimizer.formula.moments", {"largest": 0.0}, {"largest": 6.5e-5}),
        ("optimizer.gradient", {"gradient": 1.0, "rest": 0.0}, {"gradient": 1.0003, "rest": 9e-4}),
        ("model.dropout.attention", {"ones": 1.0014, "half": 0.9986}, {"ones": 0.9966, "half": 1.0034}),
    ],
)
def test_several_times_what_processors_differ_by_is_ok(name, old, new):
    """Between a CPU and an H200, or two versions: five times the furthest of updates, three times of gradients."""
    assert verdict(name, old, new) is Outcome.OK
