"""What commands share: where they speak, how a run is begun, and answers as files."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from .. import cases, codec, preflight, progress, store
from ..nouns import Options, SuiteError
from ..session import Session

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells give it."""
errors = Console(stderr=True, soft_wrap=True)


def say(line: str) -> None:
    """Tell a person something that is not the answer."""
    errors.print(line, markup=False, highlight=False)


def show(label: str) -> AbstractContextManager[Any]:
    """A trial's progress, on stderr."""
    return progress.shown(errors, label)


def answer(text: str, file: str, value: Any) -> None:
    """Print the answer, and write it as JSON to a file that was asked for; "-" has the JSON printed in its place.

    Raises:
        SuiteError: the file cannot be written.
    """
    written = codec.dumps(codec.encode(value)) if file else ""
    typer.echo((written if file == "-" else text).rstrip("\n"))
    if file not in ("", "-"):
        store.write_text(Path(file), written)


def ready(options: Options) -> Session:
    """A run that is checked, and of which it was said how long it takes."""
    suite = Session(options, show)
    for case in suite.cases:
        if why := suite.ground.missing_gpu(case):
            raise SuiteError(f"{cases.slug(case)}: {why}")
    preflight.tell(options, suite.cases, say, context=suite.parent_cuda())
    suite.preflight(suite.cases)
    estimate = suite.estimate(suite.cases)
    errors.print(f"{progress.trials(estimate)}, about {progress.duration(estimate.seconds)} ({estimate.source})")
    return suite
