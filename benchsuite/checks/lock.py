"""The lock against what is installed."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.checks._mend import install, quote, unset, uv
from benchsuite.condition import Lock, Probe
from benchsuite.diagnosis import Ailment, Check, Diagnosis, Level, fine
from benchsuite.versions import GUARDED, listed, moved

MOST = 4
"""Packages that are not guarded and still named."""

UNREADABLE = Ailment(
    code="lock.unreadable", level=Level.ERROR,
    seen="BENCHSUITE_LOCK names {path}, which cannot be read: {problem}",
    command="{unset}",
    typed=("unset BENCHSUITE_LOCK",),
)  # fmt: skip
DIFFERS = Ailment(
    code="lock.differs", level=Level.WARNING,
    seen="{count} not as in {path}: {lines}. If that is the upgrade to be judged, all is well",
    command="{install} -c {quoted} {names}",
)  # fmt: skip


def differences(probe: Probe, lock: Lock) -> dict[str, str]:
    """Packages of the lock that are installed in another version, or guarded and missing; local labels do not count."""
    have: dict[str, str] = {}
    for distribution in probe.distributions:
        have.setdefault(distribution.name, distribution.version.partition("+")[0])
    both = {name: pin for name, pin in lock.pins.items() if name in have or name in GUARDED}
    return moved(both, {name: version for name, version in have.items() if name in both})


def examine(probe: Probe) -> Iterator[Diagnosis]:
    """A difference is a warning, never an error: judging an upgrade is what the suite is for."""
    lock = probe.lock
    if lock is None:
        yield fine("lock", f"there is no lock for {probe.machine} yet: `benchsuite promote` writes it")
        return
    if lock.problem:
        yield UNREADABLE.found(path=lock.path, problem=lock.problem, unset=unset(probe, "BENCHSUITE_LOCK"))
        return
    lines = differences(probe, lock)
    if not lines:
        yield fine("lock", f"what is installed is as in {lock.path}")
        return
    # A build of torch is chosen by uv alone.
    start = f"{uv(probe)} --torch-backend=auto" if "torch" in lines else install(probe)
    count = "1 package" if len(lines) == 1 else f"{len(lines)} packages"
    yield DIFFERS.found(
        count=count, path=lock.path, quoted=quote(lock.path), lines=listed(lines, MOST), names=" ".join(lines),
        install=start,
    )  # fmt: skip


CHECK = Check(
    name="lock",
    title="What is installed is what the lock holds: BENCHSUITE_LOCK, or baselines/MACHINE/constraints.txt.",
    quick=False, ailments=(UNREADABLE, DIFFERS), examine=examine,
)  # fmt: skip
