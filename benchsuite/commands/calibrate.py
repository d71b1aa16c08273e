"""How figures scatter on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .. import calibrate as calibrating
from .. import calibrate_words, registry, settings, sides
from ..ab.prediction import CALIBRATED
from ..nouns import Record, UsageError
from ._shared import INTERRUPTED, answer, errors, ready


def calibrate(  # noqa: PLR0917 - typer makes an option of each
    runs: Annotated[list[str] | None, typer.Argument(metavar="[RUN...]", help="Recorded runs; none: measure.")] = None,
    profile: Annotated[str, typer.Option(metavar="LIST", help="Profiles, comma-separated.", show_default="tiny")] = "",
    regimes: Annotated[
        str, typer.Option(metavar="LIST", help="Regimes, comma-separated.", show_default="fp32,qlora")
    ] = "",
    task: Annotated[str, typer.Option(metavar="NAME", help="A task; default the profile's own.")] = "",
    model: Annotated[str, typer.Option(help="A checkpoint's folder or hub name.")] = "",
    weights: Annotated[str, typer.Option(help="pretrained or random.", show_default="pretrained")] = "",
    data: Annotated[str, typer.Option(metavar="PATH", help="SST-2 in one of three layouts.")] = "",
    device: Annotated[str, typer.Option(help="GPU by index or UUID; default the emptiest.")] = "",
    machine: Annotated[str, typer.Option(help="What to call this machine.")] = "",
    trials: Annotated[int, typer.Option(help="Trials a case, 5 at least.", show_default="5")] = 0,
    steps: Annotated[int, typer.Option(help="Train only so many steps; 0: the profile's.")] = 0,
    baselines: Annotated[str, typer.Option(metavar="DIR")] = "baselines",
    results: Annotated[str, typer.Option(metavar="DIR")] = "results",
    json: Annotated[str, typer.Option(metavar="FILE", help="Write what was stored as JSON; - prints it.")] = "",
) -> None:
    """Store how figures scatter on this machine with nothing changed, and print what can be seen here."""
    given = {k: v for k, v in locals().items() if k in {setting.name for setting in settings.SETTINGS}}
    records = _recorded(runs, given, Path(results)) if runs else _measured(given)
    report = calibrating.calibrate(records, baselines=Path(baselines), metrics=registry.metrics())
    lines = calibrate_words.lines(report, registry.metrics(), settings.tolerances(Path()))
    answer("\n".join(lines), json, report)


def _recorded(runs: list[str], given: dict[str, Any], results: Path) -> list[Record]:
    if asked := [name for name, value in given.items() if value and name not in ("baselines", "results")]:
        raise UsageError(f"RUN... takes what was recorded and measures nothing: leave out --{', --'.join(asked)}")
    return [record for name in runs for record in sides.records(name, results)]


def _measured(given: dict[str, Any]) -> list[Record]:
    trials = given["trials"] or CALIBRATED
    if trials < CALIBRATED:
        raise UsageError(f"--trials {trials}: fewer than {CALIBRATED} do not tell how far processes lie apart")
    options = settings.parse(given | {"profile": given["profile"] or "tiny", "trials": trials}, root=Path())
    suite = ready(options)
    try:
        records = [record for case in suite.cases for record in suite.records(case)]
    except KeyboardInterrupt:
        errors.print("interrupted; finished trials are kept: calibrate with them by their run's name")
        raise typer.Exit(INTERRUPTED) from None
    finally:
        suite.end()
    errors.print(f"records: {suite.run}")
    return records
