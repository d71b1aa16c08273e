"""Small old and new sides for tests of explaining: records of one case that differ in the parts named. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from factories import PACKAGES, make_baseline
from judging import GPU, gpu_case, gpu_record

from benchsuite.cases import digest
from benchsuite.compare import judge_case
from benchsuite.explain import explain
from benchsuite.nouns import Kind, Measured, Metric, Predictions, Record, Verdict
from benchsuite.registry import judges, metrics, rules

CASE = gpu_case()
NOTHING = Predictions(labels=(), logits=())
OLD_PACKAGES = {**PACKAGES, "transformers": "4.57.6"}
TRIALS = 2


def declared(parts: Mapping[str, Any]) -> dict[str, Metric]:
    """The metrics as the meters declare them; what none declares is an exact part."""
    known = metrics()
    new = {n: Metric(name=n, unit="", kind=Kind.EXACT, concern="test", title=n) for n in parts if n not in known}
    return {**known, **new}


def record(parts: Mapping[str, Any], trial: int = 0, **overrides: Any) -> Record:
    """A trial that measured `parts` and nothing else."""
    numbers = {name: Measured(value=v) for name, v in parts.items() if isinstance(v, int | float)}
    structures = {name: v for name, v in parts.items() if name not in numbers}
    fields = {"metrics": numbers, "fingerprint": structures, "predictions": NOTHING} | overrides
    return gpu_record(CASE, trial, **fields)


def side(parts: Mapping[str, Any], packages: Mapping[str, str] = PACKAGES, **overrides: Any) -> tuple[Record, ...]:
    """A few trials of the same values."""
    made = tuple(record(parts, i, **overrides) for i in range(TRIALS))
    return tuple(replace(r, environment=replace(r.environment, packages=dict(packages))) for r in made)


def judged(old: tuple[Record, ...], new: tuple[Record, ...]) -> tuple[Verdict, ...]:
    """Verdicts without causes."""
    names = {name for r in (*old, *new) for name in (*r.metrics, *r.fingerprint)}
    return judge_case(
        slug="case", case=CASE, digest=digest(CASE), baseline=make_baseline(case=CASE, machine=GPU, trials=old),
        trials=new, metrics=declared(dict.fromkeys(names)), judges=judges(), tolerances={},
    )  # fmt: skip


def told(
    old: Mapping[str, Any], new: Mapping[str, Any], packages: Mapping[str, str] = OLD_PACKAGES, **overrides: Any
) -> dict[str, Verdict]:
    """Verdicts with causes, by metric, after an upgrade from `packages`."""
    a, b = side(old, packages), side(new, **overrides)
    found = explain(judged(a, b), case=CASE, old=a, new=b, rules=rules())
    return {v.metric: v for v in found}
