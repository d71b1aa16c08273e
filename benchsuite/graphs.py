"""A Trainer whose forward and backward passes are CUDA graphs: recorded once for each shape of batch, then replayed.

The first step of a shape runs as it is, the second is recorded, later ones are one launch each. Clipping and
optimizer stay outside. All graphs add into one set of gradients, which the Trainer's `zero_grad` takes off the
parameters and the next step puts back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import compat

Step = Callable[[Mapping[str, Any], Any], Any]
"""A batch and its number of items -> the loss; adds to the gradients."""
Key = tuple[tuple[str, tuple[int, ...], str], ...]


def key_of(inputs: Mapping[str, Any]) -> Key:
    """What two batches must share to be one graph's: names, shapes and dtypes."""
    return tuple(sorted((name, tuple(tensor.shape), str(tensor.dtype)) for name, tensor in inputs.items()))


@dataclass(frozen=True)
class Recorded:
    """One shape's graph, with the tensors that it reads and the one that it leaves the loss in."""

    graph: Any
    inputs: Mapping[str, Any]
    items: Any
    loss: Any


class Replays:
    """The steps of one training by the shape of their batch."""

    def __init__(self) -> None:
        import torch

        self.stream = torch.cuda.Stream()
        self.pool = torch.cuda.graph_pool_handle()
        self.recorded: dict[Key, Recorded] = {}
        self.steps: Counter[Key] = Counter()
        """Steps of each shape so far."""
        self.gradients: list[tuple[Any, Any]] = []
        """Parameters that train, each with the tensor that all its gradients are added into."""

    def step(self, model: Any, inputs: Mapping[str, Any], items: Any, run: Step) -> Any:
        """One step; the loss. Gradients stand at the parameters then, as after any backward pass."""
        key = key_of(inputs)
        self.steps[key] += 1
        if self.steps[key] == 1:
            return self._plain(model, inputs, items, run)
        if key not in self.recorded:
            self.recorded[key] = self._record(inputs, items, run)
        return self._replay(self.recorded[key], inputs, items)

    def _plain(self, model: Any, inputs: Mapping[str, Any], items: Any, run: Step) -> Any:
        """Beside the default stream, where libraries set themselves up for what is recorded there later."""
        import torch

        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            loss = self._run(inputs, items, run)
        torch.cuda.current_stream().wait_stream(self.stream)
        if not self.gradients:
            self.gradients = [(p, p.grad) for p in model.parameters() if p.grad is not None]
        return loss

    def _run(self, inputs: Mapping[str, Any], items: Any, run: Step) -> Any:
        import torch

        self._attach()
        if self.gradients:
            torch._foreach_zero_([gradient for _, gradient in self.gradients])
        return run(inputs, items)

    def _attach(self) -> None:
        for parameter, gradient in self.gradients:
            parameter.grad = gradient

    def _record(self, inputs: Mapping[str, Any], items: Any, run: Step) -> Recorded:
        import torch

        static = {name: tensor.clone() for name, tensor in inputs.items()}
        count = items.clone() if isinstance(items, torch.Tensor) else items
        graph = torch.cuda.CUDAGraph()
        # Other threads, the reader of the power meter say, may do what they like meanwhile.
        recording = torch.cuda.graph(graph, pool=self.pool, stream=self.stream, capture_error_mode="thread_local")
        with compat.unread_masks(), recording:
            loss = self._run(static, count, run)
        return Recorded(graph=graph, inputs=static, items=count, loss=loss)

    def _replay(self, recorded: Recorded, inputs: Mapping[str, Any], items: Any) -> Any:
        import torch

        for name, tensor in inputs.items():
            recorded.inputs[name].copy_(tensor, non_blocking=True)
        if isinstance(items, torch.Tensor):
            recorded.items.copy_(items, non_blocking=True)
        self._attach()
        recorded.graph.replay()
        return recorded.loss.clone()


def replaying(base: Any) -> Any:
    """A subclass of a Trainer that replays its steps."""

    class Replaying(base):  # type: ignore[misc]
        """Replays whole steps; those that are added up before an update run as they are."""

        replays: Replays | None = None

        def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
            def run(batch: Mapping[str, Any], items: Any) -> Any:
                return super(Replaying, self).training_step(model, batch, items)

            if self.args.gradient_accumulation_steps > 1:
                return run(inputs, num_items_in_batch)
            if self.replays is None:
                self.replays = Replays()
            return self.replays.step(model, self._prepare_inputs(inputs), num_items_in_batch, run)

        def floating_point_ops(self, inputs: Any) -> float:
            """None: the Trainer would count all parameters anew each step, for a log that nobody reads."""
            return 0.0

    return Replaying
