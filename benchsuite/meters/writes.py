"""Whether weights and the optimizer's state are written by its updates alone, all through the trial's own training.

torch counts every write into a tensor in place (`Tensor._version`). The second update tells how many writes one
takes; at each epoch, log entry, evaluation and save, and once training has returned, the count must be that many for
each update since. Of some gradients it is read at every update: they reach it written as often each time. Not seen:
writes through `.data`, and by kernels that do not tell torch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import compat
from ..nouns import JSON, Measured, Phase
from ..scene import Meter, Scene
from ._probing import exact, guarded

# Measured on the CPU: none in fp32 and qlora, whichever implementation of AdamW runs.
WRITES = exact("optimizer.writes", "writes into weights and optimizer state beside the optimizer's updates")
GRADIENTS = exact("optimizer.gradients.writes", "updates whose gradients were written more often or less")
A_FEW = 8
"""Gradients of a group that are looked at, of every so many one: what writes into gradients goes through all."""
LEARNT = 2
"""Updates after which it is known how many writes one takes: the first one makes the state."""


@dataclass
class Ledger:
    """Writes of one training, counted against its updates."""

    updates: int = 0
    each: int = 0
    """Writes that an update takes."""
    known: int = 0
    """Writes that are accounted for."""
    beside: list[tuple[str, int]] = field(default_factory=list)
    """When writes beside the updates were found, and after how many updates."""
    gradients: list[int] = field(default_factory=list)
    """Of each update: writes into the gradients that it obeys."""

    def before(self, written: int) -> None:
        """Account for an update that begins: the last one may have been the first, which makes the state."""
        if self.updates == LEARNT - 1:
            self._settle("between the first updates", written)

    def after(self, written: int) -> None:
        """Account for an update that is done."""
        self.updates += 1
        if self.updates == LEARNT:
            self.each = written - self.known
        self.known = written

    def pass_by(self) -> None:
        """Account for an update that is done, and takes as many writes as the second did."""
        self.updates += 1
        self.known += self.each

    def look(self, when: str, written: int) -> None:
        """Hold what was written against the updates, once it is known what one takes."""
        if self.updates >= LEARNT:
            self._settle(when, written)

    def _settle(self, when: str, written: int) -> None:
        if written != self.known:
            self.beside.append((when, self.updates))
        self.known = written


class WritesMeter(Meter):
    """Counts by a callback and two hooks on the optimizer, which go with the training."""

    name = "writes"
    metrics = (WRITES, GRADIENTS)

    def __init__(self) -> None:
        self.ledger = Ledger()

    def callbacks(self, scene: Scene) -> list[Any]:
        """See `Meter.callbacks`."""
        return [_watching(self.ledger)]

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.TRAIN:
            return {}
        return guarded(lambda: self._found(scene.trainer.optimizer), self.metrics)

    def _found(self, optimizer: Any) -> Mapping[str, JSON]:
        self.ledger.look("once training has returned", written(compat.bare_optimizer(optimizer)))
        return {WRITES.name: told(self.ledger.beside), GRADIENTS.name: unlike(self.ledger.gradients)}


def _watching(ledger: Ledger) -> Any:
    from transformers import TrainerCallback

    class Watching(TrainerCallback):  # type: ignore[misc]
        seen = ledger
        optimizer: Any = None
        hooks: tuple[Any, ...] = ()

        def on_train_begin(self, *_: Any, optimizer: Any, **__: Any) -> None:
            self.optimizer = compat.bare_optimizer(optimizer)
            self.hooks = (
                self.optimizer.register_step_pre_hook(self.begins), self.optimizer.register_step_post_hook(self.ends),
            )  # fmt: skip

        def begins(self, optimizer: Any, *_: Any) -> None:
            ledger.gradients.append(gradients(optimizer))
            if ledger.updates < LEARNT:
                ledger.before(written(optimizer))

        def ends(self, optimizer: Any, *_: Any) -> None:
            if ledger.updates < LEARNT:
                ledger.after(written(optimizer))
            else:
                ledger.pass_by()

        on_epoch_begin = _look("as an epoch begins")
        on_epoch_end = _look("before an epoch ends")
        on_log = _look("before an entry of the log")
        on_evaluate = _look("with an evaluation")
        on_save = _look("with a checkpoint")

        def on_train_end(self, *_: Any, **__: Any) -> None:
            _look("before training ends")(self)
            # Nothing of the model may outlive the training here: what does is counted.
            for hook in self.hooks:
                hook.remove()
            self.optimizer, self.hooks = None, ()

    return Watching()


def _look(when: str) -> Callable[..., None]:
    """An event of the callback: the count is read there."""

    def look(watching: Any, *_: Any, **__: Any) -> None:
        watching.seen.look(when, written(watching.optimizer))

    return look


def written(optimizer: Any) -> int:
    """Writes in place, so far, into the weights that a torch optimizer updates and into its state."""
    return sum(tensor._version for tensor in _tensors(optimizer))


def _tensors(optimizer: Any) -> Iterator[Any]:
    for group in optimizer.param_groups:
        yield from group["params"]
    for state in optimizer.state.values():
        yield from (value for value in state.values() if hasattr(value, "_version"))


def gradients(optimizer: Any) -> int:
    """Writes in place into gradients that an update is about to obey, of a few of each group: every update asks."""
    some = [p for group in optimizer.param_groups for p in group["params"][:: len(group["params"]) // A_FEW or 1]]
    return sum([p.grad._version for p in some if p.grad is not None])


def unlike(counts: Sequence[int]) -> dict[str, JSON]:
    """How many updates have another count than most, and the first of them, from 1."""
    if not counts:
        return {"otherwise": 0}
    usual = Counter(counts).most_common(1)[0][0]
    other = [number for number, count in enumerate(counts, 1) if count != usual]
    return {"otherwise": len(other), **({"first": other[0]} if other else {})}


def told(beside: Sequence[tuple[str, int]]) -> dict[str, JSON]:
    """How often other writes were found, and where first; not how many: optimizers keep tensors in different ways."""
    if not beside:
        return {"found": 0}
    when, updates = beside[0]
    return {"found": len(beside), "first": when, "updates": updates}


METER = WritesMeter
