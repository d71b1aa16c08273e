"""Which part of a difference is due to which change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import effects as taken_apart
from .. import effects_words, registry, side_by_side, store
from ._shared import answer


def effects(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Folders or names.", show_default="latest")
    ] = None,
    ends: Annotated[str, typer.Option(metavar="FROM,TO", help="Two regimes.", show_default="fp32,qlora ...")] = "",
    results: Annotated[str, typer.Option(metavar="DIR", help="Where runs are found by name.")] = "results",
    json: Annotated[str, typer.Option(metavar="FILE", help="Write the parts as JSON; - prints them.")] = "",
) -> None:
    """Say which part of the difference between two regimes is due to which change, from runs of several."""
    folders = [store.resolve_run(name, Path(results)) for name in runs or ["latest"]]
    records = [record for folder in folders for record in store.load_run(folder)]
    found, beside = taken_apart.of_run(records, ends), side_by_side.matrices(records)
    known = tuple(registry.metrics().values())
    told = [*(effects_words.side_by_side(matrix, known) for matrix in beside), effects_words.text(found, known)]
    answer("\n\n".join(told), json, {"regimes": beside, "parts": found})
