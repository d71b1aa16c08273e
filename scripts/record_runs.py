"""Records the runs that tests compare: `python scripts/record_runs.py --old PYTHON --new PYTHON`, some ten minutes.

Two sets, each of the profile `tiny`, measured on this machine:

- `tests/data/upgrade-pair/{old,new}`: the same cases under the libraries of two Python environments, such as
  transformers 4.57.6 with peft 0.18.0 and the current lock. They are plain runs, for
  `benchsuite compare tests/data/upgrade-pair/old tests/data/upgrade-pair/new`.
- `tests/data/cpu-variants/NAME`: the new environment again, as another CPU would have it, packed.

After it run `python tests/test_upgrade_pair.py`, which rewrites what a person reads of the pair, and
`python tests/test_cpu_variants.py`, which rewrites the table in docs/results.md; look at the differences.
Nothing is kept of a run that failed or whose records hold a folder or a name of this machine.
"""

from __future__ import annotations

import argparse
import getpass
import gzip
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "data"
PAIR, VARIANTS = "upgrade-pair", "cpu-variants"
CPUS: Mapping[str, Mapping[str, str]] = {
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2"},
    "default": {"ATEN_CPU_CAPABILITY": "default"},
    "two-threads": {"OMP_NUM_THREADS": "2"},
}
"""What makes this machine another one, by name of the variant."""
CHANGED = ("ATEN_CPU_CAPABILITY", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def main(words: Sequence[str]) -> None:
    """Record what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--old", metavar="PYTHON", help="Interpreter of the older stack.")
    parser.add_argument("--new", metavar="PYTHON", default=sys.executable, help="Interpreter of the current lock.")
    parser.add_argument("--only", choices=(PAIR, VARIANTS), help="Record one of the two sets.")
    given = parser.parse_args(words)
    if given.only != VARIANTS:
        if not given.old:
            parser.error("--old is needed for the pair")
        for side, python in (("old", given.old), ("new", given.new)):
            keep(record(python, {}), DATA / PAIR / side / "records")
    if given.only != PAIR:
        for name, variables in CPUS.items():
            keep(record(given.new, variables), DATA / VARIANTS / name, packed=True)


def record(python: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Text of each record of a tiny run under `python` and these variables, by file name.

    Raises:
        SystemExit: the run did not measure, or a record says where it was made.
    """
    plain = {name: value for name, value in os.environ.items() if name not in CHANGED}
    with tempfile.TemporaryDirectory() as folder:
        command = [python, "-m", "benchsuite", "run", "--profile", "tiny", "--no-gate"]
        env = {**plain, **variables, "PYTHONPATH": str(ROOT)}
        sys.stderr.write(f"{python} {dict(variables)}\n")
        done = subprocess.run(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, check=False)
        files = sorted(Path(folder).glob("results/latest/records/*.json"))
        texts = {file.name: file.read_text(encoding="utf-8") for file in files}
    if done.returncode or not texts or not all('"status": "ok"' in text for text in texts.values()):
        sys.exit(f"the run under {python} failed (exit {done.returncode}); nothing of it is kept")
    for name, text in texts.items():
        if found := [word for word in private(python) if word in text]:
            sys.exit(f"{name} names {', '.join(found)}; nothing of it is kept")
    return texts


def private(python: str) -> Iterable[str]:
    """Words that would tell where a record was made."""
    folders = [str(Path.home()), str(ROOT), str(Path(python).parent.parent), tempfile.gettempdir()]
    names = [name for name in (getpass.getuser(), platform.node()) if len(name) > len("root")]
    return [*(folder for folder in folders if folder != os.sep), *names]


def keep(texts: Mapping[str, str], folder: Path, *, packed: bool = False) -> None:
    """Write records in the place of those that `folder` had."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in texts.items():
        if packed:
            # No time in the header: the same record makes the same file.
            (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
        else:
            (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
