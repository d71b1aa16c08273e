"""Two environments in pairs of trials."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import settings, store
from ..contest import call, card_markdown, card_text
from ._shared import INTERRUPTED, answer, errors, say, show


def ab(  # noqa: PLR0917 - typer makes an option of each
    a: Annotated[str, typer.Option("--a", metavar="SPEC", help="What is held to be right.")] = "",
    b: Annotated[str, typer.Option("--b", metavar="SPEC", help="What is judged.")] = "",
    budget: Annotated[str, typer.Option(metavar="TIME", help="For each case; default 300s, on a CPU 60s.")] = "",
    timed: Annotated[str, typer.Option(metavar="LIST", help="Timed figures, six at most, or none.")] = "",
    smallest: Annotated[list[str] | None, typer.Option(metavar="FIGURE=SHARE", help="Smallest effect.")] = None,
    timeout: Annotated[str, typer.Option(metavar="TIME", help="What a trial may take.")] = "0s",
    no_fingerprint: Annotated[bool, typer.Option("--no-fingerprint", help="Times first: no probes.")] = False,  # noqa: FBT002
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
    json: Annotated[str, typer.Option(metavar="FILE", help="Write the card as JSON; - prints it.")] = "",
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
        smallest=tuple(smallest or ()), fingerprint=not no_fingerprint,
        timed=tuple(name.strip() for name in timed.split(",") if name.strip()),
    )  # fmt: skip
    try:
        said = call.run(asked, options, show=show, say=say)
    except KeyboardInterrupt:
        errors.print("interrupted; the records of finished trials are kept")
        raise typer.Exit(INTERRUPTED) from None
    files = [] if options.replay else [f"records, ab.json, ab.md, ab.txt: {Path(results) / said.run}"]
    answer("\n".join([card_text.render(said), *files]), json, said)
    if markdown:
        store.write_text(Path(markdown), card_markdown.render(said))
    raise typer.Exit(said.exit_code)
