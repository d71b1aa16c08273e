"""What a runner is: a place where trials run. Not a runner itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from ..nouns import Job, Record

Tell = Callable[[Mapping[str, Any]], None]


class Runner(Protocol):
    """Where trials run."""

    def run(self, job: Job, run: Path, tell: Tell, then: Job | None = None) -> tuple[Record, ...]:
        """Measure every case of `job`; each record is on disk in `run` before this returns. `then` comes next."""
        ...
