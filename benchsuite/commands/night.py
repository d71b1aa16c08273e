"""Two nights as one issue."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from .. import store
from ..nightly import read as nightly
from ._shared import answer


def night(  # noqa: PLR0917 - typer makes an option of each
    verdicts: Annotated[list[str] | None, typer.Option(metavar="FILE", help="A pinned run's verdicts.json.")] = None,
    card: Annotated[list[str] | None, typer.Option(metavar="LEG=FILE", help="A leg's card, of ab --json.")] = None,
    missing: Annotated[list[str] | None, typer.Option(metavar="LEG", help="A leg that left nothing.")] = None,
    previous: Annotated[str, typer.Option(metavar="FILE", help="The open issue's body; none is open without.")] = "",
    date: Annotated[str, typer.Option("--night", metavar="DATE", help="Default today, UTC.")] = "",
    url: Annotated[str, typer.Option(help="Page of the run.")] = "",
    markdown: Annotated[str, typer.Option(metavar="FILE", help="Write the issue's new body.")] = "",
    json: Annotated[str, typer.Option(metavar="FILE", help="Write action, title and comment; - prints it.")] = "",
) -> None:
    """Say what is new, still there and fixed since the last night, and what becomes of the rolling issue."""
    said = nightly.issue(nightly.Asked(
        verdicts=verdicts or (), cards=card or (), missing=missing or (), previous=previous, url=url,
        night=date or datetime.now(UTC).date().isoformat(),
    ))  # fmt: skip
    if markdown:
        store.write_text(Path(markdown), said.body)
    answer(f"{said.action.value}: {said.title}", json, said)
