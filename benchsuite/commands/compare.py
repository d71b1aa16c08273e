"""Judge any two recorded sides."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import noises, registry, runfiles, settings, sides
from .. import versus as comparison
from ..nouns import UsageError
from ._shared import answer


def compare(
    old: Annotated[str, typer.Argument(metavar="A", help="What is held to be right: a run, record or baseline.")],
    new: Annotated[str, typer.Argument(metavar="B", help="What is judged: the same.")],
    results: Annotated[str, typer.Option(metavar="DIR", help="Where runs are found by name.")] = "results",
    baselines: Annotated[str, typer.Option(metavar="DIR", help="Where known.toml and noise.json lie.")] = "baselines",
    json: Annotated[str, typer.Option(metavar="FILE", help="Write the verdicts as JSON; - prints it.")] = "",
) -> None:
    """Judge and explain any two records, runs or baselines (files, folders, run names) without measuring."""
    found = _versus(old, new, Path(results), Path(baselines))
    sides_ = ((old, found.only_old), (new, found.only_new))
    alone = [f"only in {side}: {slug}" for side, slugs in sides_ for slug in slugs]
    text = "\n".join([registry.reporters()["terminal"].render(found.run), *alone])
    answer(text, json, [verdict for result in found.run.results for verdict in result.verdicts])
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
