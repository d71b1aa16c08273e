"""The only reader and writer of `noise.json`, a machine's calibrated noise. Written by `calibrate` alone."""

from __future__ import annotations

from pathlib import Path

from . import codec, store
from .nouns import MachineNoise, SuiteError
from .seals import read_sealed, write_sealed

AGAIN = "Restore it from git, or delete it and calibrate again with `benchsuite calibrate`."


def path_of(baselines: Path, machine: str) -> Path:
    """baselines/MACHINE/noise.json."""
    return store.machine_folder(baselines, machine) / store.NOISE


def save(baselines: Path, noise: MachineNoise) -> Path:
    """Writes a machine's calibrated noise, sealed."""
    path = path_of(baselines, noise.machine)
    write_sealed(path, codec.encode(noise))
    return path


def load(baselines: Path, machine: str) -> MachineNoise | None:
    """A machine's calibrated noise, or None where it was not calibrated.

    Raises:
        SuiteError: the file is there and cannot be trusted, or is another machine's.
    """
    path = path_of(baselines, machine)
    if not path.exists():
        return None
    data = read_sealed(path, AGAIN)
    try:
        found = codec.decode(MachineNoise, codec.restore(data))
    except SuiteError as error:
        raise SuiteError(f"{path} holds no noise: {error}. {AGAIN}") from error
    if found.machine != machine:
        raise SuiteError(f"{path} is of {found.machine}, not of {machine}. {AGAIN}")
    return found
