"""Replayed steps: which are recorded, and that they train as plain steps do. CUDA is played by a recorder of calls."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from benchsuite import compat, graphs
from benchsuite.graphs import Replays, replaying
from benchsuite.meters.graphs import told


class Graph:
    """Does again what was done while it was recorded, on the same tensors."""

    def __init__(self) -> None:
        self.replayed = 0

    def replay(self) -> None:
        """Do it again, and leave the loss where it was left first."""
        self.replayed += 1
        self.loss.copy_(self.again())


class Cuda:
    """As much of `torch.cuda` as replays ask for; `run` is a step that a graph under recording can repeat."""

    def __init__(self, model: torch.nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
        self.model, self.recording, self.graphs = model, None, []
        stream = SimpleNamespace(wait_stream=lambda _: None)
        for name, fake in {
            "Stream": lambda: stream, "current_stream": lambda: stream, "stream": lambda _: nullcontext(),
            "graph_pool_handle": lambda: 1, "CUDAGraph": self.made, "graph": self.record,
        }.items():  # fmt: skip
            monkeypatch.setattr(torch.cuda, name, fake)

    def made(self) -> Graph:
        """A new graph."""
        self.graphs.append(Graph())
        return self.graphs[-1]

    def record(self, graph: Graph, **_: Any) -> Cuda:
        """Everything inside belongs to `graph`."""
        self.recording = graph
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self.recording = None

    def run(self, batch: Mapping[str, Any], items: Any) -> Any:
        """Forward and backward, adding to the gradients."""
        loss = self.model(batch["x"]).square().sum() / items
        loss.backward()
        if self.recording is not None:
            self.recording.loss, self.recording.again = loss.detach(), lambda: self.repeat(batch, items)
        return loss.detach()

    def repeat(self, batch: Mapping[str, Any], items: Any) -> Any:
        """What a recorded step does: gradients from nought, then the step."""
        for parameter in self.model.parameters():
            parameter.grad.zero_()
        return self.run(batch, items)


BATCHES = [
    torch.randn(rows, 3, generator=torch.Generator().manual_seed(i)) for i, rows in enumerate([4, 2, 4, 4, 2, 4])
]


def train(model: torch.nn.Module, step: Any) -> list[float]:
    """All batches, as the Trainer trains: gradients are taken off after each update."""
    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=0.1), []
    for x in BATCHES:
        losses.append(float(step({"x": x}, torch.tensor(float(len(x))))))
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return losses


def linear() -> torch.nn.Linear:
    """The same small model each time."""
    torch.manual_seed(0)
    return torch.nn.Linear(3, 2)


def test_replayed_steps_train_as_plain_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses and weights are the same to the last bit; the second step of a shape is recorded, later ones replayed."""
    plain, model = linear(), linear()
    wanted = train(plain, Cuda(plain, monkeypatch).run)
    cuda = Cuda(model, monkeypatch)
    replays = Replays()
    assert train(model, lambda batch, items: replays.step(model, batch, items, cuda.run)) == wanted
    assert torch.equal(model.weight, plain.weight)
    assert [graph.replayed for graph in cuda.graphs] == [3, 1]
    assert told(replays.steps, replays.recorded) == {"steps": {"": 6}, "recorded": ["", ""]}


def test_shapes_and_dtypes_make_the_key() -> None:
    """Not the values."""
    one, other = {"x": torch.zeros(2, 3)}, {"x": torch.ones(2, 3)}
    assert graphs.key_of(one) == graphs.key_of(other)
    assert graphs.key_of(one) != graphs.key_of({"x": torch.zeros(3, 2)})
    assert graphs.key_of(one) != graphs.key_of({"x": torch.zeros(2, 3).half()})


def test_a_record_tells_shapes_by_their_token_ids() -> None:
    """Steps of each, and which are replayed."""
    wide, slim = (
        graphs.key_of({"input_ids": torch.zeros(16, width), "labels": torch.zeros(16)}) for width in (32, 16)
    )  # fmt: skip
    assert told({wide: 5, slim: 1}, [wide]) == {"steps": {"16x16": 1, "16x32": 5}, "recorded": ["16x32"]}


def test_steps_that_are_added_up_run_as_they_are() -> None:
    """A graph takes its gradients from nought, so accumulation is left to the Trainer."""
    seen: list[Any] = []

    class Trainer:
        args = SimpleNamespace(gradient_accumulation_steps=2)

        def training_step(self, model: Any, inputs: Any, items: Any = None) -> Any:
            seen.append((model, inputs, items))
            return "loss"

    trainer = replaying(Trainer)()
    assert trainer.training_step("model", {"x": 1}, 3) == "loss"
    assert seen == [("model", {"x": 1}, 3)]
    assert trainer.replays is None


@pytest.mark.parametrize("knows", [True, False])
def test_masks_are_not_read_while_recording(monkeypatch: pytest.MonkeyPatch, knows: bool) -> None:
    """A transformers that does not see a recording is told that it is traced, then untold."""
    module = SimpleNamespace(is_torchdynamo_compiling=lambda: False)
    if knows:
        module.is_cuda_stream_capturing = lambda: True
    monkeypatch.setattr(compat, "import_module", lambda _: module)
    with compat.unread_masks():
        assert module.is_torchdynamo_compiling() is not knows
    assert module.is_torchdynamo_compiling() is False


def test_a_padded_mask_is_the_same_read_or_not() -> None:
    """The installed transformers makes the same logits of a batch with padding inside."""
    from transformers import BertConfig, BertForSequenceClassification

    model = BertForSequenceClassification(
        BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=9)
    ).eval()  # fmt: skip
    batch = {"input_ids": torch.tensor([[1, 2, 3], [4, 5, 0]]), "attention_mask": torch.tensor([[1, 1, 1], [1, 1, 0]])}
    with torch.no_grad():
        read = model(**batch).logits
        with compat.unread_masks():
            assert torch.equal(model(**batch).logits, read)
