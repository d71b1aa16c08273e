"""Nouns to JSON text and back, losslessly and driven by their type hints.

Pure: text in, values out. Covers every frozen dataclass of `nouns` (nested dataclasses, enums,
tuples, mappings, unions with None; what is hinted as `JSON` passes through) and numbers that JSON
does not have (NaN and the infinities). Does not cover files, seals or schema versions (`store` does),
nor tuples inside `JSON` values: they come back as lists.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from .nouns import JSON, SuiteError

T = TypeVar("T")

NONFINITE = "nonfinite"
"""Top-level key of a file whose values hold NaN or infinities: JSON pointer -> "nan", "inf" or "-inf"."""

NAMES: Mapping[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}

# ---------------------------------------------------------------- nouns <-> plain data


def encode(value: Any, where: str = "") -> JSON:
    """`value` as None, bool, int, float, str, lists and dicts; NaN and infinities stay floats.

    Raises:
        TypeError: something that JSON cannot hold, such as a tensor or a key that is no text.
    """
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name), f"{where}/{f.name}") for f in fields(value)}
    if isinstance(value, Mapping):
        return {_key(key, where): encode(sub, f"{where}/{key}") for key, sub in value.items()}
    if isinstance(value, list | tuple):
        return [encode(sub, f"{where}/{i}") for i, sub in enumerate(value)]
    raise TypeError(f"{where or '/'}: a {type(value).__name__} cannot be written as JSON")


def _key(key: Any, where: str) -> str:
    # json would turn 1 and True into "1" and "true", and they would come back as text.
    if not isinstance(key, str):
        raise TypeError(f"{where or '/'}: the key {key!r} is no text")
    return key


def decode(cls: type[T], data: JSON) -> T:
    """The dataclass `cls` that `data` describes.

    Raises:
        SuiteError: a field is unknown, missing or of another type; the message names it.
    """
    return cast(T, _decode(cls, data, ""))


def _decode(hint: Any, data: JSON, where: str) -> Any:
    if hint is Any:
        return data
    if isinstance(hint, type) and is_dataclass(hint):
        return _dataclass(hint, data, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum(hint, data, where)
    generic = GENERIC.get(get_origin(hint))
    return generic(get_args(hint), data, where) if generic else _expect(hint, data, where)


def _expect(kind: type, data: JSON, where: str) -> Any:
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
        raise SuiteError(f"{where or '/'} should be {_named(kind)} and is {_named(type(data))}")
    return data


def _named(kind: type) -> str:
    return NAMES.get(kind, kind.__name__)


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _dataclass(cls: Any, data: JSON, where: str) -> Any:
    data = _expect(dict, data, where)
    known = {f.name: f for f in fields(cls)}
    for name in data:
        if name not in known:
            raise SuiteError(f"unknown field {name!r} in {where or 'the file'}")
    for name, field in known.items():
        if name not in data and _required(field):
            raise SuiteError(f"field {name!r} is missing in {where or 'the file'}")
    return cls(**{name: _decode(_hints(cls)[name], sub, f"{where}/{name}") for name, sub in data.items()})


def _enum(cls: type[Enum], data: JSON, where: str) -> Enum:
    try:
        return cls(data)
    except ValueError:
        raise SuiteError(f"{where} is {data!r}; known are {', '.join(str(m.value) for m in cls)}") from None


def _optional(args: tuple[Any, ...], data: JSON, where: str) -> Any:
    if data is None and type(None) in args:
        return None
    (hint,) = (arg for arg in args if arg is not type(None))
    return _decode(hint, data, where)


def _mapping(args: tuple[Any, ...], data: JSON, where: str) -> dict[str, Any]:
    return {key: _decode(args[1], sub, f"{where}/{key}") for key, sub in _expect(dict, data, where).items()}


def _tuple(args: tuple[Any, ...], data: JSON, where: str) -> tuple[Any, ...]:
    data = _expect(list, data, where)
    hints = [args[0]] * len(data) if args[1:] == (...,) else list(args)
    if len(hints) != len(data):
        raise SuiteError(f"{where} should have {len(hints)} entries and has {len(data)}")
    return tuple(_decode(hint, sub, f"{where}/{i}") for i, (hint, sub) in enumerate(zip(hints, data, strict=True)))


GENERIC: Mapping[Any, Callable[[tuple[Any, ...], JSON, str], Any]] = {
    tuple: _tuple,
    Mapping: _mapping,
    Union: _optional,
    types.UnionType: _optional,
}

# ---------------------------------------------------------------- plain data <-> text


def dumps(value: Any) -> str:
    """`value` as JSON text that ends with a newline, laid out for diffs: `loads` is its inverse.

    An object whose values hold NaN or infinities gets a key "nonfinite" that says where; in a list of
    objects each carries its own.

    Raises:
        TypeError: something that JSON cannot hold.
        ValueError: a number that JSON does not have where no object can carry the note.
    """
    data = encode(value)
    lifted = [_lift(sub) for sub in data] if isinstance(data, list) else _lift(data)
    return _layout(lifted, "") + "\n"


def loads(text: str) -> JSON:
    """The plain data that `dumps` wrote.

    Raises:
        json.JSONDecodeError: the text is not JSON.
        SuiteError: its note on numbers that JSON does not have does not fit it.
    """
    return restore(parse(text))


def parse(text: str) -> JSON:
    """Strict JSON as it stands, the note on non-finite numbers unread; raises json.JSONDecodeError."""

    def refuse(name: str) -> None:
        raise json.JSONDecodeError(f"{name} is not JSON", text, max(text.find(name), 0))

    return json.loads(text, parse_constant=refuse)


def restore(data: JSON) -> JSON:
    """Puts the numbers back that JSON does not have."""
    return [_lower(sub) for sub in data] if isinstance(data, list) else _lower(data)


def canonical(data: JSON) -> str:
    """One text for one value, for digests and equality: NaN equals NaN here, and 1 is not 1.0."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def _lift(data: JSON) -> JSON:
    if not isinstance(data, dict):
        return data
    if NONFINITE in data:
        raise ValueError(f"the key {NONFINITE!r} is taken by the file format")
    found: dict[str, str] = {}
    clean = _without(data, "", found)
    return clean | {NONFINITE: found} if found else clean


def _without(data: JSON, where: str, found: dict[str, str]) -> JSON:
    if isinstance(data, dict):
        return {key: _without(sub, f"{where}/{_escape(key)}", found) for key, sub in data.items()}
    if isinstance(data, list):
        return [_without(sub, f"{where}/{i}", found) for i, sub in enumerate(data)]
    if isinstance(data, float) and not math.isfinite(data):
        found[where] = str(float(data))
        return None
    return data


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _lower(data: JSON) -> JSON:
    if not isinstance(data, dict) or NONFINITE not in data:
        return data
    notes = _expect(dict, data[NONFINITE], f"/{NONFINITE}")
    rest = {key: sub for key, sub in data.items() if key != NONFINITE}
    for pointer, name in notes.items():
        try:
            _put(rest, [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]], name)
        except (LookupError, TypeError, ValueError):
            raise SuiteError(f"{NONFINITE!r} says {name!r} of {pointer!r}, where no null stands") from None
    return rest


def _put(data: JSON, path: Sequence[str], name: JSON) -> None:
    *parents, last = [*path]
    for part in parents:
        data = data[int(part) if isinstance(data, list) else part]
    index = int(last) if isinstance(data, list) else last
    if data[index] is not None or name not in ("nan", "inf", "-inf"):
        raise ValueError(name)
    data[index] = float(name)


def _layout(data: JSON, indent: str) -> str:
    deeper = indent + " "
    if isinstance(data, dict) and data and not _short(data):
        rows = (f"{json.dumps(key)}: {_layout(sub, deeper)}" for key, sub in data.items())
        return _block("{", rows, "}", indent)
    if isinstance(data, list) and any(isinstance(sub, dict | list) for sub in data):
        return _block("[", (_layout(sub, deeper) for sub in data), "]", indent)
    return json.dumps(data, allow_nan=False)


def _short(data: Mapping[str, JSON]) -> bool:
    return len(data) == 1 and not any(isinstance(sub, dict | list) for sub in data.values())


def _block(begin: str, rows: Iterator[str], end: str, indent: str) -> str:
    return f"{begin}\n" + ",\n".join(f"{indent} {row}" for row in rows) + f"\n{indent}{end}"
