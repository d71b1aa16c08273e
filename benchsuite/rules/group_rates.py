"""Updates obey another learning rate than their step began with: a group without schedule, or a schedule too early."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import CURVE
from benchsuite.rules._looks import first, number, some

RATES = "optimizer.lr.groups"


def find(seen: Evidence) -> Clue | None:
    """A group's rates are no longer those of the steps."""
    moved = first(seen, RATES)
    if moved is None or not all(isinstance(side, Mapping) for side in moved[1:]):
        return None
    told = list(_told(*moved[1:]))
    return Clue(words=f"updates obey another learning rate than the schedule's: {some(told)}", parts=(RATES,))


def _told(old: JSON, new: JSON) -> Iterator[str]:
    groups = new if isinstance(new, Mapping) else {}
    before = old if isinstance(old, Mapping) else {}
    alike: dict[str, list[str]] = {}
    for name, now in groups.items():
        if now != before.get(name):
            alike.setdefault(_said(now), []).append(name)
    yield from (f"that of {some(names)} {words}" for words, names in alike.items())
    yield from (f"there is no {name}" for name in before if name not in groups)


def _said(now: JSON) -> str:
    count, rate, begun, at = (number(now, key) for key in ("otherwise", "rate", "begun", "from"))
    if count and rate is not None and begun is not None:
        return f"is {rate:.3g} at step {at or 0:g}, which began with {begun:.3g} (in {count:g} steps)"
    return "is the steps' own, and was not" if count == 0 else "is another"


RULE = Rule(
    name="group_rates",
    rank=29,
    find=find,
    effects={**CURVE, "trainer.log": 0, "optimizer.groups.after": 0, "defaults.resumed": 0},
    unless=("optimizer_groups", "trainable_set", "quantised_set"),
    packages=("transformers", "accelerate", "torch"),
)
