"""Findings for people and for programs: pure. What is wrong stands first, each with the command that mends it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .condition import Probe
from .diagnosis import Ailment, Check, Diagnosis, Level, worst
from .nouns import JSON

WIDTH = 100
PROMPT = "$ "
STYLES = {Level.ERROR: "bold red", Level.WARNING: "yellow", Level.OK: "green"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of text, and how a terminal may show it."""

    text: str
    style: str = ""


def render(probe: Probe, found: Sequence[Diagnosis]) -> Iterator[Line]:
    """Errors, warnings, what is well in one line each, the tally. Commands are never wrapped: they are to be copied."""
    yield Line(text=f"benchsuite doctor: {probe.machine}, Python {probe.python}, {probe.system}")
    for diagnosis in found:
        if diagnosis.level is not Level.OK:
            yield Line(text="")
            head, *rest = paragraph(diagnosis).splitlines()
            yield Line(text=f"{diagnosis.level.upper()} {head}", style=STYLES[diagnosis.level])
            yield from (Line(text=line, style="bold" if line.lstrip().startswith(PROMPT) else "") for line in rest)
    yield Line(text="")
    width = max((len(d.check) for d in found), default=0)
    for diagnosis in found:
        if diagnosis.level is Level.OK:
            yield Line(text=f"ok {diagnosis.check:{width}}  {diagnosis.seen}", style=STYLES[Level.OK])
    yield Line(text="")
    yield Line(text=tally(found), style=STYLES[worst(found)])


def paragraph(diagnosis: Diagnosis) -> str:
    """A finding and, below it, its command."""
    lines = [
        piece
        for line in f"{diagnosis.check}: {diagnosis.seen}".splitlines()
        for piece in textwrap.wrap(line, WIDTH - 10, subsequent_indent="  ", break_on_hyphens=False,
                                   break_long_words=False) or [""]
    ]  # fmt: skip
    return "\n".join([lines[0], *(f"  {line.strip()}" for line in lines[1:]), f"  {PROMPT}{diagnosis.command}"])


def tally(found: Iterable[Diagnosis]) -> str:
    """How many of each level, the bad ones first."""
    levels = [diagnosis.level for diagnosis in found]
    words = {Level.ERROR: ("error", "errors"), Level.WARNING: ("warning", "warnings"), Level.OK: ("ok", "ok")}
    said = [f"{levels.count(level)} {words[level][levels.count(level) != 1]}" for level in words if level in levels]
    return ", ".join(said) or "nothing was looked at"


def as_json(probe: Probe, found: Sequence[Diagnosis]) -> dict[str, JSON]:
    """The answer for programs."""
    return {
        "machine": probe.machine,
        "python": probe.python,
        "level": worst(found).value,
        "findings": [
            {"check": d.check, "level": d.level.value, "code": d.code, "seen": d.seen, "command": d.command}
            for d in found
        ],
    }


# ---------------------------------------------------------------- docs/doctor.md

HEAD = """\
# What `benchsuite doctor` looks at

Made from the code (`python -m benchsuite.doctor_page > docs/doctor.md`) and checked by a test. Each finding has a
level, a stable code, what was seen, and the command that mends it, as it is typed on the machine that was looked at.
Words in capitals stand for what was found there. `INSTALL` is `python -m pip install` for the Python that was examined,
or `uv pip install --python PYTHON` where it has no pip. `UV` is the latter, with uv fetched first where it is missing:
uv alone can choose a build of torch.

An error ends `benchsuite doctor` with 2, a warning does not. Checks marked *quick* are asked before every GPU run of
`pytest bench` and `benchsuite run` too; an error ends that run with 2 before anything is measured.
"""


def page(checks: Mapping[str, Check]) -> str:
    """docs/doctor.md: every check with everything that it may find."""
    sections = [_section(checks[name]) for name in sorted(checks)]
    return "\n".join([HEAD, *sections])


def _section(check: Check) -> str:
    rows = [_row(ailment) for ailment in check.ailments]
    mark = " *Quick.*" if check.quick else ""
    title = "\n".join(textwrap.wrap(f"{check.title}{mark}", 120, break_on_hyphens=False))
    head = "| code | level | what was seen | command |\n|---|---|---|---|"
    return "\n".join([f"## {check.name}\n", f"{title}\n", head, *rows, ""])


def _row(ailment: Ailment) -> str:
    commands = " or ".join(f"`{command}`" for command in typed(ailment))
    cells = [f"`{ailment.code}`", ailment.level.value, shown(ailment.seen), commands]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def typed(ailment: Ailment) -> tuple[str, ...]:
    """The commands that may come of an ailment, on Linux, as people read them."""
    return ailment.typed or (shown(ailment.command),)


def shown(template: str) -> str:
    """A format string as people read it: its fields in capitals."""
    return re.sub(r"\{(\w+)(:[^}]*)?\}", lambda match: match[1].upper(), template)
