"""Measure, judge and report, without pytest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import registry, settings
from ..nouns import Options, Outcome, Role, RunResult
from ._shared import INTERRUPTED, answer, errors, ready, say

INCONCLUSIVE = 3


def run(  # noqa: PLR0917 - typer makes an option of each
    profile: Annotated[str, typer.Option(metavar="LIST", help="Profiles, comma-separated.", show_default="tiny")] = "",
    regimes: Annotated[
        str, typer.Option(metavar="LIST", help="Regimes, comma-separated, or all.", show_default="fp32,qlora")
    ] = "",
    task: Annotated[str, typer.Option(metavar="NAME", help="A task; default the profile's own.")] = "",
    model: Annotated[str, typer.Option(help="A checkpoint's folder or hub name.")] = "",
    weights: Annotated[str, typer.Option(help="pretrained or random.")] = "pretrained",
    data: Annotated[str, typer.Option(metavar="PATH", help="SST-2 in one of three layouts.")] = "",
    device: Annotated[str, typer.Option(help="GPU by index or UUID; default the emptiest.")] = "",
    machine: Annotated[str, typer.Option(help="Machine whose baselines to use.")] = "",
    trials: Annotated[int, typer.Option(help="Trials a case; 0: the profile's.")] = 0,
    trials_max: Annotated[int, typer.Option(metavar="N", help="Add trials up to N where a gate is inconclusive.")] = 0,
    steps: Annotated[int, typer.Option(help="Train only so many steps; 0: the profile's.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the newest run.")] = False,  # noqa: FBT002
    baselines: Annotated[str, typer.Option(metavar="DIR")] = "baselines",
    results: Annotated[str, typer.Option(metavar="DIR")] = "results",
    require_gpu: Annotated[bool, typer.Option("--require-gpu", help="As it always is here.")] = False,  # noqa: FBT002
    require_baseline: Annotated[bool, typer.Option("--require-baseline", help="No baseline: 1.")] = False,  # noqa: FBT002
    inject: Annotated[str, typer.Option(metavar="FILE.py:FUNCTION", help="Plant a fault.")] = "",
    no_gate: Annotated[bool, typer.Option("--no-gate", help="Judge and print, but exit 0.")] = False,  # noqa: FBT002
    replay: Annotated[str, typer.Option(metavar="RUN", help="Judge a run's records again.")] = "",
    json: Annotated[str, typer.Option(metavar="FILE", help="Write the verdicts as JSON; - prints it.")] = "",
) -> None:
    """Measure, judge and report, without pytest."""
    given = {name.replace("_", "-"): value for name, value in locals().items() if name != "json"}
    options = settings.parse(given | {"profile": profile or ("" if replay else "tiny")}, root=Path())
    finished, code = _run(options)
    files = f"records, verdicts.json, summary.csv, report.md, report.html: {Path(results) / finished.run}"
    text = registry.reporters()["terminal"].render(finished)
    answer(f"{text}\n{files}", json, [verdict for result in finished.results for verdict in result.verdicts])
    raise typer.Exit(code)


def _run(options: Options) -> tuple[RunResult, int]:
    suite = ready(options)
    try:
        for case in suite.cases:
            suite.result(case)
    except KeyboardInterrupt:
        errors.print("interrupted; finished trials are kept: go on with --resume")
        raise typer.Exit(INTERRUPTED) from None
    finally:
        suite.end()
    finished = suite.outcome()
    suite.write(finished)
    for aside in suite.asides:
        say(aside)
    return finished, _code(finished, suite.exit_code(), options)


def _code(finished: RunResult, code: int, options: Options) -> int:
    """The answer of pytest, but for what was not decided, which has a code of its own here."""
    outcomes = {v.outcome for result in finished.results for v in result.verdicts if v.role is Role.GATE}
    decided = outcomes & {Outcome.REGRESSED, Outcome.CHANGED}
    undecided = outcomes & {Outcome.INCONCLUSIVE, Outcome.INVALID}
    return INCONCLUSIVE if options.gate and undecided and not decided else code
