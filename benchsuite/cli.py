"""The command `benchsuite`: translation only. A command exists when it works, not before."""

from __future__ import annotations

import shutil
import sys
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from . import (
    __version__,
    calibrate_words,
    cases,
    codec,
    diagnosis,
    effects_words,
    examine,
    matrix,
    matrix_words,
    noises,
    planting,
    preflight,
    progress,
    registry,
    runfiles,
    settings,
    side_by_side,
    sides,
    store,
)
from . import calibrate as calibrating
from . import doctor as doctoring
from . import effects as taken_apart
from . import promote as promotion
from . import report as reporting
from . import selftest as planted
from . import versus as comparison
from .ab.prediction import CALIBRATED
from .condition import Probe
from .contest import call, card_markdown, card_text
from .history import ask, index, keep, plot, svg, table
from .nouns import Options, Outcome, Record, Role, RunResult, SuiteError, UsageError
from .session import Session

app = typer.Typer(
    no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False,
)  # fmt: skip
INCONCLUSIVE, INTERRUPTED = 3, 130
errors = Console(stderr=True, soft_wrap=True)


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


@app.command()
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
    json: Annotated[str, typer.Option(metavar="FILE", help="Write the verdicts as JSON.")] = "",
) -> None:
    """Measure, judge and report, without pytest."""
    given = {name.replace("_", "-"): value for name, value in locals().items() if name != "json"}
    options = settings.parse(given | {"profile": profile or ("" if replay else "tiny")}, root=Path())
    finished, code = _run(options)
    typer.echo(registry.reporters()["terminal"].render(finished))
    typer.echo(f"records, verdicts.json, summary.csv, report.md, report.html: {Path(results) / finished.run}")
    if json:
        verdicts = [verdict for result in finished.results for verdict in result.verdicts]
        store.write_text(Path(json), codec.dumps(codec.encode(verdicts)))
    raise typer.Exit(code)


def _run(options: Options) -> tuple[RunResult, int]:
    suite = _ready(options)
    try:
        for case in suite.cases:
            suite.result(case)
    except KeyboardInterrupt:
        errors.print("interrupted; finished trials are kept: go on with --resume")
        raise typer.Exit(INTERRUPTED) from None
    finished = suite.outcome()
    suite.write(finished)
    for aside in suite.asides:
        _warn(aside)
    return finished, _code(finished, suite.exit_code(), options)


def _ready(options: Options) -> Session:
    """A run that is checked, and of which it was said how long it takes."""
    suite = Session(options, _show)
    for case in suite.cases:
        if why := suite.missing_gpu(case):
            raise SuiteError(f"{cases.slug(case)}: {why}")
    preflight.tell(options, suite.cases, _warn, context=suite.parent_cuda())
    suite.preflight(suite.cases)
    estimate = suite.estimate(suite.cases)
    errors.print(f"{progress.trials(estimate)}, about {progress.duration(estimate.seconds)} ({estimate.source})")
    return suite


def _warn(text: str) -> None:
    errors.print(text, markup=False, highlight=False)


def _show(label: str) -> AbstractContextManager[Any]:
    return progress.shown(errors, label)


def _code(finished: RunResult, code: int, options: Options) -> int:
    """The answer of pytest, but for what was not decided, which has a code of its own here."""
    outcomes = {v.outcome for result in finished.results for v in result.verdicts if v.role is Role.GATE}
    decided = outcomes & {Outcome.REGRESSED, Outcome.CHANGED}
    undecided = outcomes & {Outcome.INCONCLUSIVE, Outcome.INVALID}
    return INCONCLUSIVE if options.gate and undecided and not decided else code


@app.command()
def doctor(  # noqa: PLR0917 - typer makes an option of each
    data: Annotated[str, typer.Option(metavar="PATH", help="The data that a run will take.")] = "",
    model: Annotated[str, typer.Option(help="The model that a run will take.")] = "",
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


@app.command()
def compare(
    old: Annotated[str, typer.Argument(metavar="A", help="What is held to be right: a run, record or baseline.")],
    new: Annotated[str, typer.Argument(metavar="B", help="What is judged: the same.")],
    results: Annotated[str, typer.Option(metavar="DIR", help="Where runs are found by name.")] = "results",
    baselines: Annotated[str, typer.Option(metavar="DIR", help="Where known.toml and noise.json lie.")] = "baselines",
    json: Annotated[str, typer.Option(metavar="FILE", help="Write the verdicts as JSON.")] = "",
) -> None:
    """Judge and explain any two records, runs or baselines (files, folders, run names) without measuring."""
    found = _versus(old, new, Path(results), Path(baselines))
    typer.echo(registry.reporters()["terminal"].render(found.run))
    for side, slugs in ((old, found.only_old), (new, found.only_new)):
        for slug in slugs:
            typer.echo(f"only in {side}: {slug}")
    if json:
        verdicts = [verdict for result in found.run.results for verdict in result.verdicts]
        store.write_text(Path(json), codec.dumps(codec.encode(verdicts)))
    raise typer.Exit(comparison.exit_code(found.run.results))


def _versus(old: str, new: str, results: Path, baselines: Path) -> comparison.Versus:
    a, b = sides.records(old, results), sides.records(new, results)
    noise = noises.load(baselines, b[0].environment.machine)
    bench = comparison.Bench(
        metrics=registry.metrics(), judges=registry.judges(), rules=registry.rules(),
        tolerances=settings.tolerances(Path()), noise=noise.cases if noise else {},
        known=runfiles.load_known(baselines),
    )  # fmt: skip
    name = f"{Path(old).name} -> {Path(new).name}"
    found = comparison.versus(a, b, name=name, bench=bench)
    if not found.run.results:
        raise UsageError(
            f"no case is on both sides. {old} has {', '.join(found.only_old)}; {new} has {', '.join(found.only_new)}. "
            "Cases meet by task, regime, profile, model, weights and device."
        )
    return found


@app.command()
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
    if json and json != "-":
        store.write_text(Path(json), codec.dumps(codec.encode(found)))
    answer = codec.dumps(codec.encode(found)) if json == "-" else _told(found, last)
    typer.echo(answer, nl=False)


def _told(found: ask.Answer, last: int) -> str:
    text = table.render(found.series, found.left_out, last=last)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return table.render(found.series, found.left_out, last=last, glyphs=plot.ASCII)
    return text


def _kept(kept: keep.Kept) -> None:
    noun = "run" if kept.runs == 1 else "runs"
    _say(f"{kept.runs} {noun}, {kept.cases} cases taken in")
    for line in kept.left_out:
        _say(f"left out {line}")


@app.command()
def ab(  # noqa: PLR0917 - typer makes an option of each
    a: Annotated[str, typer.Option("--a", metavar="SPEC", help="What is held to be right.")] = "",
    b: Annotated[str, typer.Option("--b", metavar="SPEC", help="What is judged.")] = "",
    budget: Annotated[str, typer.Option(metavar="TIME", help="For each case; default 300s, on a CPU 60s.")] = "",
    timed: Annotated[str, typer.Option(metavar="LIST", help="Timed figures, six at most, or none.")] = "",
    smallest: Annotated[list[str] | None, typer.Option(metavar="FIGURE=SHARE", help="Smallest effect.")] = None,
    timeout: Annotated[str, typer.Option(metavar="TIME", help="What a trial may take.")] = "0s",
    profile: Annotated[str, typer.Option(metavar="LIST", help="Profiles, comma-separated.")] = "tiny",
    regimes: Annotated[str, typer.Option(metavar="LIST", help="Regimes, comma-separated.")] = "fp32,qlora",
    model: Annotated[str, typer.Option(help="A checkpoint's folder or hub name.")] = "",
    weights: Annotated[str, typer.Option(help="pretrained or random.")] = "pretrained",
    data: Annotated[str, typer.Option(metavar="PATH", help="SST-2 in one of three layouts.")] = "",
    device: Annotated[str, typer.Option(help="GPU by index or UUID; default the emptiest.")] = "",
    machine: Annotated[str, typer.Option(help="What to call this machine.")] = "",
    steps: Annotated[int, typer.Option(help="Train only so many steps; 0: the profile's.")] = 0,
    results: Annotated[str, typer.Option(metavar="DIR")] = "results",
    inject: Annotated[str, typer.Option(metavar="FILE.py:FUNCTION", help="Plant a fault in both arms.")] = "",
    replay: Annotated[str, typer.Option(metavar="RUN", help="Decide an earlier call's records again.")] = "",
    json: Annotated[str, typer.Option(metavar="FILE", help="Write the card as JSON.")] = "",
    markdown: Annotated[str, typer.Option(metavar="FILE", help="Write the card as a page.")] = "",
) -> None:
    """Decide between two environments: pairs of trials in turns on one device, one card.

    SPEC is a path to a virtual environment or its python, or requirements over the versions that run here,
    such as "transformers==4.57.6 peft==0.18.0": uv builds them, and only what must move moves.
    """
    given = {k: v for k, v in locals().items() if k in {setting.name for setting in settings.SETTINGS}}
    options = settings.parse(given, root=Path())
    asked = call.Asked(
        a=a, b=b, budget=call.seconds(budget) if budget else None, timeout=call.seconds(timeout),
        smallest=tuple(smallest or ()),
        timed=tuple(name.strip() for name in timed.split(",") if name.strip()),
    )  # fmt: skip
    try:
        said = call.run(asked, options, show=_show, say=_say)
    except KeyboardInterrupt:
        errors.print("interrupted; the records of finished trials are kept")
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(card_text.render(said))
    if not options.replay:
        typer.echo(f"records, ab.json, ab.md, ab.txt: {Path(results) / said.run}")
    for file, text in ((json, codec.dumps(codec.encode(said))), (markdown, card_markdown.render(said))):
        if file:
            store.write_text(Path(file), text)
    raise typer.Exit(said.exit_code)


def _say(line: str) -> None:
    errors.print(line, markup=False, highlight=False)


@app.command()
def promote(  # noqa: PLR0917 - typer makes an option of each
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Run folders, run names, or latest.")],
    reason: Annotated[str, typer.Option(help="Why these numbers are right; kept in the baseline's history.")],
    only: Annotated[str, typer.Option(metavar="CASE/METRIC-GLOB", help="Approve these metrics alone.")] = "",
    baselines: Annotated[str, typer.Option(metavar="DIR")] = "baselines",
    results: Annotated[str, typer.Option(metavar="DIR")] = "results",
    json: Annotated[str, typer.Option(metavar="FILE", help="Write what changed as JSON.")] = "",
) -> None:
    """Approve runs as baselines; prints old -> new. Works on a downloaded run, without a GPU."""
    report = promotion.promote(
        [store.resolve_run(name, Path(results)) for name in runs],
        baselines=Path(baselines), only=only, reason=reason, now=datetime.now(UTC).isoformat(timespec="seconds"),
        metrics=registry.metrics(),
    )  # fmt: skip
    for line in report.lines:
        typer.echo(line)
    if json:
        store.write_text(Path(json), codec.dumps(codec.encode(report)))


@app.command()
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
    json: Annotated[str, typer.Option(metavar="FILE", help="Write what was stored as JSON.")] = "",
) -> None:
    """Store how figures scatter on this machine with nothing changed, and print what can be seen here."""
    given = {k: v for k, v in locals().items() if k in {setting.name for setting in settings.SETTINGS}}
    records = _recorded(runs, given, Path(results)) if runs else _measured(given)
    report = calibrating.calibrate(records, baselines=Path(baselines), metrics=registry.metrics())
    for line in calibrate_words.lines(report, registry.metrics(), settings.tolerances(Path())):
        typer.echo(line)
    if json:
        store.write_text(Path(json), codec.dumps(codec.encode(report)))


def _recorded(runs: list[str], given: dict[str, Any], results: Path) -> list[Record]:
    if asked := [name for name, value in given.items() if value and name not in ("baselines", "results")]:
        raise UsageError(f"RUN... takes what was recorded and measures nothing: leave out --{', --'.join(asked)}")
    return [record for name in runs for record in sides.records(name, results)]


def _measured(given: dict[str, Any]) -> list[Record]:
    trials = given["trials"] or CALIBRATED
    if trials < CALIBRATED:
        raise UsageError(f"--trials {trials}: fewer than {CALIBRATED} do not tell how far processes lie apart")
    options = settings.parse(given | {"profile": given["profile"] or "tiny", "trials": trials}, root=Path())
    suite = _ready(options)
    try:
        records = [record for case in suite.cases for record in suite.records(case)]
    except KeyboardInterrupt:
        errors.print("interrupted; finished trials are kept: calibrate with them by their run's name")
        raise typer.Exit(INTERRUPTED) from None
    errors.print(f"records: {suite.run}")
    return records


@app.command()
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
    answer = codec.dumps({"regimes": codec.encode(beside), "parts": codec.encode(found)})
    if json not in ("", "-"):
        store.write_text(Path(json), answer)
    known = tuple(registry.metrics().values())
    told = [*(effects_words.side_by_side(matrix, known) for matrix in beside), effects_words.text(found, known)]
    typer.echo(answer if json == "-" else "\n\n".join(told))


@app.command()
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


@app.command()
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
    json: Annotated[str, typer.Option(metavar="FILE", help="Write the matrix as JSON.")] = "",
    markdown: Annotated[str, typer.Option(metavar="FILE", help="Write the matrix as a page.")] = "",
) -> None:
    """Plant known faults, one trial each, and see that each is caught; 1 where one is missed.

    Trials are kept in results/selftest until all is well.
    """
    names = {setting.name for setting in settings.SETTINGS} - {"resume"}
    given = {k: v for k, v in locals().items() if k in names}
    options = settings.parse(given, root=Path())
    chosen = planting.choose(planting.faults(), faults, reduced=reduced)
    errors.print(f"{len(chosen)} faults, {clean} clean repeats")
    home = planted.home(Path(results), resume=resume)
    show = _show if jobs == 1 else _plain
    try:
        report = planted.run(chosen, options, home=home, clean=clean, jobs=jobs, show=show)
    except KeyboardInterrupt:
        errors.print("interrupted; finished trials are kept: go on with --resume")
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(matrix_words.text(report))
    if json:
        store.write_text(Path(json), codec.dumps(codec.encode(report)))
    if markdown:
        store.write_text(Path(markdown), matrix_words.markdown(report))
    code = matrix.exit_code(report.rows)
    if code or keep:
        typer.echo(f"records and logs of each trial: {home}")
    else:
        shutil.rmtree(home, ignore_errors=True)
    raise typer.Exit(code)


def _plain(label: str) -> AbstractContextManager[Any]:
    """Trials that run at once share no live line."""
    return progress.shown(Console(stderr=True, soft_wrap=True, force_terminal=False), label)


def main() -> None:
    """Entry point: a user's mistake ends with one message and exit code 2, never a traceback."""
    try:
        app()
    except SuiteError as error:
        errors.print(f"benchsuite: {error}", markup=False, highlight=False)
        sys.exit(SuiteError.exit_code)
