"""What rules share: reading module maps and saying lists and numbers. Not a rule itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from benchsuite.evidence import Evidence
from benchsuite.judges._diff import Move, moves
from benchsuite.judges.values import common
from benchsuite.nouns import JSON
from benchsuite.units import is_number, show

QUANTISED = ("4bit", "8bit")
HEADS = ("classifier", "score", "classification_head", "lm_head", "qa_outputs")
MODULES = "model.modules*"
RELOADED = "model.modules.reloaded"
"""A map that no transform made: rules of what trains leave it to `reloaded_model`."""
DEFAULTS = "defaults.modules"
STORED = "defaults.loaded"
"""What the builds of `DEFAULTS` store after loading: elements by dtype, and bytes."""
LARGE = 1_000_000
CRASH = "crash:"
"""How a crash that was recorded as a value begins."""

Entry = Mapping[str, JSON]
Map = Mapping[str, Entry]


@dataclass(frozen=True)
class Maps:
    """Two module maps of one build that moved, each module in both of them."""

    metric: str
    where: str
    """"" for the suite's own build; else how somebody who pins nothing built it."""
    old: Map
    new: Map

    def shared(self) -> Iterator[tuple[str, Entry, Entry]]:
        """Modules that both sides have."""
        for name, entry in self.old.items():
            if name in self.new:
                yield name, entry, self.new[name]


def maps(seen: Evidence) -> tuple[Maps, ...]:
    """Every pair of module maps whose verdict says that they moved; the suite's own build first."""
    found = []
    for metric in (*(name for name in seen.like(MODULES) if name != RELOADED), *seen.like(DEFAULTS)):
        old, new = seen.moved(metric) or ({}, {})
        if metric == DEFAULTS:
            found += [
                Maps(metric, where, a, new_maps[where])
                for new_maps in [dict(_nested(new))]
                for where, a in _nested(old)
                if where in new_maps
            ]
        else:
            found.append(Maps(metric, "", _entries(old), _entries(new)))
    return tuple(found)


def _nested(value: JSON, where: str = "") -> Iterator[tuple[str, Map]]:
    """Module maps at any depth of a table of scenarios, by the path to them."""
    if not isinstance(value, Mapping):
        return
    if isinstance(value.get("modules"), Mapping):
        yield where, _entries(value["modules"])
        return
    for name, sub in value.items():
        yield from _nested(sub, f"{where}, {name}" if where else str(name))


def _entries(value: JSON) -> Map:
    if not isinstance(value, Mapping):
        return {}
    parsed = {name: _parsed(sub) if isinstance(sub, str) else sub for name, sub in value.items()}
    return {name: entry for name, entry in parsed.items() if isinstance(entry, Mapping)}


def _parsed(words: str) -> Entry | None:
    """An entry that was recorded in few words: "Linear4bit uint8 nf4, trains"."""
    match = re.fullmatch(r"(?P<class>\w+) (?P<dtype>\w+)(?: (?P<quant>\w+))?(?P<trains>, trains)?", words)
    if match is None:
        return None
    found: dict[str, JSON] = {name: text for name, text in match.groupdict().items() if text}
    return {**found, "trains": bool(match["trains"])}


def first(seen: Evidence, *metrics: str) -> tuple[str, JSON, JSON] | None:
    """The first of these metrics that moved, with its old and new value; a crash is no value."""
    for metric in metrics:
        pair = seen.moved(metric)
        if pair is not None and not any(is_crash(value) for value in pair):
            return metric, *pair
    return None


def packed(found: Maps, *, now: bool) -> list[str]:
    """Modules on both sides that are quantised only now, or only were."""
    return [name for name, old, new in found.shared() if is_quantised(new) is now and is_quantised(old) is not now]


def stored(value: JSON, build: str) -> dict[str, float]:
    """What a build stores, "bytes" and elements by dtype, from the words of `STORED`; empty where there are none."""
    words = value.get(build) if isinstance(value, Mapping) else None
    found = re.findall(r"(\d+) (\w+)", words) if isinstance(words, str) and not is_crash(words) else []
    return {name: float(count) for count, name in found}


def crashed(old: JSON, new: JSON, where: str = "") -> Iterator[tuple[str, str]]:
    """Places that hold a crash and held none before, each with its words."""
    if is_crash(new) and not is_crash(old):
        yield where, new.removeprefix(CRASH).strip()
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in new:
            if name in old:
                yield from crashed(old[name], new[name], f"{where}.{name}" if where else str(name))


def values_moved(seen: Evidence, metric: str) -> list[Move]:
    """Values that both sides of a table name and that differ, as the judge of such tables sees them."""
    moved = first(seen, metric)
    return list(moves(common(moved[1], moved[2]), common(moved[2], moved[1]))) if moved else []


def default_moved(seen: Evidence, word: str) -> bool:
    """Whether the default of an argument whose name holds `word` moved: `default_values` tells that already."""
    return any(word in move.path for move in values_moved(seen, "defaults.signatures"))


def is_crash(value: JSON) -> bool:
    """Whether a value says that measuring it crashed."""
    return isinstance(value, str) and value.startswith(CRASH)


def is_quantised(entry: Entry) -> bool:
    """Whether a module's weight is packed."""
    name = str(entry.get("class", "")).lower()
    return bool(entry.get("quant")) or any(part in name for part in QUANTISED)


def family(name: str, entry: Entry) -> str:
    """What people call a module: "embeddings", "LayerNorm", "classifier", or the last word of its name."""
    kind = str(entry.get("class", ""))
    if "norm" in kind.lower() or "norm" in name.rpartition(".")[2].lower():
        return "LayerNorm" if "layer" in (kind + name).lower() else "norms"
    if "embedding" in kind.lower() or "embedding" in name.lower():
        return "embeddings"
    words = [word for word in name.split(".") if not word.isdigit()]
    return next((word for word in words if word in HEADS or word == "pooler"), words[-1] if words else name)


def families(found: Iterable[tuple[str, Entry]]) -> str:
    """Families of modules, as "embeddings, LayerNorm, classifier": each once, in the order given."""
    return some(dict.fromkeys(family(name, entry) for name, entry in found))


def is_dropout(entry: Entry) -> bool:
    """Whether a module is dropout."""
    return "dropout" in entry or entry.get("class") == "Dropout"


def is_head(name: str) -> bool:
    """Whether a module is the classifier under one of its usual names."""
    return any(word in HEADS for word in name.split("."))


def short(name: str) -> str:
    """A module's name without what wrappers put before it."""
    return re.sub(r"^(base_model\.)?(model\.)?", "", name)


def some(names: Iterable[str], most: int = 4) -> str:
    """Names in one line, as "a, b, c, d and 3 more"."""
    every = list(names)
    more = len(every) - most
    return ", ".join(every[:most]) + (f" and {more} more" if more > 0 else "")


def amount(number: float) -> str:
    """A number for people, as "24.0 M" or "1,538"."""
    return f"{number / LARGE:.1f} M" if abs(number) >= LARGE else f"{number:,.0f}"


def size(number: float) -> str:
    """Bytes for people."""
    return show(number, "B")


def unpinned(where: str) -> str:
    """Words before a cause that shows only where nothing is pinned; empty for the suite's own build."""
    return f"with nothing pinned ({where}), " if where else ""


def values(value: JSON, key: str) -> list[JSON]:
    """Every value that a structure holds under `key`, at any depth."""
    if isinstance(value, Mapping):
        own = [value[key]] if key in value else []
        return own + [found for sub in value.values() for found in values(sub, key)]
    if isinstance(value, list | tuple):
        return [found for sub in value for found in values(sub, key)]
    return []


COLUMNS = {
    "input_ids": "token ids", "attention_mask": "attention masks", "token_type_ids": "token types",
    "lengths": "lengths", "labels": "labels", "rows": "number of rows",
}  # fmt: skip


def columns(old: JSON, new: JSON) -> list[str]:
    """Columns in which two tables of digests differ, as people call them."""
    names = [move.path.rpartition(".")[2] for move in moves(old, new)]
    return list(dict.fromkeys(COLUMNS.get(name, name) for name in names))


def number(value: JSON, key: str) -> float | None:
    """A number that a table holds under `key`, or None."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return float(found) if found is not None and is_number(found) else None


def larger(old: JSON, new: JSON) -> list[tuple[str, float, float]]:
    """Names whose number differs between two tables, with both (0 where absent), the largest move first."""
    tables = [value if isinstance(value, Mapping) else {} for value in (old, new)]
    names = dict.fromkeys([*tables[0], *tables[1]])
    pairs = [(name, *(number(table, name) or 0.0 for table in tables)) for name in names]
    moved = [(name, a, b) for name, a, b in pairs if a != b]
    return sorted(moved, key=lambda move: -abs(move[2] - move[1]))


def counted(moves: Iterable[tuple[str, float, float]], most: int = 3) -> str:
    """Moves in one line, as "dequantise 96 -> 120, gemm 300 -> 310"."""
    return some([f"{kernel(name)} {a:g} -> {b:g}" for name, a, b in moves], most)


def kernel(name: str) -> str:
    """A kernel's or operator's name without its template arguments, short enough for a line."""
    plain = re.sub(r"<.*|\.default$|^void |^aten(::|\.)|\(anonymous namespace\)::", "", name)
    return plain if len(plain) <= 48 else f"{plain[:45]}..."  # noqa: PLR2004 - half a line


def same_number(seen: Evidence, metric: str) -> bool:
    """Whether a number is on both sides, and the same within the smallest count that counts."""
    pair = seen.numbers(metric)
    return pair is not None and seen.moved(metric) is None
