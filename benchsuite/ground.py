"""What a run's cases stand on: the GPU that they run on, and the machine whose baselines they are held against."""

from __future__ import annotations

from collections.abc import Sequence

from . import cases, environment
from .nouns import Case, Device, Options, Record


class Ground:
    """The GPUs of this machine, or, by the records of a replayed run, the machine that they were made on."""

    def __init__(self, options: Options, there: Sequence[Record] = ()) -> None:
        self._options = options
        self._there = there
        self._gpus: tuple[environment.Gpu, ...] | None = None

    def gpus(self) -> tuple[environment.Gpu, ...]:
        """The GPUs that NVML sees, asked once.

        Raises:
            SuiteError: the driver is broken.
        """
        if self._gpus is None:
            self._gpus = environment.gpus()
        return self._gpus

    def gpu(self, case: Case) -> environment.Gpu | None:
        """The GPU that a case runs on; None where there is none, and for the CPU's cases: they need no driver.

        Raises:
            SuiteError: the driver is broken, or the user named a GPU that is not there.
        """
        if case.device is not Device.CUDA or not (self.gpus() or self._options.device):
            return None
        return environment.choose(self.gpus(), self._options.device)

    def missing_gpu(self, case: Case) -> str:
        """Why a case cannot run for want of a GPU, and what to do; empty where it can."""
        if case.device is not Device.CUDA or self._options.replay or self.gpus():
            return ""
        return (
            f"no NVIDIA GPU here ({environment.hidden()}). Run on a machine with one, or only the CPU's cases: "
            'pytest bench -m "not gpu"'
        )

    def replayed(self, case: Case) -> list[Record]:
        """The records of a case that the replayed run holds."""
        return [record for record in self._there if cases.slug(record.case) == cases.slug(case)]

    def machine(self, case: Case) -> str:
        """The machine whose baselines a case is held against."""
        if self._options.machine:
            return self._options.machine
        if records := self.replayed(case):
            return records[0].environment.machine
        return environment.machine_slug(self.gpu(case))
