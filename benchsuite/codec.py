"""Nouns to JSON text and back, losslessly and driven by their type hints.

Pure: text in, values out. Covers every frozen dataclass of `nouns` (nested dataclasses, enums,
tuples, mappings, unions with None; what is hinted as `JSON` passes through). The text itself is
`jsontext`'s, whose functions on plain data are found here too. Does not cover files, seals or schema
versions (`store` does), nor tuples inside `JSON` values: they come back as lists.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from .jsontext import canonical, expect, layout, lift, parse, restore
from .nouns import JSON, SuiteError

__all__ = ["canonical", "decode", "dumps", "encode", "loads", "parse", "restore"]

T = TypeVar("T")

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
    return generic(get_args(hint), data, where) if generic else expect(hint, data, where)


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _dataclass(cls: Any, data: JSON, where: str) -> Any:
    data = expect(dict, data, where)
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
    return {key: _decode(args[1], sub, f"{where}/{key}") for key, sub in expect(dict, data, where).items()}


def _tuple(args: tuple[Any, ...], data: JSON, where: str) -> tuple[Any, ...]:
    data = expect(list, data, where)
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
    lifted = [lift(sub) for sub in data] if isinstance(data, list) else lift(data)
    return layout(lifted) + "\n"


def loads(text: str) -> JSON:
    """The plain data that `dumps` wrote.

    Raises:
        json.JSONDecodeError: the text is not JSON.
        SuiteError: its note on numbers that JSON does not have does not fit it.
    """
    return restore(parse(text))
