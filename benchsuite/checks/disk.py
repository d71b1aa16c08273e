"""Room and write access where a run writes."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.checks._mend import gigabytes, quote
from benchsuite.condition import Place, Probe
from benchsuite.diagnosis import Ailment, Check, Diagnosis, Level, fine

PLENTY = 3
"""Times what a run needs, under which it is a warning."""

FILE = "it is a file"
"""A place's problem where a folder is wanted and a file lies."""

ELSEWHERE = (
    "pytest bench --suite-results ROOMY", "mkdir -p ROOMY && export TMPDIR=ROOMY", "export XDG_CACHE_HOME=ROOMY",
)  # fmt: skip
"""For results, temporary files and the cache, where another disk has room."""

UNWRITABLE = Ailment(
    code="disk.unwritable", level=Level.ERROR,
    seen="nothing can be written for {role} in {path}: {problem}",
    command="{command}",
    typed=('sudo chown -R "$(id -un)" PATH', "mv PATH PATH.old", *ELSEWHERE),
)  # fmt: skip
FULL = Ailment(
    code="disk.full", level=Level.ERROR,
    seen="{free} are free for {role} in {path}, and a run may take {need}",
    command="{command}",
    typed=(*ELSEWHERE, "du -xhd 2 PATH | sort -h | tail"),
)  # fmt: skip
LOW = Ailment(
    code="disk.low", level=Level.WARNING,
    seen="{free} are free for {role} in {path}, enough for few runs ({need} each)",
    command="{command}",
    typed=(*ELSEWHERE, "du -xhd 2 PATH | sort -h | tail"),
)  # fmt: skip


def _elsewhere(probe: Probe, place: Place) -> str:
    """Another disk where there is one with room, else what fills this one."""
    if probe.roomy:
        return place.cure.format(quote(probe.roomy))
    if probe.system == "Windows":
        return "cleanmgr"
    return f"du -xhd 2 {quote(place.path)} | sort -h | tail"


def _access(probe: Probe, place: Place) -> str:
    """The way back to a folder that is ours to write."""
    if "Permission" in place.problem and probe.system != "Windows":
        return f'sudo chown -R "$(id -un)" {quote(place.path)}'
    if place.problem == FILE:
        return f"mv {quote(place.path)} {quote(place.path + '.old')}"
    return place.cure.format(quote(probe.roomy or "~/benchsuite"))


def tight(place: Place) -> bool:
    """Whether there is something to say of a place."""
    return bool(place.problem) or place.free < PLENTY * place.need


def _finding(probe: Probe, place: Place) -> Diagnosis | None:
    fields = {"role": place.role, "path": place.path, "problem": place.problem, "free": gigabytes(place.free),
              "need": gigabytes(place.need)}  # fmt: skip
    if place.problem:
        return UNWRITABLE.found(**fields, command=_access(probe, place))
    if place.free < place.need:
        return FULL.found(**fields, command=_elsewhere(probe, place))
    if tight(place):
        return LOW.found(**fields, command=_elsewhere(probe, place))
    return None


def examine(probe: Probe) -> Iterator[Diagnosis]:
    """Each folder that a run writes to."""
    found = [diagnosis for place in probe.places if (diagnosis := _finding(probe, place))]
    yield from found
    if probe.places and not found:
        said = ", ".join(f"{gigabytes(place.free)} for {place.role}" for place in probe.places)
        yield fine("disk", f"writable, and free: {said}")


CHECK = Check(
    name="disk",
    title="Results, temporary files and the cache can be written, and there is room.", quick=True,
    ailments=(UNWRITABLE, FULL, LOW), examine=examine,
)  # fmt: skip
