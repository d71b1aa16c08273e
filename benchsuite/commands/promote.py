"""Approve runs as baselines."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from .. import promote as promotion
from .. import registry, store
from ._shared import answer


def promote(  # noqa: PLR0917 - typer makes an option of each
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Run folders, run names, or latest.")],
    reason: Annotated[str, typer.Option(help="Why these numbers are right; kept in the baseline's history.")],
    only: Annotated[str, typer.Option(metavar="CASE/METRIC-GLOB", help="Approve these metrics alone.")] = "",
    baselines: Annotated[str, typer.Option(metavar="DIR")] = "baselines",
    results: Annotated[str, typer.Option(metavar="DIR")] = "results",
    json: Annotated[str, typer.Option(metavar="FILE", help="Write what changed as JSON; - prints it.")] = "",
) -> None:
    """Approve runs as baselines; prints old -> new. Works on a downloaded run, without a GPU."""
    report = promotion.promote(
        [store.resolve_run(name, Path(results)) for name in runs],
        baselines=Path(baselines), only=only, reason=reason, now=datetime.now(UTC).isoformat(timespec="seconds"),
        metrics=registry.metrics(),
    )  # fmt: skip
    answer("\n".join(report.lines), json, report)
