"""Plain data to JSON text and back: strict, laid out for diffs, and with the numbers that JSON does not have.

Pure. NaN and the infinities become null, and a key "nonfinite" of the outermost object says where
and which. What the data means is `codec`'s.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .nouns import JSON, SuiteError

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


def expect(kind: type, data: JSON, where: str) -> Any:
    """`data` if it is of `kind`; a whole number passes for a number, a boolean never does.

    Raises:
        SuiteError: it is not; says what stands at `where`.
    """
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
        raise SuiteError(f"{where or '/'} should be {_named(kind)} and is {_named(type(data))}")
    return data


def _named(kind: type) -> str:
    return NAMES.get(kind, kind.__name__)


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


def lift(data: JSON) -> JSON:
    """An object without the numbers that JSON does not have, and with a note on where they stood."""
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
    notes = expect(dict, data[NONFINITE], f"/{NONFINITE}")
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


def layout(data: JSON, indent: str = "") -> str:
    """`data` as JSON text for diffs: one field a line, innermost lists on one."""
    deeper = indent + " "
    if isinstance(data, dict) and data and not _short(data):
        rows = (f"{json.dumps(key)}: {layout(sub, deeper)}" for key, sub in data.items())
        return _block("{", rows, "}", indent)
    if isinstance(data, list) and any(isinstance(sub, dict | list) for sub in data):
        return _block("[", (layout(sub, deeper) for sub in data), "]", indent)
    return json.dumps(data, allow_nan=False)


def _short(data: Mapping[str, JSON]) -> bool:
    return len(data) == 1 and not any(isinstance(sub, dict | list) for sub in data.values())


def _block(begin: str, rows: Iterator[str], end: str, indent: str) -> str:
    return f"{begin}\n" + ",\n".join(f"{indent} {row}" for row in rows) + f"\n{indent}{end}"
