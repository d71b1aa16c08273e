"""Hands out the records of an earlier run instead of measuring: judges again, without a GPU, in a second.

Also what the suite's own tests stand on: recorded measurements at the edge, everything else real.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import store
from ..cases import digest, slug
from ..nouns import Job, Record, SuiteError


@dataclass(frozen=True, kw_only=True)
class ReplayRunner:
    """Looks a job's records up in the run of `source`."""

    source: Path

    def run(
        self, job: Job, run: Path, tell: Callable[[Mapping[str, Any]], None], then: Job | None = None
    ) -> tuple[Record, ...]:
        """One record a case of the job, copied into `run`.

        Raises:
            SuiteError: the source has none of that case, or fewer trials than asked for.
        """
        there = store.load_run(self.source)
        found = tuple(self._find(there, digest(case), slug(case), job.trial) for case in job.cases)
        for record in found:
            store.save_record(run, record)
        return found

    def _find(self, there: tuple[Record, ...], wanted: str, name: str, trial: int) -> Record:
        same = [record for record in there if record.digest == wanted and slug(record.case) == name]
        if not same:
            have = ", ".join(sorted({slug(record.case) for record in there})) or "nothing"
            raise SuiteError(f"{self.source} holds no record of {name} as it is defined now; it holds {have}.")
        if trial >= len(same):
            # One record handed out twice would pass for two trials that agree perfectly.
            raise SuiteError(
                f"{self.source} holds {len(same)} trials of {name}: replay it with --suite-trials {len(same)}"
            )
        return replace(same[trial], trial=trial)
