"""Files as a whole: text that appears whole or not at all, and JSON whose damage is told in one sentence.

An edge used by `store`; knows no noun and no folder's layout.
"""

from __future__ import annotations

import os
import secrets
from json import JSONDecodeError
from pathlib import Path

from . import codec
from .nouns import JSON, SCHEMA, SuiteError


def write_text(path: Path, text: str) -> None:
    """`write_bytes` of a text as UTF-8; what UTF-8 cannot hold is written as its escape."""
    write_bytes(path, text.encode("utf-8", errors="backslashreplace"))


def write_bytes(path: Path, data: bytes) -> None:
    """Writes `path` whole or not at all, making its folder; what stood there stays until the new data is on disk.

    Raises:
        SuiteError: the system would not write it; nothing partial is left behind.
    """
    # Not `tempfile`: its files are readable by their owner alone, and results are shared.
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_new(fresh, data)
            os.replace(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise SuiteError(f"cannot write {path}: {reason(error)}. Free space or choose another folder.") from error


def write_new(path: Path, data: bytes) -> None:
    """Writes a file that must not exist yet, down to the disk; raises OSError."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def reason(error: OSError) -> str:
    """What the system said, without the number and the path."""
    return error.strerror or type(error).__name__


def read_json(path: Path, way_out: str) -> JSON:
    """Strict JSON of a schema that this version reads, the note on non-finite numbers unread.

    Raises:
        SuiteError: missing, cut short, not JSON, without a schema, or of a newer one; `way_out` is said too.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SuiteError(f"{path} is not text (byte {error.start} of {path.stat().st_size}). {way_out}") from error
    except OSError as error:
        raise SuiteError(f"cannot read {path}: {reason(error)}") from error
    data = _parsed(path, text, way_out)
    _check_schema(path, data, way_out)
    return data


def _parsed(path: Path, text: str, way_out: str) -> JSON:
    try:
        return codec.parse(text)
    except JSONDecodeError as error:
        size, cut = len(text.encode()), error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        what = f"is cut short: it ends after {size} bytes in the middle of its JSON" if cut else "is not valid JSON"
        place = f"line {error.lineno}, column {error.colno}, position {error.pos} of {size}"
        raise SuiteError(f"{path} {what} ({error.msg} at {place}). {way_out}") from error


def _check_schema(path: Path, data: JSON, way_out: str) -> None:
    schema = data.get("schema") if isinstance(data, dict) else None
    if type(schema) is not int or schema < 1:
        raise SuiteError(f"{path} is not a file of benchsuite's: it states no schema. {way_out}")
    if schema > SCHEMA:
        raise SuiteError(
            f"{path} was written by a newer benchsuite (schema {schema}, this one reads {SCHEMA}): upgrade benchsuite."
        )
