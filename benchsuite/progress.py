"""Shows a trial's progress: a live line where the terminal is one, one line a trial elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape

from .nouns import Estimate
from .units import duration

__all__ = ["describe", "duration", "shown", "trials"]


@contextmanager
def shown(console: Console, label: str) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """A context around one trial; what it yields takes the worker's progress events."""
    began = time.monotonic()
    if not console.is_terminal:
        yield lambda _: None
    else:
        with console.status(escape(label)) as status:
            yield _teller(status.update, label)
    console.print(f"{label}: {time.monotonic() - began:.1f} s", highlight=False, markup=False)


def _teller(update: Callable[[str], None], label: str) -> Callable[[Mapping[str, Any]], None]:
    words = ""

    def tell(event: Mapping[str, Any]) -> None:
        nonlocal words
        words = describe(event, words)
        update(escape(f"{label}: {words}" if words else label))

    return tell


def describe(event: Mapping[str, Any], before: str) -> str:
    """An event in a few words; what says nothing new leaves what was shown."""
    if "phase" in event:
        return str(event["phase"])
    if "step" in event:
        return f"train, step {event['step']} of {event['of']}"
    return before


def trials(estimate: Estimate) -> str:
    """How many trials a run makes: "2 trials", or "at most 20 trials, 10 of them only where a gate is inconclusive"."""
    count = f"{estimate.trials} {'trial' if estimate.trials == 1 else 'trials'}"
    return f"at most {count}, {estimate.added} of them only where a gate is inconclusive" if estimate.added else count
