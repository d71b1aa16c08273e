"""One callback in the place of many: a Trainer calls all of them at every event, those too that do nothing there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def relay(callbacks: Sequence[Any]) -> Any:
    """A `TrainerCallback` that hands each event to those that have a method of their own for it, in their order.

    A step's end is told in the opposite order: between the marks of the last one there is nobody else's work. What they
    return is dropped: who only watches steers nothing.
    """
    from transformers import TrainerCallback

    class Relay(TrainerCallback):  # type: ignore[misc]
        """Events are set on the instance."""

    one = Relay()
    for event in filter(lambda name: name.startswith("on_"), dir(TrainerCallback)):
        base = getattr(TrainerCallback, event)
        own = [getattr(each, event) for each in callbacks if getattr(type(each), event, base) is not base]
        if event == "on_step_end":
            own.reverse()
        if own:
            setattr(one, event, own[0] if len(own) == 1 else _all(own))
    return one


def _all(handlers: Sequence[Callable[..., Any]]) -> Callable[..., None]:
    def each(*args: Any, **kwargs: Any) -> None:
        for handle in handlers:
            handle(*args, **kwargs)

    return each
