"""The same trials on what is another CPU to torch: with a lower capability, and with two threads.

`scripts/record_runs.py` made the records. `python tests/test_cpu_variants.py` rewrites the table in docs/results.md.
"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from benchsuite import cases, codec, sides
from benchsuite.nouns import Job, Kind, Options, Outcome, Record, Role, Status
from benchsuite.registry import judges, metrics, rules
from benchsuite.runners.process import worker_environment
from benchsuite.versus import Bench, versus

DATA = Path(__file__).parent / "data"
PLAIN = DATA / "upgrade-pair" / "new"
VARIANTS = {path.name: path for path in sorted((DATA / "cpu-variants").iterdir())}
PAGE = Path(__file__).parents[1] / "docs" / "results.md"
HEADER = "| CPU | regime | ok | improved | changed, regressed, invalid | incomparable |\n|---|---|---|---|---|---|\n"
SAME_HERE = frozenset({"stack.variables"})
"""What says how the variant was made."""
REGIMES = ("fp32", "qlora")


def unpacked(folder: Path) -> tuple[Record, ...]:
    """The records of a variant."""
    texts = (gzip.decompress(file.read_bytes()).decode() for file in sorted(folder.glob("*.json.gz")))
    return tuple(codec.decode(Record, codec.loads(text)) for text in texts)


def verdicts(old, new):
    """Every verdict by regime and metric."""
    bench = Bench(metrics=metrics(), judges=judges(), rules=rules(), tolerances={})
    found = versus(old, new, name="x", bench=bench)
    return {result.case.regime: {v.metric: v for v in result.verdicts} for result in found.run.results}


def differing(old, new):
    """Facts about the hardware that differ between the sides."""
    a, b = old[0].environment.hardware, new[0].environment.hardware
    return {name for name in a if a[name] != b[name]}


def table():
    """Outcomes of the gate metrics by variant and regime, as rows of Markdown."""
    plain = sides.records(str(PLAIN), DATA)
    rows = []
    for name, folder in VARIANTS.items():
        for regime, found in verdicts(plain, unpacked(folder)).items():
            counted = Counter(v.outcome for v in found.values() if v.role is Role.GATE)
            failing = sum(v.fails for v in found.values())
            cells = counted[Outcome.OK], counted[Outcome.IMPROVED], failing, counted[Outcome.INCOMPARABLE]
            rows.append(f"| {name} | {regime} | {' | '.join(map(str, cells))} |\n")
    return HEADER + "".join(rows)


@pytest.mark.parametrize("name", VARIANTS)
def test_another_cpu_is_never_a_change(name):
    """What depends on the CPU is incomparable, metric by metric; all else is judged, and is what it was."""
    plain, other = sides.records(str(PLAIN), DATA), unpacked(VARIANTS[name])
    moved = differing(plain, other)
    assert moved
    assert moved <= {"cpu_capability", "threads"}
    for found in verdicts(plain, other).values():
        for metric, verdict in found.items():
            depends = moved & set(metrics()[metric].depends_on)
            if depends:
                assert verdict.outcome is Outcome.INCOMPARABLE, metric
            elif verdict.kind is not Kind.WALL and metric not in SAME_HERE:
                assert verdict.outcome is Outcome.OK, f"{metric}: {verdict.detail}"
        assert not any(v.fails for v in found.values())
        assert sum(v.outcome is Outcome.OK and v.role is Role.GATE for v in found.values()) > len(found) / 2


def test_the_documented_table_is_what_the_records_say():
    """docs/results.md holds the outcomes as they are counted here."""
    assert table() in PAGE.read_text(encoding="utf-8")


def trial(folder: Path, **variables: str) -> Record:
    """A short FP32 trial in a process of its own, under these variables."""
    (case,) = cases.cases(Options(profiles=("tiny",), regimes=("fp32",), steps=4))
    case = replace(case, profile=replace(case.profile, train_rows=320))
    job = Job(
        cases=(case,), trial=0, pair=None, order=None, model_folder="", data="", inject="", machine="m",
        parent_cuda=False,
    )  # fmt: skip
    out = folder / "out.json"
    subprocess.run(
        [sys.executable, "-m", "benchsuite.worker", "--out", str(out)], input=codec.dumps(codec.encode(job)).encode(),
        env={**os.environ, **worker_environment(job, ""), **variables}, capture_output=True, check=True, timeout=300,
    )  # fmt: skip
    (record,) = codec.decode(tuple[Record, ...], codec.loads(out.read_text(encoding="utf-8")))
    assert record.status is Status.OK, record.problem
    return record


@pytest.mark.slow
def test_a_trial_of_a_lowered_capability_is_judged_and_not_changed(tmp_path):
    """Measured here and now: nothing fails, nothing of the gates moves, and most of it is judged."""
    plain, lowered = tmp_path / "plain", tmp_path / "lowered"
    for folder in (plain, lowered):
        folder.mkdir()
    old, new = trial(plain), trial(lowered, ATEN_CPU_CAPABILITY="default")
    assert new.environment.hardware["cpu_capability"] in {"DEFAULT", "NO AVX"}
    (found,) = verdicts((old,), (new,)).values()
    gates = [v for v in found.values() if v.role is Role.GATE]
    assert {v.outcome for v in gates} <= {Outcome.OK, Outcome.INCOMPARABLE}
    assert sum(v.outcome is Outcome.OK for v in gates) > len(gates) / 2


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(re.sub(re.escape(HEADER) + r"(?:\|.*\n)*", lambda _: table(), text), encoding="utf-8")
