"""A real upgrade, recorded: transformers 4.57.6 with peft 0.18.0 against the current lock, and what is said of it.

`scripts/record_runs.py` made the records. `python tests/test_upgrade_pair.py` rewrites what a person reads of them
(tests/golden/upgrade-pair.txt); read the difference before you keep it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from judging import GOLDEN
from typer.testing import CliRunner

from benchsuite import cli, sides
from benchsuite.nouns import Outcome, Role
from benchsuite.registry import judges, metrics, rules
from benchsuite.versus import Bench, versus
from benchsuite.wording import causes

PAIR = Path(__file__).parent / "data" / "upgrade-pair"
TEXT = GOLDEN / "upgrade-pair.txt"
ACCUMULATION = "gradient accumulation multiplies the loss by 4.00 (was 1.00)"
DTYPE = "elements of unquantised modules are float32, were float16 (embeddings, LayerNorm)"
HEAD = "the head (classifier) is quantised, was not, and it crashes when trained"
SHARDS = "a default value changed: save_pretrained.max_shard_size 5GB -> 50GB"
"""Beside the three faults: true, and no fault of what is measured."""
FAILING = {
    "defaults.accumulation": {ACCUMULATION},
    "defaults.accumulation.tail": {ACCUMULATION},
    "optimizer.accumulation": {ACCUMULATION},
    "defaults.modules": {DTYPE, HEAD},
    "defaults.loaded": {DTYPE, HEAD},
    "defaults.modes": {HEAD},
    "defaults.signatures": {SHARDS},
}
EXPLAINS = {"operators.by_name", "count.operators.step", "count.python_calls.step", "stack.modules", "defaults.names"}


def compared():
    """What the command prints of the pair, and its exit code."""
    done = CliRunner().invoke(cli.app, ["compare", str(PAIR / "old"), str(PAIR / "new")])
    return done.stdout, done.exit_code


@pytest.fixture(scope="module")
def verdicts():
    """Every verdict on the pair by regime and metric."""
    old, new = (sides.records(str(PAIR / side), PAIR) for side in ("old", "new"))
    bench = Bench(metrics=metrics(), judges=judges(), rules=rules(), tolerances={})
    found = versus(old, new, name="old -> new", bench=bench)
    return {result.case.regime: {v.metric: v for v in result.verdicts} for result in found.run.results}


def test_the_records_are_of_the_two_stacks():
    """Both regimes on either side, and what differs is what was upgraded."""
    for side, transformers, peft in (("old", "4.57.6", "0.18.0"), ("new", "5.", "0.21")):
        records = sides.records(str(PAIR / side), PAIR)
        assert {record.case.regime for record in records} == {"fp32", "qlora"}
        assert all(r.environment.packages["transformers"].startswith(transformers) for r in records)
        assert all(r.environment.packages["peft"].startswith(peft) for r in records)


@pytest.mark.parametrize("regime", ["fp32", "qlora"])
def test_what_fails_are_three_faults_by_name_and_nothing_false(verdicts, regime):
    """Accumulation, dtype and the quantised head, and the one default whose effect changed: each with its cause."""
    failing = {name: v for name, v in verdicts[regime].items() if v.fails}
    told = {name: set(causes(v)) for name, v in failing.items()}
    assert told.keys() == FAILING.keys()
    for name, said in told.items():
        assert len(said) == len(FAILING[name])
        assert all(any(words in cause for cause in said) for words in FAILING[name]), said
        assert all("transformers 4.57.6 -> 5." in cause for cause in said)


@pytest.mark.parametrize("regime", ["fp32", "qlora"])
def test_a_new_way_to_the_same_place_only_explains(verdicts, regime):
    """Operators, python calls, imports and names of parameters truly moved, and fail nothing."""
    moved = {name: verdicts[regime][name] for name in EXPLAINS}
    assert {v.outcome for v in moved.values()} <= {Outcome.CHANGED, Outcome.REGRESSED, Outcome.IMPROVED}
    assert {v.role for v in moved.values()} == {Role.EXPLAIN}


def test_what_the_suite_pins_did_not_move(verdicts):
    """The suite's own builds are the same on both sides, in fp32 to the last bit of the trained logits."""
    for name in ("model.modules", "model.dtypes.loaded", "model.bytes.loaded", "optimizer.groups", "optimizer.lr"):
        assert {verdicts[regime][name].outcome for regime in verdicts} == {Outcome.OK}
    assert verdicts["fp32"]["function.trained_bits"].outcome is Outcome.OK


def test_the_records_say_nothing_of_where_they_were_made():
    """Neither a folder nor a user."""
    for file in PAIR.rglob("*.json"):
        assert re.findall(r'"[^"]*(?:/(?:home|root|tmp|usr|opt|work)/|[A-Z]:\\\\)[^"]*"', file.read_text()) == []


def test_what_a_person_reads():
    """The whole text of the command, which ends with 1."""
    text, code = compared()
    assert code == 1
    assert text == TEXT.read_text(encoding="utf-8")


if __name__ == "__main__":
    TEXT.write_text(compared()[0], encoding="utf-8")
