"""Which faults a self-test plants, and where: all that there are, those that were asked for, those that act here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from . import matrix, registry
from .faults._fault import Fault
from .matrix import Result, Row
from .nouns import Device, Options, UsageError


def faults() -> Mapping[str, Fault]:
    """Every planted fault by name, of our own and of other packages.

    Raises:
        SuiteError: two have one name.
    """
    found: Mapping[str, Fault] = registry.collect("benchsuite.faults", "FAULTS", _by_name)
    return found


def _by_name(them: Iterable[Fault]) -> Iterable[tuple[str, Fault]]:
    return ((fault.name, fault) for fault in them)


def choose(known: Mapping[str, Fault], globs: str, *, reduced: bool) -> tuple[Fault, ...]:
    """The faults that any of the comma-separated globs matches; of these the reduced set where wanted.

    Raises:
        UsageError: there is no glob, one matches nothing, or nothing is left.
    """
    wanted = [glob.strip() for glob in globs.split(",") if glob.strip()]
    if not wanted:
        raise UsageError(f"--faults {globs!r} names no fault; leave it out to plant all {len(known)}")
    for glob in wanted:
        if not any(fnmatchcase(name, glob) for name in known):
            registry.pick("fault", glob, known)
    chosen = (fault for name, fault in known.items() if any(fnmatchcase(name, glob) for glob in wanted))
    found = tuple(fault for fault in chosen if fault.reduced or not reduced)
    if not found:
        raise UsageError(f"none of the faults {globs!r} is in the reduced set; leave --reduced out")
    return found


def regime_for(fault: Fault, regimes: Sequence[str]) -> str:
    """The regime to plant it in: the most telling one of those that are tested; empty for none."""
    return next((regime for regime in fault.regimes if regime in regimes), "")


def left_out(fault: Fault, options: Options, device: Device, *, together: bool) -> Row | None:
    """The row of a fault that cannot show itself here; None where it is to be planted.

    Args:
        fault: The fault.
        options: The regimes that are tested.
        device: Of the profile that is tested.
        together: Whether trials run at once, so that times are not judged.
    """
    if fault.needs is Device.CUDA and device is not Device.CUDA:
        return matrix.not_run(fault, Result.NEEDS_CUDA, "nothing would move on a CPU: run it with --profile quick")
    if not regime_for(fault, options.regimes):
        regimes = ",".join(fault.regimes)
        return matrix.not_run(fault, Result.OTHER_REGIME, f"acts in other regimes only: --regimes {regimes}")
    if together and matrix.timed_only(fault, registry.metrics()):
        return matrix.not_run(fault, Result.NEEDS_QUIET, "times alone tell it: run it with --jobs 1")
    return None
