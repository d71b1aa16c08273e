"""Gradient checkpointing went on or off: logits stay bit-identical, a step takes 1.4 times as long.

Or it reaches more or fewer layers, which is a share of that.
"""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.rules._effects import ACTIVATIONS, CURVE, TRAIN_TIME, WORK
from benchsuite.rules._looks import DEFAULTS, default_moved, first, some

OWN, KIND, LAYERS = "model.checkpointing", "model.checkpointing.kind", "model.checkpointing.layers"
DEFAULT = "defaults.checkpointing"
FLAG = ".checkpointing"
MEMORY = {glob: -way for glob, way in ACTIVATIONS.items()}


def find(seen: Evidence) -> Clue | None:
    """The flag differs, in the suite's own build or in one with nothing pinned."""
    unpinned = _flags(seen)
    parts = (*seen.like(OWN, KIND, LAYERS, DEFAULT), *((DEFAULTS,) if unpinned else ()))
    if not parts:
        return None
    moved = first(seen, OWN)
    layers = seen.number_moved(LAYERS)
    if moved is None and layers is not None:
        words = f"gradient checkpoints are made by {layers[1]:.0f} layers, were by {layers[0]:.0f}"
        return Clue(words=words, parts=parts, direction=1 if layers[1] > layers[0] else -1)
    kind = first(seen, KIND)
    if moved is None and kind is not None:
        was, now = (some(map(str, side)) if isinstance(side, list) else str(side) for side in kind[1:])
        more = "use_reentrant=False" in now  # keeps its own account of saved tensors, in Python
        words = f"checkpoints are made otherwise: by {now}, were by {was}"
        return Clue(words=words, parts=parts, direction=1 if more else -1)
    if moved is None and default_moved(seen, "checkpointing"):
        return None
    if moved is None:
        where = f" ({some(unpinned, 1)})" if unpinned else ""
        return Clue(
            words=f"with nothing pinned{where}, gradient checkpointing is not what it was", parts=parts, unpinned=True
        )
    on = bool(moved[2])
    state = "on, was off" if on else "off, was on"
    return Clue(words=f"gradient checkpointing is {state}", parts=parts, direction=1 if on else -1)


def _flags(seen: Evidence) -> list[str]:
    """Builds with nothing pinned whose flag moved."""
    old, new = seen.moved(DEFAULTS) or (None, None)
    paths = [move.path for move in moves(old, new) if "->" in move.words]
    return [path.removesuffix(FLAG) for path in paths if path.endswith(FLAG)]


RULE = Rule(
    name="checkpointing",
    rank=40,
    find=find,
    effects={**TRAIN_TIME, **WORK, **MEMORY, **CURVE, "input.*": 0},
    packages=("transformers", "peft"),
)
