"""A run as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import report as reporting
from .. import settings


def report(
    run: Annotated[str, typer.Argument(metavar="[RUN]", help="A run's folder or name.")] = "latest",
    results: Annotated[str, typer.Option(metavar="DIR", help="Where runs are found by name.")] = "results",
    baselines: Annotated[str, typer.Option(metavar="DIR")] = "baselines",
    out: Annotated[str, typer.Option(metavar="FILE", help="The page; default RUN/report.html.")] = "",
) -> None:
    """Write a run as one HTML page, from its records alone: verdicts, pictures, figures, history."""
    path = reporting.write(
        run, results=Path(results), baselines=Path(baselines), out=Path(out) if out else None,
        tolerances=settings.tolerances(Path()),
    )  # fmt: skip
    typer.echo(f"report: {path}")
