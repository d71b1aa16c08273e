"""What is wrong with this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from .. import codec, diagnosis, examine, registry, settings, store
from .. import doctor as doctoring
from ..condition import Probe
from ..nouns import SuiteError
from ._shared import errors


def doctor(  # noqa: PLR0917 - typer makes an option of each
    data: Annotated[str, typer.Option(metavar="PATH", help="The data that a run will take.")] = "",
    model: Annotated[str, typer.Option(help="The model that a run will take.")] = "",
    weights: Annotated[str, typer.Option(help="pretrained or random.")] = "pretrained",
    results: Annotated[str, typer.Option(metavar="DIR")] = "results",
    baselines: Annotated[str, typer.Option(metavar="DIR", help="Where the locks lie.")] = "baselines",
    device: Annotated[str, typer.Option(help="GPU by index or UUID; default the emptiest.")] = "",
    json: Annotated[str, typer.Option(metavar="FILE", help="Write the findings as JSON; - prints them.")] = "",
) -> None:
    """Say what is wrong with this machine, and the command that mends it; 2 on an error."""
    given = {name: value for name, value in locals().items() if name != "json"}
    with errors.status("importing every library once, which takes a while"):
        probe = examine.look(settings.parse(given))
    found = diagnosis.diagnose(probe, registry.checks())
    answer = codec.dumps(doctoring.as_json(probe, found)) if json else ""
    if json == "-":
        typer.echo(answer, nl=False)
    else:
        _print_findings(probe, found)
    if json not in ("", "-"):
        store.write_text(Path(json), answer)
    raise typer.Exit(SuiteError.exit_code if diagnosis.worst(found) is diagnosis.Level.ERROR else 0)


def _print_findings(probe: Probe, found: tuple[diagnosis.Diagnosis, ...]) -> None:
    out = Console(soft_wrap=True, markup=False, highlight=False, emoji=False)
    for line in doctoring.render(probe, found):
        out.print(line.text, style=line.style or None)
