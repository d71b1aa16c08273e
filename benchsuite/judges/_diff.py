"""Differences of arbitrary JSON, for people: pure, shared by judges. Not a judge itself."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchsuite.nouns import JSON
from benchsuite.units import is_number

LINES = 12
"""Lines after which a diff only says how many more there are."""
SERIES = 8
"""Numbers from which on a list is told as a series, not element by element."""
WIDTH = 60
LISTED = 6
"""Numbers of a gapped group that are spelled out."""

NAMED = 4
"""Places of one leaf that are named where many moved alike."""
PLACED = 120
"""Characters after which no further place is named."""
ALIKE = 3
"""Lines that differ in nothing but the place from which on they are told as one."""

DIGEST = re.compile(r"[0-9a-f]{12,128}")
PLACES = re.compile(r" \(\d+ places\)$")
NUMBER = re.compile(r"(?<=[.\[])\d+(?=[.\]]|$)|^\d+(?=[.\]]|$)")


@dataclass(frozen=True)
class Move:
    """One place where two structures differ."""

    path: str
    words: str
    size: float = math.nan
    """By how much a number moved; NaN where none did."""


def plain(value: JSON) -> JSON:
    """`value` as it comes back from a file: lists for tuples, texts for keys."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value


def same(old: JSON, new: JSON) -> bool:
    """Equality where NaN equals NaN, and true is not 1."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(same(old[k], new[k]) for k in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(same(a, b) for a, b in zip(old, new, strict=True))
    if is_number(old) and is_number(new):
        return bool(old == new) or (old != old and new != new)  # noqa: PLR0124
    return type(old) is type(new) and bool(old == new)


def brief(value: JSON) -> JSON:
    """A value as a person should see it: scalars as they are, structures as their size."""
    if isinstance(value, dict):
        return f"{len(value)} entries"
    if isinstance(value, list):
        return f"{len(value)} values"
    if is_number(value):
        return value if _finite(value) else str(value)
    return text(value)


def _finite(value: JSON) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def text(value: JSON) -> str:
    """A value in one short line."""
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    said = (" ".join(said.split()) or '""') if isinstance(value, str) else said
    return said if len(said) <= WIDTH else f"{said[: WIDTH - 3]}..."


def lines(old: JSON, new: JSON) -> list[str]:
    """The differences, those that moved alike in one line, at most `LINES` and a count of the rest."""
    grouped = _alike(_grouped(_by_size(list(moves(old, new)))))
    shown = [f"{path}: {words}" if path else words for path, words in grouped[:LINES]]
    more = len(grouped) - LINES
    return [*shown, f"and {more} more"] if more > 0 else shown


def moves(old: JSON, new: JSON, path: str = "") -> Iterator[Move]:
    """Every place where two structures differ; a whole branch that came or went is one place."""
    if same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(k for k in new if k not in old)]:
            yield from _member(old, new, key, f"{path}.{key}" if path else str(key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(old, new, path)
    elif _is_digest(old) and _is_digest(new):
        # Their digits tell nobody anything, and would keep places that moved alike apart.
        yield Move(path, "another digest")
    else:
        yield Move(path, f"{text(old)} -> {text(new)}", _size(old, new))


def _is_digest(value: JSON) -> bool:
    return isinstance(value, str) and bool(DIGEST.fullmatch(value))


def _size(old: JSON, new: JSON) -> float:
    return _apart(old, new) if is_number(old) and is_number(new) else math.nan


def _by_size(found: list[Move]) -> list[Move]:
    """A census is read from its largest move on; anything else keeps the order of its structure."""
    if any(math.isnan(move.size) for move in found):
        return found
    return sorted(found, key=lambda move: -move.size)


def _member(old: Mapping[str, JSON], new: Mapping[str, JSON], key: str, path: str) -> Iterator[Move]:
    if key not in new:
        yield Move(path, f"removed (was {text(old[key])})", _size(old[key], 0))
    elif key not in old:
        yield Move(path, f"added ({text(new[key])})", _size(0, new[key]))
    else:
        yield from moves(old[key], new[key], path)


def _lists(old: Sequence[JSON], new: Sequence[JSON], path: str) -> Iterator[Move]:
    if len(old) >= SERIES and all(is_number(v) for v in (*old, *new)):
        yield Move(path, _series(old, new))
        return
    if _is_set(old) and _is_set(new):
        yield Move(path, _set(old, new))
        return
    if len(old) != len(new):
        yield Move(path, f"length {len(old)} -> {len(new)}")
    for i, (a, b) in enumerate(zip(old, new, strict=False)):
        yield from moves(a, b, f"{path}[{i}]")
    for i in range(len(old), len(new)):
        yield Move(f"{path}[{i}]", f"added ({text(new[i])})")
    for i in range(len(new), len(old)):
        yield Move(f"{path}[{i}]", f"removed (was {text(old[i])})")


def _is_set(value: Sequence[JSON]) -> bool:
    return len(set(map(str, value))) == len(value) and all(isinstance(name, str) for name in value)


def _set(old: Sequence[str], new: Sequence[str]) -> str:
    """Names that came and went; by index one that came would make all behind it differ."""
    sides = (("added", new, old), ("removed", old, new))
    parts = [f"{words} {_named(gone)}" for words, a, b in sides if (gone := [name for name in a if name not in b])]
    return "; ".join(parts) or "the same names in another order"


def _series(old: Sequence[JSON], new: Sequence[JSON]) -> str:
    pairs = list(zip(old, new, strict=False))
    apart = [i for i, (a, b) in enumerate(pairs) if not same(a, b)]
    parts = [f"length {len(old)} -> {len(new)}"] if len(old) != len(new) else []
    if apart:
        a, b = pairs[apart[0]]
        largest = max(_apart(*pairs[i]) for i in apart)
        parts += [f"first differs at [{apart[0]}]: {text(a)} -> {text(b)}"]
        parts += [f"{len(apart)} of {len(pairs)} differ, by at most {largest:.3g}"]
    return "; ".join(parts)


def _apart(old: JSON, new: JSON) -> float:
    try:
        return abs(float(new) - float(old))
    except OverflowError:
        return math.inf


def _grouped(found: Sequence[Move]) -> list[tuple[str, str]]:
    groups: dict[tuple[str, str], list[Move]] = {}
    for move in found:
        groups.setdefault((NUMBER.sub("{}", move.path), move.words), []).append(move)
    return [_group(template, words, members) for (template, words), members in groups.items()]


def _group(template: str, words: str, members: Sequence[Move]) -> tuple[str, str]:
    if len(members) == 1:
        return members[0].path, words
    columns = zip(*(NUMBER.findall(m.path) for m in members), strict=True)
    spans = iter([_span(sorted({int(n) for n in column})) for column in columns])
    path = re.sub(r"\{\}", lambda _: next(spans), template)
    return path, f"{words} ({len(members)} places)"


def _alike(found: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Groups that differ in nothing but the place told as one, under the last word of their paths if they share it."""
    groups: dict[str, list[str]] = {}
    for path, words in found:
        groups.setdefault(PLACES.sub("", words), []).append(path)
    merged = {words for words, paths in groups.items() if len(paths) >= ALIKE and all(paths)}
    lines: dict[tuple[str, str], tuple[str, str]] = {}
    for path, words in found:
        bare = PLACES.sub("", words)
        if bare in merged:
            lines["", bare] = _merged(groups[bare], bare)
        else:
            lines[path, words] = path, words
    return list(lines.values())


def _merged(paths: Sequence[str], words: str) -> tuple[str, str]:
    places, leaves = zip(*(path.rpartition(".")[::2] for path in paths), strict=True)
    shared = len(set(leaves)) == 1 and all(places)
    return (leaves[0], f"{words} in {_named(places)}") if shared else ("", f"{words} in {_named(paths)}")


def _named(places: Sequence[str]) -> str:
    named = [place for i, place in enumerate(places[:NAMED]) if not i or len(", ".join(places[: i + 1])) <= PLACED]
    more = len(places) - len(named)
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def _span(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return str(numbers[0])
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{{{numbers[0]}..{numbers[-1]}}}"
    head = ",".join(str(n) for n in numbers[:LISTED])
    return f"{{{head}{',...' if len(numbers) > LISTED else ''}}}"
