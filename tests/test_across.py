"""What a training leaves otherwise between two updates, and generators that come back to where they stood."""

from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.meters import across, step_draws

EPOCH = 3
"""Updates an epoch."""
WIDTHS = {
    "8": (torch.float64, torch.int64), "4": (torch.float32, torch.int32), "2": (torch.float16, torch.int16),
    "1": (torch.uint8, torch.uint8),
}  # fmt: skip


def trained(between=None, at=1, epochs=2, evaluates=False, best=False):
    """What is told of a training; `between` is called where the Trainer evaluates, after `at` updates."""
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    meter = across.AcrossMeter()
    (watching,) = meter.callbacks(None)
    given = {"model": model, "optimizer": SimpleNamespace(optimizer=optimizer)}
    for step in range(1, epochs * EPOCH + 1):
        control = SimpleNamespace(should_evaluate=evaluates and step == at, should_save=False)
        watching.on_step_begin(None, None, control, **given)
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        watching.on_step_end(None, SimpleNamespace(global_step=step), control, **given)
        ends = step % EPOCH == 0
        if ends:
            watching.on_epoch_end(None, None, None, **given)
        if between and step == at and (ends or evaluates):
            between(model, optimizer)
    watching.on_train_end(SimpleNamespace(load_best_model_at_end=best), None, None, **given)
    return meter.found()


@pytest.mark.parametrize("evaluates", [False, True])
@settings(deadline=None)
@given(at=st.integers(1, 6))
def test_updates_alone_are_no_change_across(evaluates, at):
    """However often there is an evaluation."""
    assert trained(at=at, evaluates=evaluates) == {"found": 0}


def rounded(model, _):
    """Weights as bfloat16 has them, written past torch's count."""
    model.weight.data.copy_(model.weight.data.bfloat16())


def cleared(model, optimizer):
    """A moment of zeros."""
    optimizer.state[model.weight]["exp_avg"].zero_()


def made_anew(model, optimizer):
    """No state left."""
    optimizer.state.clear()


WAYS = {rounded: {"weights": 1}, cleared: {"state": 1}, made_anew: {"state": 6}}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@settings(deadline=None)
@given(at=st.integers(1, 6))
def test_what_an_evaluation_leaves_otherwise_is_told(way, at):
    """By step or at an epoch's end, after whichever update: of how many tensors, and after how many updates first."""
    assert trained(way, at=at, evaluates=True) == {"found": 1, "updates": at, **WAYS[way]}
    if at % EPOCH == 0:
        assert trained(way, at=at) == {"found": 1, "updates": at, **WAYS[way]}


def test_the_best_weights_that_are_put_back_are_no_change():
    """Whoever asks for them gets other weights once the last epoch is over."""
    assert trained(rounded, at=2 * EPOCH, best=True) == {"found": 0}
    assert trained(rounded, at=EPOCH, best=True)["found"] == 1


def test_buffers_and_constants_of_quantised_weights_are_looked_at():
    """Both belong to what the model computes."""
    model = torch.nn.BatchNorm1d(2)
    inner = SimpleNamespace(absmax=torch.ones(2))
    model.weight.quant_state = SimpleNamespace(absmax=torch.ones(3), state2=inner, dtype=torch.float16)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = across.bits(model, optimizer)
    model.running_mean.data.add_(1)
    inner.absmax.add_(1)
    after = across.bits(model, optimizer)
    assert across.differing(before["weights"], after["weights"]) == 2


def test_what_cannot_be_read_stops_no_training():
    """It is told in the metric's place, and keeps no model alive."""
    meter = across.AcrossMeter()
    (watching,) = meter.callbacks(None)
    model = torch.nn.Linear(2, 2).to("meta")
    watching.on_epoch_end(None, None, None, model=model, optimizer=torch.optim.SGD(model.parameters()))
    alive = weakref.ref(model)
    del model
    gc.collect()
    assert alive() is None
    assert str(meter.found()).startswith("crash: ")


@given(
    st.lists(st.floats(0, 10, width=16), min_size=1, max_size=20), st.sampled_from(["", *WIDTHS]), st.data(),
    st.booleans(),
)  # fmt: skip
def test_one_bit_moves_a_tensors_number(values, width, data, aside):
    """Of whatever width, aligned or not, and of no dimension as well; the number of another tensor stays."""
    dtype, whole = WIDTHS.get(width, (torch.complex128, torch.int64))
    one = torch.tensor([0.0, *values]).to(dtype)[1 if aside else 0 :]
    other = torch.cat([torch.zeros(1, dtype=dtype), one])[1:]
    bits = other.view(whole)
    bits[data.draw(st.integers(0, len(bits) - 1))] ^= 1
    scalar = torch.tensor(1.0)
    before, after = across.numbers([one, scalar]), across.numbers([other, scalar])
    assert before[0] != after[0]
    assert before[1] == after[1]


PLACES = {
    "rows the other way round": lambda w: w.flip(0),
    "rows shuffled": lambda w: w[torch.randperm(len(w), generator=torch.Generator().manual_seed(1))],
    "halves of heads interleaved": lambda w: w.view(4, 2, 8, 64).transpose(1, 2).reshape(64, 64),
    "rolled by two": lambda w: w.roll(2, 1),
}


@pytest.mark.parametrize("move", PLACES.values(), ids=PLACES)
def test_elements_that_change_place_are_seen(move):
    """As when a checkpoint is laid out for another format, and left so."""
    weights = torch.randn(64, 64)
    assert across.numbers([weights]) != across.numbers([move(weights)])


def test_tensors_that_lie_apart_are_read_as_well():
    """Columns, every second element, and one number that is told as many."""
    table = torch.arange(12.0).view(3, 4)
    parts = [table[:, :1], table.view(-1)[::2], table.t(), torch.tensor(1.0).expand(5)]
    assert across.numbers(parts) == across.numbers([part.clone() for part in parts])


def test_large_tensors_are_read_where_they_lie(monkeypatch):
    """Numbers of eight bytes are made of no large tensor, aligned or not: training has no memory to spare."""
    made: list[int] = []
    own = torch.Tensor.to

    def look(tensor, *args, **kwargs):
        made.append(tensor.numel())
        return own(tensor, *args, **kwargs)

    monkeypatch.setattr(torch.Tensor, "to", look)
    many = torch.ones(4 * across.PIECE)
    assert across.numbers([many]) == across.numbers([many.clone()])
    across.numbers([many[1:]])
    assert max(made) <= across.PIECE


# ---------------------------------------------------------------- draws


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ("abcd", step_draws.NEW),
        ("aaaa", step_draws.STILL),
        ("abbb", step_draws.STILL),
        ("abca", step_draws.BACK),
        ("abbcdef", step_draws.MOST),
    ],  # fmt: skip,
)
def test_how_a_generator_moves_is_told(states, said):
    """From its states as steps begin."""
    assert step_draws.told([{"torch": state} for state in states]) == {"torch": said}


def test_of_one_step_nothing_is_told():
    """There is nothing to compare."""
    assert step_draws.told([]) == step_draws.told([{"torch": "a"}]) == {}


def test_a_seed_set_in_each_step_is_seen():
    """The generator of torch itself, read as the probe's steps begin."""
    scene: Any = SimpleNamespace(on_cuda=False)
    meter = step_draws.StepDrawsMeter()
    for _ in range(3):
        meter.begins(scene)
        torch.manual_seed(7)
        torch.rand(2)
    assert meter.probe(scene)["seeds.steps"]["torch"] == step_draws.STILL
