"""The guarded libraries, each imported."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.checks._mend import UNINSTALLS, install, quote, uninstall
from benchsuite.condition import Library, Probe
from benchsuite.diagnosis import Ailment, Check, Diagnosis, Level, fine

MISSING = Ailment(
    code="libraries.missing", level=Level.ERROR,
    seen="{name} is not installed",
    command="{install} {wanted}",
)  # fmt: skip
FAILS = Ailment(
    code="libraries.import", level=Level.ERROR,
    seen="{name} {installed} does not import: {problem}",
    command="{install} --force-reinstall {wanted}",
)  # fmt: skip
OTHER = Ailment(
    code="libraries.other", level=Level.WARNING,
    seen="{name} says that it is {imported}, its metadata says {installed}: an installation was cut short",
    command="{uninstall}; {install} {wanted}",
    typed=tuple(f"{way}; INSTALL WANTED" for way in UNINSTALLS),
)  # fmt: skip


def _public(version: str) -> str:
    return version.partition("+")[0]


def _finding(probe: Probe, library: Library) -> Diagnosis | None:
    pin = (probe.lock.pins if probe.lock else {}).get(library.name)
    fields = {
        "name": library.name, "installed": library.installed, "imported": library.imported, "problem": library.problem,
        "install": install(probe), "uninstall": uninstall(probe, library.name),
        "wanted": f"{library.name}=={pin}" if pin else quote(library.name),
    }  # fmt: skip
    if library.problem:
        return (FAILS if library.installed else MISSING).found(**fields)
    if library.imported and library.installed and _public(library.imported) != _public(library.installed):
        return OTHER.found(**fields)
    return None


def examine(probe: Probe) -> Iterator[Diagnosis]:
    """One finding a library that fails; one ok line for all."""
    found = [diagnosis for library in probe.libraries if (diagnosis := _finding(probe, library))]
    yield from found
    if probe.libraries and not found:
        yield fine("libraries", ", ".join(f"{lib.name} {lib.imported or lib.installed}" for lib in probe.libraries))


CHECK = Check(
    name="libraries",
    title="Every guarded library imports (in a process of its own), and is the version that its "
    "metadata states.", quick=False,
    ailments=(MISSING, FAILS, OTHER), examine=examine,
)  # fmt: skip
