"""The command `benchsuite`: its commands put together. A command exists when it works, not before."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from . import __version__
from .commands import ab, calibrate, compare, doctor, effects, history, night, promote, report, run, selftest
from .commands._shared import say
from .nouns import SuiteError

app = typer.Typer(
    no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False,
)  # fmt: skip


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,  # noqa: FBT002
) -> None:
    """Benchmark and regression suite for fine-tuning stacks.

    Exit codes: 0 ok, 1 regressed or changed, 2 usage or environment, 3 inconclusive or invalid.
    """


for command in (
    run.run, doctor.doctor, compare.compare, history.history, ab.ab, night.night, promote.promote, calibrate.calibrate,
    effects.effects, report.report, selftest.selftest,
):  # fmt: skip
    app.command()(command)


def main() -> None:
    """Entry point: a user's mistake ends with one message and exit code 2, never a traceback."""
    try:
        app()
    except SuiteError as error:
        say(f"benchsuite: {error}")
        sys.exit(SuiteError.exit_code)
