"""The allocator's peak moved in some phases and not in others; says which."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import size, some

PREFIX = "vram.peak."
STEP, REQUESTS = "memory.peak.step", "count.allocations.step"


def find(seen: Evidence) -> Clue | None:
    """A phase's peak, or that of a step, differs."""
    moved = {name: pair for name in seen.like(f"{PREFIX}*", STEP) if (pair := seen.number_moved(name))}
    if not moved:
        return None
    phases = [f"{name.removeprefix(PREFIX).replace(STEP, 'a step')} by {size(b - a)}" for name, (a, b) in moved.items()]
    still = [name.removeprefix(PREFIX) for name in seen.verdicts if name.startswith(PREFIX) and name not in moved]
    rest = f"; not in {some(still)}" if still else ""
    way = 1 if any(b > a for a, b in moved.values()) else -1
    grew = "grew" if way > 0 else "fell"
    return Clue(words=f"memory {grew} in {some(phases)}{rest}", direction=way)


RULE = Rule(
    name="phase_memory",
    rank=55,
    find=find,
    effects={"vram.*": 1, "memory.peak.*": 1, REQUESTS: 0, "ram.*": 1},
    packages=("torch", "bitsandbytes", "transformers", "accelerate"),
)
