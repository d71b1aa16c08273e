"""What was approved and calibrated of a case, each file read once: the baselines' folder as one run sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from . import judging, noises, store
from .cases import digest, slug
from .known import Accepted
from .nouns import Baseline, Case, CaseNoise, CaseResult, MachineNoise, Record


class Approved:
    """A folder of baselines; nothing in it changes while a run lasts.

    Every question raises `SuiteError` where a file is there and cannot be trusted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._baselines: dict[Path, Baseline | None] = {}
        self._noises: dict[str, MachineNoise | None] = {}

    def baseline(self, machine: str, case: Case) -> Baseline | None:
        """The approved baseline of a case, or None."""
        return self._read(store.baseline_path(self.folder, machine, slug(case)))

    def judged(
        self, machine: str, case: Case, records: tuple[Record, ...], *, tolerances: Mapping[str, str],
        accepted: Accepted,
    ) -> CaseResult:  # fmt: skip
        """A case's records with their verdicts, by all that was approved, calibrated and accepted of it."""
        baseline = self.baseline(machine, case)
        verdicts = judging.judge(
            case, baseline, records, tolerances, accepted,
            noise=self.noise(machine, case), siblings=self.siblings(machine, case),
        )  # fmt: skip
        return CaseResult(slug=slug(case), case=case, records=records, baseline=baseline, verdicts=verdicts)

    def _read(self, path: Path) -> Baseline | None:
        if path not in self._baselines:
            self._baselines[path] = store.load_baseline(path) if path.exists() else None
        return self._baselines[path]

    def noise(self, machine: str, case: Case) -> CaseNoise | None:
        """What was calibrated of a case, or None."""
        if machine not in self._noises:
            self._noises[machine] = noises.load(self.folder, machine)
        found = self._noises[machine]
        return found.cases.get(slug(case)) if found else None

    def siblings(self, machine: str, case: Case) -> tuple[Baseline, ...]:
        """The baselines of the same case with other seeds."""
        own, prefix = store.baseline_path(self.folder, machine, slug(case)), slug(case).rpartition("--s")[0]
        files = (path for path in sorted(own.parent.glob(f"{prefix}--s*.json")) if path != own)
        found = (other for path in files if (other := self._read(path)) is not None)
        return tuple(other for other in found if digest(replace(other.case, seed=case.seed)) == digest(case))
