"""Weight decay reaches other tensors, or a group obeys other settings (lr, betas, eps)."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import some

OWN, DEFAULT, RATES = "optimizer.groups", "defaults.optimizer", "optimizer.lr"
AFTER = "optimizer.groups.after"
RATE_WORDS = ("lr ", "initial_lr ")
SETTINGS = ("lr", "initial_lr", "betas", "eps", "weight_decay", "amsgrad", "maximize")


def _groups(value: JSON) -> list[Mapping[str, JSON]]:
    found = value.get("groups") if isinstance(value, Mapping) else value
    return [group for group in found if isinstance(group, Mapping)] if isinstance(found, list) else []


def _decay(groups: list[Mapping[str, JSON]]) -> dict[str, int]:
    """Tensors under each weight decay that is not 0."""
    found: dict[str, int] = {}
    for group in groups:
        decay = group.get("weight_decay")
        if decay:
            found[str(decay)] = found.get(str(decay), 0) + _tensors(group)
    return found


def _tensors(group: Mapping[str, JSON]) -> int:
    tensors = group.get("tensors")
    return tensors if isinstance(tensors, int) else 0


def _settings(groups: list[Mapping[str, JSON]]) -> dict[str, str]:
    return {
        name: some(dict.fromkeys(str(group[name]) for group in groups if name in group))
        for name in SETTINGS
        if any(name in group for group in groups)
    }


def _told(old: list[Mapping[str, JSON]], new: list[Mapping[str, JSON]]) -> list[str]:
    a, b = _decay(old), _decay(new)
    lines = [
        f"weight decay {decay} reaches {b.get(decay, 0)} tensors, did {a.get(decay, 0)}"
        for decay in dict.fromkeys((*a, *b))
        if a.get(decay) != b.get(decay)
    ]
    sizes = [" and ".join(str(tensors) for g in groups if (tensors := _tensors(g))) for groups in (old, new)]
    if sizes[0] != sizes[1] and not lines:
        lines.append(f"their tensors are {sizes[1]}, were {sizes[0]}: decay reaches others, where there is any")
    first_, second = _settings(old), _settings(new)
    names = [n for n in SETTINGS if first_.get(n) != second.get(n) and not (n == "weight_decay" and lines)]
    return lines + [f"{name} is {second.get(name, 'absent')}, was {first_.get(name, 'absent')}" for name in names]


def find(seen: Evidence) -> Clue | None:
    """Tensors under decay, or a setting of a group, differ; the rate's course is told by `learning_rate`."""
    told = {metric: _told(*map(_groups, seen.moved(metric) or (None, None))) for metric in (OWN, AFTER, DEFAULT)}
    if seen.moved(RATES):
        for metric in (OWN, AFTER):
            told[metric] = [line for line in told[metric] if not line.startswith(RATE_WORDS)]
    parts = [metric for metric, lines in told.items() if lines]
    if not parts:
        return None
    unpinned = parts == [DEFAULT]
    where = "with nothing pinned, " if unpinned else "after training, " if parts[0] == AFTER else ""
    return Clue(words=f"{where}optimizer groups: {some(told[parts[0]])}", parts=tuple(parts), unpinned=unpinned)


RULE = Rule(
    name="optimizer_groups",
    rank=30,
    find=find,
    effects={**CURVE, **either(WORK), AFTER: 0},
    unless=("trainable_set", "quantised_set"),
    packages=("transformers", "torch"),
)
