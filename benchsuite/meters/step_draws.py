"""Whether random generators stand anew at each training step, or come back to where they stood before.

A generator that comes back draws the same numbers again, dropout's among them: a seed set where each step begins does
that, and neither the phases' borders nor a loss need show it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..nouns import JSON
from ..scene import Scene
from ._probing import SessionMeter, exact
from .rng import states

STEPS = exact("seeds.steps", "how random generators stand as training steps begin")
NEW, STILL, BACK = "new at each step", "where it stood a step before", "back where it once stood"


class StepDrawsMeter(SessionMeter):
    """Reads states at the begin of every step of the probe's training, before any instrument."""

    name = "step_draws"
    metrics = (STEPS,)

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Mapping[str, JSON]] = []

    def begins(self, scene: Scene) -> None:
        """See `SessionMeter.begins`."""
        self.seen.append(states(cuda=scene.on_cuda))

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return {STEPS.name: told(self.seen)}


def told(seen: Sequence[Mapping[str, JSON]]) -> dict[str, JSON]:
    """Of each generator how it moves, from its states at one step after another; nothing of fewer than two steps."""
    first, *rest = seen or ({},)
    return {name: course([str(states[name]) for states in seen]) for name in first} if rest else {}


def course(states: Sequence[str]) -> str:
    """How one generator moves. One that only an evaluation moves stands still from step to step."""
    moved = [state for before, state in zip([None, *states], states, strict=False) if state != before]
    if len(set(moved)) < len(moved):
        return BACK
    return NEW if len(moved) == len(states) else STILL


METER = StepDrawsMeter
