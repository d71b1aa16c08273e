"""What earlier installations left behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from benchsuite.checks._mend import UNINSTALLS, assign, install, remove, uninstall, unset
from benchsuite.condition import Distribution, Probe
from benchsuite.diagnosis import Ailment, Check, Diagnosis, Level, fine
from benchsuite.versions import GUARDED

TWICE = Ailment(
    code="leftovers.twice", level=Level.WARNING,
    seen="{name} is installed twice in {folder}: {versions}",
    command="{uninstall}; {install} {name}=={version}",
    typed=tuple(f"{way}; INSTALL NAME==VERSION" for way in UNINSTALLS),
)  # fmt: skip
SHADOWED = Ailment(
    code="leftovers.shadowed", level=Level.WARNING,
    seen="{name} {version} in {folder} hides {name} {hidden} in {other}",
    command="{command}",
    typed=("unset PYTHONPATH", "export PYTHONNOUSERSITE=1", "PYTHON -m pip uninstall -y NAME"),
)  # fmt: skip
HALF = Ailment(
    code="leftovers.half", level=Level.WARNING,
    seen="an installation that was cut short left {names}",
    command="{remove}",
    typed=("rm -r NAMES",),
)  # fmt: skip


def _named(probe: Probe) -> dict[str, list[Distribution]]:
    found = defaultdict(list)
    for distribution in probe.distributions:
        if distribution.name:
            found[distribution.name].append(distribution)
    return found


def _unhide(probe: Probe, first: Distribution, hidden: Distribution) -> str:
    """How to see the hidden one again; empty where hiding it is what an environment on top of another is for."""
    if first.folder in probe.variables.get("PYTHONPATH", "").replace(";", ":").split(":"):
        return unset(probe, "PYTHONPATH")
    if ".local" in first.folder or "Roaming" in first.folder:
        return assign(probe, "PYTHONNOUSERSITE", "1")
    wanted = (probe.lock.pins if probe.lock else {}).get(first.name)
    return uninstall(probe, first.name).partition(" && ")[0] if wanted == hidden.version else ""


def _findings(probe: Probe) -> Iterator[Diagnosis]:
    for name, there in _named(probe).items():
        first = there[0]
        same = [d for d in there if d.folder == first.folder]
        if len(same) > 1:
            yield TWICE.found(
                name=name, folder=first.folder, versions=" and ".join(d.version for d in same), version=first.version,
                uninstall=uninstall(probe, name), install=install(probe),
            )  # fmt: skip
        other = next((d for d in there if d.folder != first.folder and d.version != first.version), None)
        if other and name in GUARDED and (command := _unhide(probe, first, other)):
            yield SHADOWED.found(
                name=name, version=first.version, folder=first.folder, hidden=other.version, other=other.folder,
                command=command,
            )  # fmt: skip
    if half := [distribution.metadata for distribution in probe.distributions if not distribution.name]:
        yield HALF.found(names=", ".join(half), remove=remove(probe, half))


def examine(probe: Probe) -> Iterator[Diagnosis]:
    """Two of one name in one folder, two versions of a guarded one on the path, halves."""
    found = list(_findings(probe))
    yield from found
    if probe.distributions and not found:
        yield fine("leftovers", f"{len(probe.distributions)} distributions, none of them twice")


CHECK = Check(
    name="leftovers",
    title="No distribution is installed twice, and none is half removed: which of two is imported is "
    "chance.", quick=True,
    ailments=(TWICE, SHADOWED, HALF), examine=examine,
)  # fmt: skip
