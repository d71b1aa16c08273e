"""A recorded run of FP32 and QLoRA under `tiny`, to be judged again instead of measured, and little projects for it.

The records were measured once (`benchsuite run --profile tiny`). Their case and digest are set to
today's definition when they are read, so that a change of a profile does not void them.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchsuite import cases, codec, promote, registry, store
from benchsuite.nouns import Case, Measured, Options, Record, Status

ROOT = Path(__file__).parents[1]
DATA = Path(__file__).parent / "data" / "tiny-run" / "records"
REGIMES = ("fp32", "qlora")
STARTED = datetime(2025, 11, 3, 12, 0, tzinfo=UTC)


def case_of(regime: str) -> Case:
    """The regime's case under `tiny`, as it is defined now."""
    (case,) = cases.cases(Options(profiles=("tiny",), regimes=(regime,)))
    return case


def slug_of(regime: str) -> str:
    """Its slug."""
    return cases.slug(case_of(regime))


def recorded(regime: str) -> Record:
    """The recorded trial of a regime."""
    (file,) = DATA.glob(f"*--{regime}--*.json")
    data, case = codec.loads(file.read_text(encoding="utf-8")), case_of(regime)
    return codec.decode(Record, data | {"case": codec.encode(case), "digest": cases.digest(case)})


def recordings() -> tuple[Record, ...]:
    """The recorded trials of both regimes."""
    return tuple(recorded(regime) for regime in REGIMES)


def moved(record: Record, **values: Any) -> Record:
    """The record with metrics given other values; dots of names are written as two underscores."""
    new = {name.replace("__", "."): Measured(value=value) for name, value in values.items()}
    return replace(record, metrics={**record.metrics, **new})


def failed(record: Record, problem: str = "out of memory in train: CUDA out of memory.") -> Record:
    """The record of the same trial, had it failed."""
    return replace(record, status=Status.FAILED, problem=problem, metrics={}, fingerprint={})


def worse(record: Record, lost: int = 60) -> Record:
    """The record, had its model got `lost` of the examples wrong that it got right: a gate metric regresses."""
    old = record.metrics["quality.accuracy.reloaded"]
    right = [i for i, sample in enumerate(old.samples) if sample][:lost]
    samples = tuple(0.0 if i in right else sample for i, sample in enumerate(old.samples))
    new = Measured(value=sum(samples) / len(samples), samples=samples)
    return replace(record, metrics={**record.metrics, "quality.accuracy.reloaded": new})


def bigger(record: Record) -> Record:
    """The record, had it saved 32 MB more: a gate metric without a better side moves."""
    return moved(record, saved__bytes=record.metrics["saved.bytes"].value + 2**25)


@dataclass(frozen=True)
class Project:
    """A folder with our bench tests, a run to replay and baselines, and pytest to run on them."""

    pytester: pytest.Pytester

    @property
    def path(self) -> Path:
        """The folder."""
        return self.pytester.path

    @property
    def baselines(self) -> Path:
        """The machine's folder of baselines."""
        return self.path / "baselines" / recorded("fp32").environment.machine

    def record(self, *records: Record, name: str = "source") -> Path:
        """A finished run that holds `records`, or the recorded ones."""
        shutil.rmtree(self.path / "runs" / name, ignore_errors=True)
        run = store.new_run(self.path / "runs", now=STARTED)
        for record in records or recordings():
            store.save_record(run, record)
        return run.rename(run.with_name(name))

    def promote(self, *records: Record) -> None:
        """Baselines of `records`, or of the recorded ones."""
        promote.promote(
            [self.record(*records, name="approved")], baselines=self.path / "baselines", reason="test",
            now=STARTED.isoformat(), metrics=registry.metrics(),
        )  # fmt: skip

    def arguments(self, *extra: str) -> tuple[str, ...]:
        """What pytest is told to replay the source run."""
        return ("bench", "--suite-profile=tiny", "--suite-replay=runs/source", "-p", "no:cacheprovider", *extra)

    def judge(self, *extra: str) -> pytest.RunResult:
        """`pytest bench` on the source run, in this process."""
        return self.pytester.runpytest_inprocess(*self.arguments(*extra))

    def judge_apart(self, *extra: str) -> pytest.RunResult:
        """The same in a process of its own."""
        return self.pytester.runpytest_subprocess(*self.arguments(*extra))

    @property
    def results(self) -> Path:
        """The folder of the newest run."""
        return (self.path / "results" / "latest").resolve()


def project(pytester: pytest.Pytester) -> Project:
    """A project with the bench tests that need no model, the published figures, and a run to replay."""
    (pytester.path / "bench").mkdir()
    for name in ("conftest.py", "test_measures.py", "test_claims.py"):
        shutil.copy(ROOT / "bench" / name, pytester.path / "bench" / name)
    shutil.copy(ROOT / "conftest.py", pytester.path / "conftest.py")
    shutil.copytree(ROOT / "baselines" / "published", pytester.path / "baselines" / "published")
    made = Project(pytester)
    made.record()
    return made


def verdicts(project: Project) -> dict[tuple[str, str], dict[str, Any]]:
    """The newest run's verdicts by regime and metric."""
    data = json.loads((project.results / "verdicts.json").read_text())
    return {(v["case"].split("--")[1], v["metric"]): v for v in data}
