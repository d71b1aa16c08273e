"""Whether weights and the optimizer's state come bit for bit through all that a training does between two updates.

Read before the Trainer evaluates, saves or ends an epoch, and again before it goes on: no update lies between, so
every bit must be the same. This sees what torch's own count of writes does not: writes through `.data`, by numpy, and
by kernels that do not tell torch. Buffers and the constants of quantised weights are among the weights. Not looked
at: the scheduler, a gradient scaler, and what stands in lists of the optimizer's state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from .. import compat
from ..nouns import JSON, Measured, Phase
from ..scene import Meter, Scene
from ._probing import caught, crash, exact

# Measured: nothing changes, in fp32, qlora, lora and amp.
ACROSS = exact("optimizer.across", "weights and optimizer state that change where no update is")
WORD = 8
"""Bytes of a number."""
PIECE = 2**16
"""Elements that are looked at at once where they lie across numbers."""
SMALL = 2**12
"""Elements of a tensor that is looked at together with all of its kind: biases, norms, counters."""
COLUMNS = 1021
"""Numbers are weighted by their place in rows of so many: a prime, so that what moves by whole rows is seen, too."""
Bits = Mapping[str, Sequence[int]]
"""Of weights and of the optimizer's state: a number for each tensor."""


@dataclass
class Crossings:
    """What one training left otherwise than it found it, between two updates."""

    updates: int = 0
    before: Bits | None = None
    """As it stood before what is under way; None while nothing is."""
    changed: list[tuple[int, dict[str, int]]] = field(default_factory=list)
    """After how many updates, and of how many tensors of each kind."""

    def compare(self, now: Bits | None) -> None:
        """Hold what stands now against what stood before, where both could be read."""
        if self.before is None or now is None:
            return
        others = {kind: differing(self.before[kind], values) for kind, values in now.items()}
        if any(others.values()):
            self.changed.append((self.updates, {kind: count for kind, count in others.items() if count}))
        self.before = None


class AcrossMeter(Meter):
    """Reads at a training's own events, a few times an epoch and never in a step."""

    name = "across"
    metrics = (ACROSS,)

    def __init__(self) -> None:
        self.crossings = Crossings()
        self.problem = ""
        """In words: an exception would keep the model alive, which is counted once training is over."""

    def callbacks(self, scene: Scene) -> list[Any]:
        """See `Meter.callbacks`."""
        return [_watching(self)]

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        return {ACROSS.name: Measured(value=self.found())} if phase is Phase.TRAIN else {}

    def found(self) -> JSON:
        """What is told of the training so far."""
        return self.problem or told(self.crossings.changed)


def _watching(meter: AcrossMeter) -> Any:
    from transformers import TrainerCallback

    crossings = meter.crossings

    def read(model: Any, optimizer: Any, **_: Any) -> Bits | None:
        try:
            return bits(model, compat.bare_optimizer(optimizer))
        except Exception as error:  # noqa: BLE001 - a meter that cannot read stops no training: told as its value
            meter.problem = meter.problem or crash(caught(error))
            return None

    class Watching(TrainerCallback):  # type: ignore[misc]
        def on_step_begin(self, *_: Any, **kwargs: Any) -> None:
            if crossings.before is not None:
                crossings.compare(read(**kwargs))

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            crossings.updates = state.global_step
            if control.should_evaluate or control.should_save:
                crossings.before = read(**kwargs)

        def on_epoch_end(self, *_: Any, **kwargs: Any) -> None:
            now = read(**kwargs)
            crossings.compare(now)
            crossings.before = now

        def on_train_end(self, args: Any, *_: Any, **kwargs: Any) -> None:
            # The best weights are put back before this, which was asked for.
            if not args.load_best_model_at_end:
                crossings.compare(read(**kwargs))
            crossings.before = None

    return Watching()


def bits(model: Any, optimizer: Any) -> Bits:
    """A number for each weight and each tensor of a torch optimizer's state that moves when a bit of it does."""
    weights = list(model.parameters())
    constants = [each for weight in weights for each in _constants(getattr(weight, "quant_state", None))]
    state = [value for kept in optimizer.state.values() for value in kept.values() if _is_tensor(value)]
    return {"weights": numbers([*weights, *model.buffers(), *constants]), "state": numbers(state)}


def _is_tensor(value: Any) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def _constants(state: Any) -> Iterator[Any]:
    """Tensors of a `bitsandbytes.functional.QuantState`, and of the one inside it where constants are quantised."""
    for value in vars(state).values() if state is not None else ():
        if _is_tensor(value):
            yield value
        elif hasattr(value, "absmax"):
            yield from _constants(value)


def numbers(tensors: Sequence[Any]) -> list[int]:
    """Of each tensor's bits. Made where they lie: one copy to the host a device, not a tensor."""
    import torch

    flat = [tensor.detach().reshape(-1).contiguous() for tensor in tensors]
    alike: dict[Any, list[int]] = {}
    for place, each in enumerate(flat):
        key = (each.device, each.dtype, len(each)) if len(each) <= SMALL else place
        alike.setdefault(key, []).append(place)
    made = [(places, _numbers([flat[place] for place in places])) for places in alike.values()]
    found = [0] * len(flat)
    for device in {each.device for _, each in made}:
        here = [(places, each) for places, each in made if each.device == device]
        told = torch.cat([each for _, each in here]).tolist()
        for place, number in zip((place for places, _ in here for place in places), told, strict=True):
            found[place] = number
    return found


def _numbers(alike: Sequence[Any]) -> Any:
    """Of small tensors of one kind, which are most: all at once. Or of one large tensor, eight bytes at a time.

    Numbers of fewer bytes would be copied as such of eight, which is memory that training lacks.
    """
    import torch

    first = alike[0]
    size = first.element_size()
    narrow = {1: torch.uint8, 2: torch.int16, 4: torch.int32}.get(size, torch.int64)
    if len(first) <= SMALL:
        return _weighted(torch.stack(list(alike)).view(narrow).to(torch.int64))
    aligned = first.storage_offset() * size % WORD == 0
    whole = len(first) * size // WORD * WORD // size if aligned else 0
    words = [first[:whole].view(torch.int64)] if whole else []
    pieces = first[whole:].view(narrow).split(PIECE) if whole < len(first) else ()
    # One piece's copy at a time.
    parts = chain(words, (piece.to(torch.int64) for piece in pieces))
    return sum(_weighted(part[None]) * (2 * place + 1) for place, part in enumerate(parts))


def _weighted(rows: Any) -> Any:
    """Each row's sum, each times an odd number that hangs on its place: no one bit's move can vanish from that."""
    import torch

    odd = torch.arange(1, 2 * COLUMNS, 2, device=rows.device)
    whole = rows.shape[1] // COLUMNS * COLUMNS
    rest = (rows[:, whole:] * odd[: rows.shape[1] - whole]).sum(1)
    return (rows[:, :whole].reshape(len(rows), -1, COLUMNS).sum(1) * odd).sum(1) + rest if whole else rest


def differing(old: Sequence[int], new: Sequence[int]) -> int:
    """How many tensors are not as they were; those that came or went count."""
    return sum(a != b for a, b in zip(old, new, strict=False)) + abs(len(old) - len(new))


def told(changed: Sequence[tuple[int, Mapping[str, int]]]) -> dict[str, JSON]:
    """How often something changed, after how many updates first, and how many tensors of each kind did then."""
    if not changed:
        return {"found": 0}
    updates, others = changed[0]
    return {"found": len(changed), "updates": updates, **others}


METER = AcrossMeter
