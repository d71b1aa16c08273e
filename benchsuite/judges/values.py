"""Judges tables of named values: a value that changed is `changed`, a name that came or went is no fault.

For default values and arguments, whose names come and go with releases; `exact` judges what both
sides name. Names are compared at every depth of nested tables. What is unset is the same however a
release writes that: null, an empty text or list, a table in which nothing is on; and "no" is false.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from benchsuite.judges._common import Trials
from benchsuite.judges.exact import JUDGE as EXACT
from benchsuite.nouns import JSON, Finding, Kind, Measured, Metric

TOLD = 6
"""Names that came or went that are told one by one; `defaults.names` has them all."""


@dataclass(frozen=True)
class Values:
    """Compares what both sides name; says which names are new or gone."""

    name: str = "values"
    kind: Kind | None = None

    def __call__(self, metric: Metric, old: Trials, new: Trials) -> Finding:
        """Judge; see the module."""
        first, second = old[0].value, new[0].value
        found = EXACT(metric, _like(old, second), _like(new, first))
        came, went = names(second, first), names(first, second)
        said = [found.detail, _told("new names: ", came), _told("names gone: ", went)]
        return replace(found, detail="\n".join(line for line in said if line))


def _like(trials: Trials, other: JSON) -> Trials:
    return tuple(Measured(value=common(trial.value, other), samples=trial.samples) for trial in trials)


def common(value: JSON, other: JSON) -> JSON:
    """`value` without the names that `other` lacks, and each way to write one thing as one: what is compared."""
    if not isinstance(value, Mapping) or not isinstance(other, Mapping):
        return None if is_unset(value) else False if value == "no" else value
    return {name: common(sub, other[name]) for name, sub in value.items() if name in other}


def is_unset(value: JSON) -> bool:
    """Whether a value says no more than null does; false and 0 say more, but where a whole table is of them."""
    if isinstance(value, Mapping):
        return all(is_unset(sub) or (not isinstance(sub, str) and sub == 0) for sub in value.values())
    return value is None or (isinstance(value, str | list | tuple) and not value)


def names(value: JSON, other: JSON, where: str = "") -> list[str]:
    """Paths in `value` that `other` lacks, the highest of each."""
    if not isinstance(value, Mapping) or not isinstance(other, Mapping):
        return []
    found = []
    for name, sub in value.items():
        path = f"{where}.{name}" if where else str(name)
        found += names(sub, other[name], path) if name in other else [path]
    return found


def _told(words: str, paths: list[str]) -> str:
    more = f" and {len(paths) - TOLD} more" if len(paths) > TOLD else ""
    return f"{words}{', '.join(sorted(paths)[:TOLD])}{more}" if paths else ""


JUDGE = Values()
