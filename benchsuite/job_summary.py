"""The report of a run on the page of a job: appended to the file that `GITHUB_STEP_SUMMARY` names."""

from __future__ import annotations

import os
from pathlib import Path

from .files import reason

VARIABLE = "GITHUB_STEP_SUMMARY"
MOST = 2**20
"""Bytes of a step's summary; what is longer is not shown at all."""
CUT = "\n\n(cut here: the whole is in the run's report.md)\n"


def append(text: str) -> str:
    """Appends a page where the variable is set; why that could not be done, or nothing. It never fails a run."""
    name = os.environ.get(VARIABLE, "")
    if not name:
        return ""
    try:
        path = Path(name)
        room = MOST - (path.stat().st_size if path.exists() else 0)
        with path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(fitting(text, room))
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        return f"the report is not in the job's summary: {VARIABLE}={name}: {why}"
    return ""


def fitting(text: str, room: int) -> str:
    """`text` with a newline at its end, cut at the end of a line where it is longer than `room` bytes."""
    whole = text.rstrip("\n") + "\n"
    data = whole.encode(errors="backslashreplace")
    if len(data) <= room:
        return whole
    kept = data[: max(0, room - len(CUT))]
    return kept[: kept.rfind(b"\n") + 1].decode(errors="ignore").rstrip("\n") + CUT if room > len(CUT) else ""
