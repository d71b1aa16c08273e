"""What rules of the saved folder share: how to read its parts. Not a rule itself. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Evidence
from benchsuite.judges._diff import Move, moves
from benchsuite.nouns import JSON
from benchsuite.rules._looks import RELOADED, first, is_crash, values_moved

FILES, WRITTEN, CONFIG, TOKENIZER = "saved.files", "saved.written", "saved.config", "saved.tokenizer"
TENSORS, BYTES, DRIFT = "saved.tensors", "saved.bytes", "function.reload_drift"
RESTORED = (RELOADED, "model.dtypes.reloaded", DRIFT, "function.merge_drift", "quality.*.reloaded", "quality.logits")
"""What is read from the reloaded model."""
NAMES = frozenset({"id2label", "label2id", "problem_type", "architectures", "task_type"})
"""Keys of a configuration that say how a model is called and used, and change no figure that it computes."""
MODULES = "model.modules"
"""The map of what trained."""


def said(seen: Evidence) -> list[Move]:
    """Values of the saved configuration that moved; what cannot be read any more is one of them."""
    return values_moved(seen, CONFIG)


def acting(seen: Evidence) -> bool:
    """Whether one of them makes another model when it is read, and the model that trained is what it was."""
    built = any(NAMES.isdisjoint(move.path.split(".")) for move in said(seen))
    return built and seen.moved(MODULES) is None


def names(seen: Evidence, metric: str) -> tuple[dict[str, JSON], dict[str, JSON]]:
    """What went from a table that moved, and what came to it."""
    moved = first(seen, metric)
    old, new = moved[1:] if moved is not None else ({}, {})
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return {}, {}
    return {n: v for n, v in old.items() if n not in new}, {n: v for n, v in new.items() if n not in old}


def rebuilt(seen: Evidence) -> list[tuple[str, str, str]]:
    """Module, field and words wherever the reloaded model differs, and what was loaded and trained does not."""
    moved = first(seen, RELOADED)
    if moved is None or not all(isinstance(side, Mapping) for side in moved[1:]):
        return []
    known = {move.path for metric in (MODULES, f"{MODULES}.loaded") for move in _moves(seen, metric)}
    _, old, new = moved
    found = [
        (name, move.path, move.words)
        for name in dict.fromkeys((*old, *new))
        for move in moves(_alone(old, name), _alone(new, name))
    ]
    return [(name, field, words) for name, field, words in found if f"{name}.{field}".rstrip(".") not in known]


def _alone(table: Mapping[str, JSON], name: str) -> dict[str, JSON]:
    return {"": table[name]} if name in table else {}


def _moves(seen: Evidence, metric: str) -> list[Move]:
    pair = seen.moved(metric)
    return list(moves(*pair)) if pair is not None and not any(map(is_crash, pair)) else []
