"""Norms divide by another epsilon."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import FUNCTION
from benchsuite.rules._looks import families, maps, unpinned


def find(seen: Evidence) -> Clue | None:
    """Modules that both sides have differ in `eps`."""
    for found in maps(seen):
        other = [(name, a, b) for name, a, b in found.shared() if a.get("eps") != b.get("eps")]
        if other:
            _, old, new = other[0]
            which = families((name, entry) for name, entry, _ in other)
            return Clue(
                unpinned=bool(found.where),
                words=f"{unpinned(found.where)}eps of {len(other)} norms is {new.get('eps')}, "
                f"was {old.get('eps')} ({which})",
                parts=(found.metric,),
            )
    return None


RULE = Rule(name="epsilon", rank=22, find=find, effects={**FUNCTION, "model.modules*": 0}, packages=("transformers",))
