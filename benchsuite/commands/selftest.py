"""Plant known faults and see each caught."""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from .. import matrix, matrix_words, planting, progress, settings, store
from .. import selftest as planted
from ..ab import tables
from ..nouns import Options, UsageError
from ..power import record as recording
from ..power import sittings as recorded
from ..power import table
from ._shared import INTERRUPTED, answer, errors, say, show


def selftest(  # noqa: PLR0917 - typer makes an option of each
    faults: Annotated[str, typer.Option(metavar="GLOBS", help="Faults, comma-separated.")] = "*",
    clean: Annotated[int, typer.Option(metavar="N", min=0, help="Repeats with nothing planted.")] = 2,
    reduced: Annotated[bool, typer.Option("--reduced", help="A few faults of different kinds only.")] = False,  # noqa: FBT002
    jobs: Annotated[int, typer.Option(metavar="N", min=1, help="Trials at once.")] = 1,
    profile: Annotated[str, typer.Option(metavar="NAME", help="One profile.")] = "tiny",
    regimes: Annotated[str, typer.Option(metavar="LIST", help="Regimes, comma-separated.")] = "fp32,qlora",
    task: Annotated[str, typer.Option(metavar="NAME", help="A task; default the profile's own.")] = "",
    model: Annotated[str, typer.Option(help="A checkpoint's folder or hub name.")] = "",
    weights: Annotated[str, typer.Option(help="pretrained or random.")] = "pretrained",
    data: Annotated[str, typer.Option(metavar="PATH", help="SST-2 in one of three layouts.")] = "",
    device: Annotated[str, typer.Option(help="GPU by index or UUID; default the emptiest.")] = "",
    trials: Annotated[int, typer.Option(help="Trials a fault; 0: one.")] = 0,
    steps: Annotated[int, typer.Option(help="Train only so many steps; 0: the profile's.")] = 0,
    results: Annotated[str, typer.Option(metavar="DIR")] = "results",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the newest that was interrupted.")] = False,  # noqa: FBT002
    keep: Annotated[bool, typer.Option("--keep", help="Keep the trials' records though all is well.")] = False,  # noqa: FBT002
    power: Annotated[bool, typer.Option("--power", help="The gate on time, held to recorded trials instead.")] = False,  # noqa: FBT002
    record: Annotated[int, typer.Option(metavar="N", min=0, help="With --power: record N processes a case.")] = 0,
    calls: Annotated[int, typer.Option(metavar="N", min=0, help="With --power: simulated calls a row.")] = 10_000,
    baselines: Annotated[str, typer.Option(metavar="DIR", help="With --power: where sittings lie.")] = "baselines",
    json: Annotated[str, typer.Option(metavar="FILE", help="Write the matrix or table as JSON; - prints it.")] = "",
    markdown: Annotated[str, typer.Option(metavar="FILE", help="Write the matrix or table as a page.")] = "",
) -> None:
    """Plant known faults, one trial each, and see that each is caught; 1 where one is missed.

    Trials are kept in results/selftest until all is well. With --power nothing is planted in a trial: recorded
    processes, which measured delays of known size in turns, are decided as pairs, and the rates of errors are told.
    """
    names = {setting.name for setting in settings.SETTINGS} - {"resume"}
    given = {k: v for k, v in locals().items() if k in names}
    options = settings.parse(given, root=Path())
    if record and not power:
        raise UsageError("--record N records processes for --power: give both")
    if power:
        _power(options, Path(baselines), record=record, calls=calls, json=json, markdown=markdown)
        return
    chosen = planting.choose(planting.faults(), faults, reduced=reduced)
    errors.print(f"{len(chosen)} faults, {clean} clean repeats")
    home = planted.home(Path(results), resume=resume)
    shown = show if jobs == 1 else _plain
    try:
        report = planted.run(chosen, options, home=home, clean=clean, jobs=jobs, show=shown, say=say)
    except KeyboardInterrupt:
        errors.print("interrupted; finished trials are kept: go on with --resume")
        raise typer.Exit(INTERRUPTED) from None
    answer(matrix_words.text(report), json, report)
    if markdown:
        store.write_text(Path(markdown), matrix_words.markdown(report))
    code = matrix.exit_code(report.rows)
    if code or keep:
        errors.print(f"records and logs of each trial: {home}")
    else:
        shutil.rmtree(home, ignore_errors=True)
    raise typer.Exit(code)


def _power(options: Options, baselines: Path, *, record: int, calls: int, json: str, markdown: str) -> None:
    if record:
        try:
            recording.record_all(options, count=record, folder=baselines, say=say)
        except KeyboardInterrupt:
            errors.print("interrupted; the processes that were recorded are kept")
            raise typer.Exit(INTERRUPTED) from None
    sittings = recorded.every(baselines)
    rows = (*table.rows(sittings), *(table.simulated(sittings, count=calls) if calls else ()))
    answer(tables.text(rows), json, tables.data(rows))
    if markdown:
        store.write_text(Path(markdown), f"{tables.markdown(rows)}\n")
        store.write_text(Path(markdown).with_suffix(".svg"), tables.svg(rows))


def _plain(label: str) -> AbstractContextManager[Any]:
    """Trials that run at once share no live line."""
    return progress.shown(Console(stderr=True, soft_wrap=True, force_terminal=False), label)
