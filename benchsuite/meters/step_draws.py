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
NEW, MOST, STILL = "new at each step", "new at most steps", "where it stood a step before"
BACK = "back where it once stood"


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
    return {name: course([str(stood[name]) for stood in seen]) for name in first} if rest else {}


def course(stood: Sequence[str]) -> str:
    """How one generator moves. One that only an evaluation moves stands still from step to step."""
    places = [place for before, place in zip([None, *stood], stood, strict=False) if place != before]
    if len(set(places)) < len(places):
        return BACK
    steps, moves = len(stood) - 1, len(places) - 1
    return NEW if moves == steps else MOST if moves > steps / 2 else STILL


METER = StepDrawsMeter
