"""Something that worked with nothing pinned crashes now."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._looks import crashed, maps, packed, some
from benchsuite.rules._saved import TOKENIZER


def find(seen: Evidence) -> Clue | None:
    """A crash is a value now that was none before, anywhere in the fingerprint but where a rule of its own tells it."""
    told_elsewhere = tuple(found.where.rpartition(", ")[0] for found in maps(seen) if packed(found, now=True))
    hits = {
        metric: [hit for hit in crashed(*(seen.moved(metric) or (None, None))) if not _in(hit[0], told_elsewhere)]
        for metric in seen.like("*")
        if metric != TOKENIZER
    }
    hits = {metric: found for metric, found in hits.items() if found}
    if not hits:
        return None
    told = [f"{where or metric} ({text})" for metric, found in hits.items() for where, text in found]
    return Clue(words=f"crashes, and did not: {some(told, 2)}", parts=tuple(hits))


def _in(where: str, scenarios: tuple[str, ...]) -> bool:
    """Whether a crash lies in a scenario that is explained already: a head that is quantised ends in one."""
    return any(scenario and where.startswith(f"{scenario}.") for scenario in scenarios)


RULE = Rule(
    name="default_crash",
    rank=25,
    find=find,
    effects={"defaults.modes": 0},
    packages=("transformers", "peft", "bitsandbytes"),
)
