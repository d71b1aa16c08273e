"""Stores how a machine's figures scatter, from trials that were measured: the edge of `calibration`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from . import __version__, calibration, noises
from .calibrate_words import Calibrated, Report
from .cases import slug
from .nouns import SCHEMA, CaseNoise, MachineNoise, Metric, Record, SuiteError


def calibrate(records: Sequence[Record], *, baselines: Path, metrics: Mapping[str, Metric]) -> Report:
    """Join these trials with what is stored of their machine, and store that.

    Args:
        records: Trials of any cases on one machine.
        baselines: The folder of all baselines.
        metrics: Declarations by name.

    Raises:
        SuiteError: trials that calibrate nothing (see `calibration.check`), too few of them, or a file's trouble.
            Nothing is written then.
    """
    if not records:
        raise SuiteError("these runs hold no records: nothing to calibrate with. Measure first.")
    calibration.check(records)
    machine = records[0].environment.machine
    stored = noises.load(baselines, machine)
    old = dict(stored.cases) if stored else {}
    done = tuple(
        _calibrated(name, list(group), metrics, old.get(name))
        for name, group in groupby(sorted(records, key=_name), key=_name)
    )
    new = old | {each.case: each.noise for each in done}
    noise = MachineNoise(schema=SCHEMA, suite=__version__, machine=machine, cases=dict(sorted(new.items())))
    file = noises.save(baselines, noise)
    others = tuple(sorted(old.keys() - {each.case for each in done}))
    return Report(machine=machine, file=str(file), cases=done, others=others)


def _name(record: Record) -> str:
    return slug(record.case)


def _calibrated(
    name: str, records: Sequence[Record], metrics: Mapping[str, Metric], earlier: CaseNoise | None
) -> Calibrated:
    noise = calibration.case_noise(records, metrics, earlier)
    known = len(earlier.sittings) if earlier else 0
    kept = known if earlier and earlier.stack == noise.stack else 0
    return Calibrated(case=name, noise=noise, kept=kept, dropped=known - kept)
