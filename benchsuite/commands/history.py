"""A metric over all runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .. import registry, store
from ..history import ask, index, keep, plot, svg, table
from ._shared import answer, say


def history(  # noqa: PLR0917 - typer makes an option of each
    metric: Annotated[str, typer.Argument(help="A metric, or a glob; without it, what there is is listed.")] = "",
    case: Annotated[str, typer.Option(metavar="GLOB", help="Cases by slug.")] = "*",
    machine: Annotated[str, typer.Option(metavar="GLOB", help="Machines by name.")] = "*",
    last: Annotated[int, typer.Option(metavar="N", min=0, help="List the newest N runs; 0: all.")] = 20,
    injected: Annotated[bool, typer.Option("--injected", help="Show runs with a planted fault too.")] = False,  # noqa: FBT002
    add: Annotated[list[str] | None, typer.Option(metavar="RUN", help="Take in a run from elsewhere first.")] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make the index anew from all records first.")] = False,  # noqa: FBT002
    results: Annotated[str, typer.Option(metavar="DIR", help="Where the runs are.")] = "results",
    baselines: Annotated[str, typer.Option(metavar="DIR", help="Whose promotions to mark.")] = "baselines",
    svg_file: Annotated[str, typer.Option("--svg", metavar="FILE", help="Write a plot.")] = "",
    json: Annotated[str, typer.Option(metavar="FILE", help="Write the runs as JSON; - prints them.")] = "",
) -> None:
    """Show a metric over all runs, with promotions and changes of versions between them."""
    folder = Path(results)
    if rebuild:
        _kept(keep.rebuild(folder))
    if add:
        _kept(keep.bring(add, folder))
    if not metric:
        if not (add or rebuild):
            declared = registry.metrics()
            typer.echo(table.overview(index.entries(folder), index.metrics(folder), declared), nl=False)
        return
    found = ask.ask(
        metric, results=folder, baselines=Path(baselines), case=case, machine=machine, injected=injected
    )  # fmt: skip
    if svg_file:
        store.write_text(Path(svg_file), svg.svg(found.series))
    answer(_told(found, last), json, found)


def _told(found: ask.Answer, last: int) -> str:
    text = table.render(found.series, found.left_out, last=last)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return table.render(found.series, found.left_out, last=last, glyphs=plot.ASCII)
    return text


def _kept(kept: keep.Kept) -> None:
    noun = "run" if kept.runs == 1 else "runs"
    say(f"{kept.runs} {noun}, {kept.cases} cases taken in")
    for line in kept.left_out:
        say(f"left out {line}")
