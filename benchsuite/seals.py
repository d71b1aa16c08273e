"""JSON that tells a hand edit: a digest of its content stands in the file. An edge under `store` and `noises`."""

from __future__ import annotations

import hashlib
from pathlib import Path

from . import codec
from .files import read_json, write_text
from .nouns import JSON, SuiteError

SEAL = "seal"


def write_sealed(path: Path, data: JSON) -> None:
    """Writes an object that states its schema, whole or not at all, with its seal."""
    # The seal is over what a reader parses: NaN already lifted, layout of no account.
    plain = codec.parse(codec.dumps(data))
    write_text(path, codec.dumps({"schema": data["schema"], SEAL: _seal(plain)} | data))


def read_sealed(path: Path, way_out: str) -> JSON:
    """The object without its seal, its note on non-finite numbers unread.

    Raises:
        SuiteError: as `files.read_json`, or edited by hand; `way_out` is said too.
    """
    data = read_json(path, way_out)
    if data.get(SEAL) != _seal(data):
        raise SuiteError(f"{path} was edited by hand (its seal does not fit its content). {way_out}")
    return {name: sub for name, sub in data.items() if name != SEAL}


def _seal(data: JSON) -> str:
    return hashlib.sha256(codec.canonical({k: v for k, v in data.items() if k != SEAL}).encode()).hexdigest()
