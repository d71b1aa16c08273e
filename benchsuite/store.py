"""The only reader and writer of runs, records, baselines and locks.

Every file appears whole or not at all, and everything that a disk or a hand can do to one ends in a
`SuiteError` that names the file and the way out. Does not judge, and does not decide what becomes a
baseline (`promote` does).
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from . import codec, sharing
from .cases import slug
from .files import read_json, reason, write_text
from .freeze import lock_text
from .latest import mark_latest, resolve_run
from .nouns import Baseline, Record, SuiteError
from .seals import read_sealed, write_sealed

__all__ = [
    "NOISE", "baseline_path", "load_baseline", "load_baselines", "load_files", "load_record", "load_run", "lock_path",
    "machine_folder", "mark_latest", "new_run", "record_name", "resolve_run", "save_baseline", "save_record",
    "write_lock", "write_text",
]  # fmt: skip

AGAIN = "Delete it and measure that trial again."
RESTORE = "Restore it from git, or delete it and make it again with `benchsuite promote`."
NOISE = "noise.json"
"""Stands among a machine's baselines, and is none."""
RESERVED = frozenset({"published"})
"""Folders of baselines/ that no program writes."""

# ---------------------------------------------------------------- runs


def new_run(results: Path, *, now: datetime) -> Path:
    """Creates results/RUN with records/ and logs/; `now` is an aware time. No two runs ever share one.

    Raises:
        SuiteError: the folder cannot be written.
    """
    stamp = now.astimezone(UTC).strftime("%Y%m%d-%H%M%S")
    try:
        results.mkdir(parents=True, exist_ok=True)
        run = _exclusive(results, stamp)
        for name in ("records", "logs"):
            (run / name).mkdir()
    except OSError as error:
        raise SuiteError(
            f"cannot write to results folder {results}: {reason(error)}; choose another with --suite-results"
        ) from error
    return run


def _exclusive(results: Path, stamp: str) -> Path:
    while True:
        run = results / f"{stamp}-{secrets.token_hex(3)}"
        try:
            run.mkdir()
        except FileExistsError:
            continue
        return run


def record_name(record: Record) -> str:
    """File name of a record: SLUG--tNN.json, with --pNN for its pair and -N for its place in that pair."""
    pair = "" if record.pair is None else f"--p{record.pair:02d}"
    # Both arms of a pair may carry one trial number; without their order one would overwrite the other.
    order = "" if record.pair is None or record.order is None else f"-{record.order}"
    return f"{slug(record.case)}--t{record.trial:02d}{pair}{order}.json"


def save_record(run: Path, record: Record) -> Path:
    """Writes a record into a run at once; a trial made again replaces its former record."""
    path = run / "records" / record_name(record)
    write_text(path, codec.dumps(record))
    return path


def load_record(path: Path) -> Record:
    """Reads one record.

    Raises:
        SuiteError: missing, cut short, not JSON, of a newer schema, or with missing or unknown fields.
    """
    data = read_json(path, AGAIN)
    try:
        return codec.decode(Record, codec.restore(data))
    except SuiteError as error:
        raise SuiteError(f"{path} is not a record: {error}. {AGAIN}") from error


def load_files(run: Path) -> tuple[tuple[Path, Record], ...]:
    """Each record of a run (or the one record that `run` is) with its file, by case, trial and pair."""
    if not os.path.exists(run):
        raise SuiteError(f"no such run: {run}")
    paths = [run] if run.is_file() else sorted((run / "records").glob("*.json"))
    return tuple(sorted(((path, load_record(path)) for path in paths), key=lambda found: _place(found[1])))


def _place(record: Record) -> tuple[str, int, int, int]:
    pair = -1 if record.pair is None else record.pair
    return slug(record.case), record.trial, pair, -1 if record.order is None else record.order


def load_run(run: Path) -> tuple[Record, ...]:
    """All records of a run, by case, trial and pair; empty where it has none yet."""
    return tuple(record for _, record in load_files(run))


# ---------------------------------------------------------------- baselines


def baseline_path(baselines: Path, machine: str, name: str) -> Path:
    """baselines/MACHINE/SLUG.json.

    Raises:
        SuiteError: a machine's name that is no plain folder name, or is reserved.
    """
    return machine_folder(baselines, machine) / f"{name}.json"


def machine_folder(baselines: Path, machine: str) -> Path:
    """baselines/MACHINE.

    Raises:
        SuiteError: see `baseline_path`.
    """
    # Records come from other people's machines: their words must not choose a path.
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", machine) or machine in RESERVED:
        raise SuiteError(
            f"{machine!r} cannot name a machine's baselines: use letters, digits, '.', '_' and '-', "
            f"and none of {', '.join(sorted(RESERVED))}"
        )
    return baselines / machine


def save_baseline(path: Path, baseline: Baseline) -> None:
    """Writes a sealed baseline, what its trials share stored once."""
    data = codec.encode(baseline)
    data["trials"] = sharing.share(data["trials"])
    write_sealed(path, data)


def load_baseline(path: Path) -> Baseline:
    """Reads one baseline.

    Raises:
        SuiteError: missing, cut short, not JSON, of a newer schema, edited by hand, or with missing or
            unknown fields.
    """
    data = read_sealed(path, RESTORE)
    try:
        whole = codec.restore(data)
        return codec.decode(Baseline, whole | {"trials": sharing.unshare(whole["trials"])})
    except (SuiteError, LookupError, TypeError, AttributeError) as error:
        raise SuiteError(f"{path} is not a baseline: {error}. {RESTORE}") from error


def load_baselines(baselines: Path, machine: str) -> dict[str, Baseline]:
    """All baselines of a machine by slug; empty where it has none.

    Raises:
        SuiteError: any is unreadable, or is named for another case than it holds.
    """
    found = {}
    for path in sorted(machine_folder(baselines, machine).glob("*.json")):
        if path.name == NOISE:
            continue
        found[path.stem] = load_baseline(path)
        if slug(found[path.stem].case) != path.stem:
            raise SuiteError(f"{path} holds the case {slug(found[path.stem].case)}: give it its name back. {RESTORE}")
    return found


# ---------------------------------------------------------------- locks


def lock_path(baselines: Path, machine: str) -> Path:
    """baselines/MACHINE/constraints.txt."""
    return machine_folder(baselines, machine) / "constraints.txt"


def write_lock(baselines: Path, machine: str, freeze: Iterable[str]) -> Path:
    """Writes a machine's lock: what its baselines were measured with, in public versions.

    The libraries of one CUDA build are left out, so that the lock fits any build of torch.
    """
    path = lock_path(baselines, machine)
    write_text(path, lock_text(machine, freeze))
    return path
