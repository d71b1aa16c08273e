"""Writes into weights and optimizer state beside the optimizer's updates."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.meters import writes

WAYS = {"loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}


def trained(optimizer, model, disturb=None, steps=6):
    """What is told of a training of so many steps; `disturb` is called before the look that follows each."""
    ledger = writes.Ledger()
    watching = writes._watching(ledger)
    watching.on_train_begin(optimizer=optimizer)
    for step in range(1, steps + 1):
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        if disturb:
            disturb(step)
        watching.on_log()
    watching.on_train_end()
    assert watching.optimizer is None
    optimizer.step()  # its hooks are gone, and a later step is nobody's business
    assert ledger.updates == steps
    return writes.told(ledger.beside)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.SGD])
def test_updates_alone_are_no_other_writes(kind, way):
    """However the optimizer is implemented, and whatever state it keeps."""
    model = torch.nn.Linear(3, 2)
    more = {"momentum": 0.9} if kind is torch.optim.SGD else {}
    assert trained(kind(model.parameters(), lr=0.1, **way, **more), model) == {"found": 0}


@pytest.mark.parametrize("what", ["weight", "state"])
@given(at=st.integers(2, 5))
def test_a_write_is_found_where_it_was_made(what, at):
    """Into a weight or into a moment, after the first update or late: told at the next look, and once."""
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)

    def disturb(step):
        if step == at:
            with torch.no_grad():
                (model.weight if what == "weight" else optimizer.state[model.weight]["exp_avg"]).mul_(0.5)

    found = trained(optimizer, model, disturb)
    assert found == {"found": 1, "first": "before an entry of the log", "updates": at}


def test_a_write_between_the_first_updates_is_found():
    """Before it is known how many writes an update takes, none may come between two."""
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)

    def disturb(step):
        if step == 1:
            optimizer.state[model.weight]["exp_avg"].zero_()

    assert trained(optimizer, model, disturb) == {"found": 1, "first": "between the first updates", "updates": 1}


def test_a_state_that_is_made_anew_is_found():
    """As when a checkpoint is loaded on the way: fresh tensors have fewer writes."""
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)

    def disturb(step):
        if step == 4:
            optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))

    assert trained(optimizer, model, disturb)["first"] == "before an entry of the log"


def test_too_few_updates_tell_nothing():
    """One update is not known by how many writes it takes."""
    model = torch.nn.Linear(3, 2)
    assert trained(torch.optim.AdamW(model.parameters(), lr=0.1), model, steps=1) == {"found": 0}


@given(at=st.integers(1, 6))
def test_gradients_that_are_written_once_more_are_told_with_their_update(at):
    """Whichever update it is: the others say what is usual."""
    model = torch.nn.Linear(3, 2)
    ledger = writes.Ledger()
    watching = writes._watching(ledger)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    watching.on_train_begin(optimizer=optimizer)
    for step in range(1, 7):
        model(torch.ones(1, 3)).sum().backward()
        if step == at:
            model.weight.grad.zero_()
        optimizer.step()
        optimizer.zero_grad()
    watching.on_train_end()
    assert writes.unlike(ledger.gradients) == {"otherwise": 1, "first": at}
    assert writes.unlike([]) == {"otherwise": 0}


def test_of_many_gradients_a_few_of_each_group_are_looked_at():
    """Spread over the group, and all of them where there are few."""
    layers = [torch.nn.Linear(1, 1) for _ in range(40)]
    model = torch.nn.Sequential(*layers)
    groups = [{"params": [layer.weight for layer in layers]}, {"params": [layers[0].bias]}]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    model(torch.ones(1, 1)).sum().backward()
    before = writes.gradients(optimizer)
    for parameter in model.parameters():
        parameter.grad.zero_()
    assert writes.gradients(optimizer) - before == 8 + 1
