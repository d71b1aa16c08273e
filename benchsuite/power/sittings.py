"""Recorded sittings: the only reader and writer of `baselines/MACHINE/power/*.json.gz`."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .. import codec, files
from ..nouns import SCHEMA, SuiteError

FOLDER = "power"
DIGITS = 6
"""Significant digits of a stored time: a millionth of it is far below what any arm differs by."""
Values = tuple[tuple[tuple[float, ...], ...], ...]
"""Processes (in the order in which they ran) x arms x counted steps, seconds."""


@dataclass(frozen=True, kw_only=True)
class Sitting:
    """Processes of one case that ran one after another on one machine."""

    schema: int
    machine: str
    case: str
    """Its slug."""
    started: str
    packages: Mapping[str, str]
    """Versions of the guarded libraries."""
    notes: Mapping[str, str]
    """The device's name, driver and the like: shown, never compared."""
    arms: tuple[str, ...]
    effects: Mapping[str, float]
    """What was planted, by arm, relative to the clean step of the same place."""
    places: Mapping[str, str]
    """Where, by arm; as `Place` spells it."""
    units: Mapping[str, float]
    """Seconds of a clean step on the device and on the host, by which delays were sized."""
    seconds: tuple[float, ...]
    """What each process took, from the first touch of the device to its end."""
    values: Mapping[str, Values]
    """By metric."""


def write(folder: Path, sitting: Sitting) -> Path:
    """Write a sitting whole; one of the same case and start is replaced, since it has grown.

    Raises:
        SuiteError: the system would not write it.
    """
    path = folder / sitting.machine / FOLDER / f"{sitting.case}--{sitting.started.replace(':', '')}.json.gz"
    text = codec.dumps(codec.encode(sitting))
    files.write_bytes(path, gzip.compress(text.encode(), mtime=0))
    return path


def read(path: Path) -> Sitting:
    """A sitting's file.

    Raises:
        SuiteError: it is missing, damaged, or of a newer schema.
    """
    try:
        data = codec.loads(gzip.decompress(path.read_bytes()).decode())
    except (gzip.BadGzipFile, EOFError, ValueError, zlib.error) as error:
        raise SuiteError(f"{path} is damaged: {error}. Fetch it anew, or record another sitting.") from error
    except OSError as error:
        raise SuiteError(f"cannot read {path}: {files.reason(error)}") from error
    if isinstance(data, dict) and isinstance(data.get("schema"), int) and data["schema"] > SCHEMA:
        raise SuiteError(f"{path} has schema {data['schema']}, and this benchsuite reads {SCHEMA}: upgrade it")
    try:
        found = codec.decode(Sitting, data)
    except SuiteError as error:
        raise SuiteError(f"{path} is no recorded sitting: {error}") from error
    if problem := _misshapen(found):
        raise SuiteError(f"{path} is no recorded sitting: {problem}")
    return found


def _misshapen(sitting: Sitting) -> str:
    """What does not fit together in a sitting; empty where all does."""
    arms, processes = len(sitting.arms), len(sitting.seconds)
    if not {*sitting.arms} == {*sitting.effects} == {*sitting.places} or len({*sitting.arms}) != arms:
        return "its arms are not those whose effects and places it tells"
    for name, values in sitting.values.items():
        steps = {len(arm) for process in values for arm in process}
        if (
            len(values) != processes
            or any(len(process) != arms for process in values)
            or len(steps) != 1
            or steps == {0}
        ):
            return f"{name} is not {processes} processes x {arms} arms x as many steps each"
        if not all(0 < value < math.inf for process in values for arm in process for value in arm):
            return f"{name} holds a time that is not above 0"
    return "" if sitting.values and processes else "it holds no process"


def every(baselines: Path) -> tuple[Sitting, ...]:
    """All sittings under a folder of baselines, by machine, case and time.

    Raises:
        SuiteError: there is none, or one cannot be read.
    """
    paths = sorted(baselines.glob(f"*/{FOLDER}/*.json.gz"))
    if not paths:
        raise SuiteError(
            f"no recorded sitting under {baselines}/*/{FOLDER}. Record one: benchsuite selftest --power --record 10"
        )
    return tuple(map(read, paths))


def rounded(value: float) -> float:
    """A time with as many digits as are stored."""
    return float(f"{value:.{DIGITS}g}")
