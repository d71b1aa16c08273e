"""Which parameters lie in the same memory."""

from __future__ import annotations

import copy

import torch
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.meters.shared_storage import shared


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_tensors_are_told_by_the_memory_they_lie_in(places):
    """One parameter under two names, and two parameters over one memory: whoever shares is told, with all others."""
    own = [torch.nn.Parameter(torch.zeros(2)) for _ in range(4)]
    model = torch.nn.ParameterList(
        [own[at] if index % 2 else torch.nn.Parameter(own[at].data) for index, at in enumerate(places)]
    )
    groups = [[str(i) for i, at in enumerate(places) if at == place] for place in range(4)]
    assert shared(model) == sorted(names for names in groups if len(names) > 1)


def test_a_copy_shares_nothing_and_buffers_are_looked_at():
    """Empty tensors and those without memory lie nowhere."""
    layer = torch.nn.BatchNorm1d(2)
    both = torch.nn.ModuleDict({"one": layer, "two": copy.deepcopy(layer)})
    both.register_buffer("empty", torch.zeros(0))
    both.register_buffer("also", torch.zeros(0))
    assert shared(both) == []
    both["two"].running_mean = layer.running_mean
    assert shared(both) == [["one.running_mean", "two.running_mean"]]
    assert shared(both.to("meta")) == []
