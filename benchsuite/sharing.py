"""What the trials of one baseline have in common, stored once: encoded records to smaller ones and back.

Pure and lossless: five bit-identical trials cost little more than one. Looks at the structures of a
record (`SHARED`), not at its metrics, which stay readable trial by trial.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import codec
from .nouns import JSON, SuiteError

SHARED = ("case", "environment", "provenance", "fingerprint", "predictions")
"""Fields of an encoded record that stand once in a baseline where trials agree on them, whole or by entry."""
WORTH = 40
"""Characters from which a value is worth a reference."""


def share(trials: Sequence[Mapping[str, JSON]]) -> list[JSON]:
    """Encoded records with what equals an earlier trial's replaced by {"$same": that trial's number}."""
    first: dict[tuple[str, ...], int] = {}
    return [
        {name: _shared(sub, name, k, first) if name in SHARED else sub for name, sub in trial.items()}
        for k, trial in enumerate(trials)
    ]


def _shared(value: JSON, name: str, trial: int, first: dict[tuple[str, ...], int]) -> JSON:
    whole = _refer(value, (name,), trial, first)
    entries = {key: _refer(sub, (name, key), trial, first) for key, sub in value.items()}
    return whole if whole is not value else entries


def _refer(value: JSON, where: tuple[str, ...], trial: int, first: dict[tuple[str, ...], int]) -> JSON:
    text = codec.canonical(value)
    owner = first.setdefault((*where, text), trial)
    if owner != trial and len(text) > WORTH:
        return {"$same": owner}
    # A value that looks like one of our marks is wrapped, so that it is not taken for one.
    return {"$value": value} if isinstance(value, dict) and set(value) in ({"$same"}, {"$value"}) else value


def unshare(trials: Sequence[JSON]) -> list[JSON]:
    """The inverse of `share`.

    Raises:
        SuiteError: a reference to a trial that does not come before.
    """
    whole: list[JSON] = []
    for trial in trials:
        whole.append({name: _unshared(sub, name, whole) if name in SHARED else sub for name, sub in trial.items()})
    return whole


def _unshared(value: JSON, name: str, earlier: Sequence[JSON]) -> JSON:
    whole = _resolve(value, [trial[name] for trial in earlier])
    if whole is not value:
        return whole
    return {key: _resolve(sub, [trial[name].get(key) for trial in earlier]) for key, sub in value.items()}


def _resolve(value: JSON, earlier: Sequence[JSON]) -> JSON:
    if not isinstance(value, dict) or set(value) not in ({"$same"}, {"$value"}):
        return value
    if "$value" in value:
        return value["$value"]
    if value["$same"] not in range(len(earlier)):
        raise SuiteError(f"trial {len(earlier)} refers to trial {value['$same']}, which does not come before it")
    return earlier[value["$same"]]
