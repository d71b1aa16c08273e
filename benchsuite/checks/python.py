"""The version of Python."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.checks._mend import quote
from benchsuite.condition import Probe
from benchsuite.diagnosis import Ailment, Check, Diagnosis, Level, fine

TESTED = ((3, 11), (3, 12))
CI_ONLY = ((3, 13),)
"""Run by the CI workflow, and by nobody before a release."""

NEW = (
    'uv venv --seed --python 3.12 .venv && . .venv/bin/activate && pip install -e ".[test]"',
    'python3.12 -m venv .venv && . .venv/bin/activate && pip install -e ".[test]"',
)

OLD = Ailment(
    code="python.old", level=Level.ERROR,
    seen="Python {version}; benchsuite needs {least} or newer",
    command='{make} && {activate} && pip install -e ".[test]"',
    typed=NEW,
)  # fmt: skip
UNTESTED = Ailment(
    code="python.untested", level=Level.WARNING,
    seen="Python {version} is newer than any that benchsuite is tested under (up to {most})",
    command='{make} && {activate} && pip install -e ".[test]"',
    typed=NEW,
)  # fmt: skip


def examine(probe: Probe) -> Iterator[Diagnosis]:
    """Too old, too new, or tested."""
    here = tuple(int(part) for part in probe.python.split(".")[:2])
    least, best, most = (".".join(map(str, v)) for v in (TESTED[0], TESTED[-1], CI_ONLY[-1]))
    make = f"uv venv --seed --python {best} .venv" if probe.uv else f"python{best} -m venv .venv"
    if probe.system == "Windows" and not probe.uv:
        make = f"py -{best} -m venv .venv"
    activate = quote(".venv\\Scripts\\activate") if probe.system == "Windows" else ". .venv/bin/activate"
    fields = {"version": probe.python, "least": least, "most": most, "make": make, "activate": activate}
    if here < TESTED[0]:
        yield OLD.found(**fields)
    elif here > CI_ONLY[-1]:
        yield UNTESTED.found(**fields)
    else:
        note = "" if here in TESTED else ", run by the CI workflow only"
        yield fine("python", f"Python {probe.python}{note}")


CHECK = Check(
    name="python",
    title="Python is one of the versions that benchsuite is tested under.", quick=True,
    ailments=(OLD, UNTESTED), examine=examine,
)  # fmt: skip
