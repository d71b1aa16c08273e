"""Another model is reloaded than was, though the same one trained: frozen, scaled or wrapped otherwise."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import RELOADED, short, some
from benchsuite.rules._saved import DRIFT, acting, rebuilt

TRAINS, DTYPE = "trains", "dtype"


def find(seen: Evidence) -> Clue | None:
    """Modules of the reloaded model differ, and no configuration says why."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, field, words in rebuilt(seen):
        # Other dtypes are `unquantised_dtype`'s to tell; what another configuration makes, `saved_config`'s.
        counted = field == DTYPE and seen.moved("model.dtypes.reloaded")
        if not counted and (field == TRAINS or not acting(seen)):
            found.setdefault((field, words), []).append(name)
    if not found:
        return None
    told = [f"{_said(*what)} of {len(names)} modules ({some(map(short, names), 2)})" for what, names in found.items()]
    drift = seen.like(DRIFT) if any(field != TRAINS for field, _ in found) else ()
    return Clue(words=f"the reloaded model is another: {some(told, 2)}", parts=(RELOADED, *drift))


def _said(field: str, words: str) -> str:
    """What moved, with a module that came or went as no more than that."""
    return f"{field} {words}" if field else words.partition(" ")[0]


RULE = Rule(
    name="reloaded_model",
    rank=14,
    find=find,
    effects={"quality.*.reloaded": 0, "function.merge_drift": 0, "vram.after_reload": 0},
    packages=("peft", "transformers"),
)
