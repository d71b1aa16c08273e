"""The reference is what the code declares; its schemas are held to files that the suite wrote."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import jsonschema
import pytest
from factories import make_record

from benchsuite import codec, reference, registry
from benchsuite.nouns import Measured, Predictions
from benchsuite.settings import SETTINGS

ROOT = Path(__file__).parents[1]
RECORDS = sorted((ROOT / "tests" / "data").glob("**/records/*.json"))


def schema(name):
    """A published schema."""
    return json.loads((ROOT / "docs" / "schema" / name).read_text(encoding="utf-8"))


def test_the_page_is_what_the_code_says():
    """docs/reference.md: `python -m benchsuite.reference_page > docs/reference.md` writes it."""
    page = reference.page(registry.metrics(), registry.judges())
    assert (ROOT / "docs" / "reference.md").read_text(encoding="utf-8") == page


def test_the_page_leaves_nothing_out():
    """Every metric, judge and option has its row."""
    page = reference.page(registry.metrics(), registry.judges())
    names = [*registry.metrics(), *registry.judges(), *(setting.name for setting in SETTINGS)]
    assert [name for name in names if f"\n| `{name}` |" not in page] == []
    assert "| `count.python_calls.step` | python calls a step | 1 | count | count | lower | any | gate |" in page


@pytest.mark.parametrize("name", ["record.json", "verdicts.json"])
def test_the_schemas_are_what_the_nouns_say(name):
    """docs/schema: `python scripts/schemas.py` writes them."""
    made = runpy.run_path(str(ROOT / "scripts" / "schemas.py"))["text"](name)
    assert json.loads(made) == schema(name)


def test_there_are_records_to_hold_the_schema_to():
    """Of both ends of the supported stack."""
    assert len(RECORDS) >= 4


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: "-".join(path.parts[-3::2]))
def test_recorded_trials_obey_the_schema(path):
    """And one that lacks its case, has a number where a word belongs, or is of a newer schema, does not."""
    record, rules = json.loads(path.read_text(encoding="utf-8")), schema("record.json")
    jsonschema.validate(record, rules)
    for broken in ({k: v for k, v in record.items() if k != "case"}, record | {"status": 1}, record | {"schema": 99}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, rules)


def test_numbers_that_json_does_not_have_obey_the_schema():
    """They are written as null, with a note."""
    lost = Predictions(labels=(0,), logits=((float("nan"), 1.0),))
    metrics = {"time.train": Measured(value=float("inf"), samples=(float("nan"),))}
    record = make_record(metrics=metrics, predictions=lost)
    jsonschema.validate(json.loads(codec.dumps(codec.encode(record))), schema("record.json"))


def test_verdicts_of_a_run_obey_the_schema(judged):
    """As `pytest bench` leaves them."""
    judged.judge()
    verdicts = json.loads((judged.results / "verdicts.json").read_text(encoding="utf-8"))
    jsonschema.validate(verdicts, schema("verdicts.json"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([verdicts[0] | {"outcome": "fine"}], schema("verdicts.json"))
