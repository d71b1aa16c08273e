"""The codec: nouns and any JSON survive the way to text and back, and damage is named."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from factories import make_baseline, make_case, make_record
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite import codec, jsontext, sharing
from benchsuite.nouns import (
    JSON,
    Baseline,
    Case,
    Finding,
    Job,
    Kind,
    Measured,
    Options,
    Outcome,
    Predictions,
    Record,
    Role,
    SuiteError,
    Verdict,
)

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
TEXT = st.text(max_size=8) | st.sampled_from(["/", "~", "~1", "a/b~0", "", "nonfinite", "$same", "$value", "0", "é\n"])
SCALARS = st.none() | st.booleans() | st.integers() | FLOATS | TEXT
TREES = st.recursive(
    SCALARS, lambda sub: st.lists(sub, max_size=3) | st.dictionaries(TEXT, sub, max_size=3), max_leaves=8
)
MEASURED = st.builds(Measured, value=TREES, samples=st.lists(FLOATS, max_size=3).map(tuple))
RECORDS = st.builds(
    lambda metrics, fingerprint, logits, problem, pair: make_record(
        metrics=metrics,
        fingerprint=fingerprint,
        predictions=Predictions(labels=(1,) * len(logits), logits=tuple(logits)),
        problem=problem,
        pair=pair,
    ),
    st.dictionaries(TEXT, MEASURED, max_size=3),
    st.dictionaries(TEXT, TREES, max_size=3),
    st.lists(st.tuples(FLOATS, FLOATS), max_size=3),
    TEXT,
    st.none() | st.integers(0, 9),
)


def strict(text: str) -> JSON:
    """Parses as a strict reader does: NaN and Infinity are no JSON."""

    def refuse(name: str) -> None:
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


def same(a: object, b: object) -> bool:
    """Equality under which NaN equals NaN and 1 is neither 1.0 nor True."""
    return codec.canonical(codec.encode(a)) == codec.canonical(codec.encode(b))


@given(RECORDS)
@settings(max_examples=150, deadline=None)
def test_records_round_trip(record: Record) -> None:
    """Any record, with NaN, infinities and hostile keys, comes back equal from text that is valid JSON."""
    text = codec.dumps(record)
    strict(text)
    back = codec.decode(Record, codec.loads(text))
    assert same(back, record)
    assert isinstance(back.predictions.logits, tuple)


@given(st.dictionaries(TEXT.filter(lambda key: key != jsontext.NONFINITE), TREES, max_size=4))
@settings(max_examples=150, deadline=None)
def test_json_round_trips(tree: JSON) -> None:
    """Any JSON object comes back equal, its keys in their order."""
    back = codec.loads(codec.dumps(tree))
    assert same(back, tree)
    assert list(back) == list(tree)


@given(st.lists(RECORDS, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_sharing_round_trips(records: list[Record]) -> None:
    """What trials have in common is stored once and comes back whole, even where it looks like our own marks."""
    trials = [codec.encode(record) for record in [*records, *records]]
    assert same(sharing.unshare(strict_copy(sharing.share(trials))), trials)


def strict_copy(trials: list[JSON]) -> list[JSON]:
    """Through text, as a file would."""
    copy: list[JSON] = codec.loads(codec.dumps({"trials": trials}))["trials"]
    return copy


def test_sharing_saves() -> None:
    """Five identical trials with big structures cost less than two."""
    rows = tuple((i / 7, -i / 3) for i in range(300))
    one = make_record(predictions=Predictions(labels=(0,) * 300, logits=rows))
    trials = [codec.encode(replace(one, trial=k)) for k in range(5)]
    single = len(codec.dumps(trials[:1]))
    assert len(codec.dumps(sharing.share(trials))) < 2 * single


@pytest.mark.parametrize("reference", [1, -1, 7, "0", None])
def test_sharing_refuses_bad_references(reference: JSON) -> None:
    """A reference to a trial that does not come before is an error, not a crash."""
    trial = codec.encode(make_record())
    with pytest.raises(SuiteError, match="does not come before"):
        sharing.unshare([trial, trial | {"fingerprint": {"$same": reference}}])


VERDICT = Verdict(
    case="toy--fp32",
    metric="time.step",
    title="step",
    unit="s",
    kind=Kind.WALL,
    role=Role.GATE,
    concern="step",
    outcome=Outcome.OK,
    old=1.0,
    new=math.nan,
    effect=None,
    interval=(-math.inf, 0.5),
    detectable=0.01,
    detail="",
    cause="",
    advice="",
)
FINDING = Finding(outcome=Outcome.OK, old=1, new="x", effect=0.5, interval=None, detectable=None, detail="a\nb")
JOB = Job(
    cases=(make_case(), make_case(regime="qlora")),
    trial=2,
    pair=None,
    order=1,
    model_folder="",
    data="",
    inject="",
    machine="",
    parent_cuda=False,
)


@pytest.mark.parametrize(
    "value", [make_case(), make_baseline(), VERDICT, FINDING, JOB, Options(tolerances={"vram.*": "1 %"})], ids=type
)
def test_nouns_round_trip(value: object) -> None:
    """Every kind of noun comes back as it was, enums and tuples included."""
    back = codec.decode(type(value), codec.loads(codec.dumps(value)))
    assert type(back) is type(value)
    assert same(back, value)
    assert repr(back) == repr(value)


def test_enums_come_back_as_enums() -> None:
    """An outcome read from a file is the enum's member, not text."""
    assert codec.decode(Verdict, codec.loads(codec.dumps(VERDICT))).outcome is Outcome.OK


def test_lists_carry_their_own_notes() -> None:
    """A file that is a list stays one; each object says for itself where it holds no JSON number."""
    text = codec.dumps([FINDING, VERDICT])
    plain = strict(text)
    assert jsontext.NONFINITE not in plain[0]
    assert plain[1][jsontext.NONFINITE] == {"/new": "nan", "/interval/0": "-inf"}
    assert same(codec.loads(text), [FINDING, VERDICT])


def test_layout() -> None:
    """Objects stand one key a line, rows of numbers on one line, and pointers escape "/" and "~"."""
    tree = {
        "empty": {},
        "none": [],
        "row": [1, 2.5, "x", None],
        "table": [[1, 2], [3, math.nan]],
        "one": {"key": 1},
        "two": {"a/b": {"~": math.inf, "x": []}, "c": 1e-05},
    }
    assert codec.dumps(tree) == (
        '{\n "empty": {},\n "none": [],\n "row": [1, 2.5, "x", null],\n'
        ' "table": [\n  [1, 2],\n  [3, null]\n ],\n "one": {"key": 1},\n'
        ' "two": {\n  "a/b": {\n   "~": null,\n   "x": []\n  },\n  "c": 1e-05\n },\n'
        ' "nonfinite": {\n  "/table/1/1": "nan",\n  "/two/a~1b/~0": "inf"\n }\n}\n'
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": 1}, "unknown field 'colour' in the file"),
        ({"trial": "3"}, "/trial should be a whole number and is text"),
        ({"trial": True}, "/trial should be a whole number and is a boolean"),
        ({"pair": 1.5}, "/pair should be a whole number and is a number"),
        ({"status": "fine"}, "/status is 'fine'; known are ok, failed, invalid"),
        ({"environment": {}}, "field 'machine' is missing in /environment"),
        ({"metrics": {"x": {"value": 1, "unit": "s"}}}, "unknown field 'unit' in /metrics/x"),
        ({"predictions": {"labels": 1, "logits": []}}, "/predictions/labels should be a list and is a whole number"),
        ({"case": None}, "/case should be an object and is null"),
    ],
)
def test_decode_names_what_is_wrong(change: dict[str, JSON], words: str) -> None:
    """A field that is unknown, missing or of another type is named with its place."""
    with pytest.raises(SuiteError) as caught:
        codec.decode(Record, codec.encode(make_record()) | change)
    assert words in str(caught.value)


def test_decode_checks_lengths() -> None:
    """A pair of numbers with three entries is refused."""
    with pytest.raises(SuiteError, match="should have 2 entries and has 3"):
        codec.decode(Verdict, codec.encode(VERDICT) | {"interval": [1.0, 2.0, 3.0]})


def test_defaults_fill_what_is_absent() -> None:
    """A field with a default may be left out; a whole number serves where a float is meant."""
    data = codec.encode(make_case())
    del data["model"]["revision"]
    data["profile"]["timeout"] = 600
    case = codec.decode(Case, data)
    assert case == make_case()
    assert isinstance(case.profile.timeout, float)


@pytest.mark.parametrize("value", [{"a": {1, 2}}, {"a": object()}, {"a": {1: 2}}, {"a": b"x"}])
def test_encode_refuses_what_json_lacks(value: JSON) -> None:
    """What JSON cannot hold is refused with its place, never coerced."""
    with pytest.raises(TypeError, match="/a: "):
        codec.encode(value)


def test_dumps_refuses_the_reserved_key() -> None:
    """A file's own key "nonfinite" would be taken for the note, so it is refused."""
    with pytest.raises(ValueError, match="taken by the file format"):
        codec.dumps({jsontext.NONFINITE: 1})


@pytest.mark.parametrize(
    "note",
    [{"/b": "nan"}, {"/x": "nan"}, {"/a": "much"}, {"/a/0": "nan"}, {"": "nan"}, {"/a": 1}, {"/l/9": "inf"}, 3],
)
def test_loads_refuses_a_note_that_does_not_fit(note: JSON) -> None:
    """A note that points nowhere, at a number, or says something else is an error, not a crash."""
    with pytest.raises(SuiteError, match="nonfinite"):
        codec.loads(json.dumps({"a": None, "b": 1, "l": [None], jsontext.NONFINITE: note}))


def test_loads_is_strict() -> None:
    """NaN as some programs write it is not JSON."""
    with pytest.raises(json.JSONDecodeError):
        codec.loads('{"a": NaN}')


def test_baseline_type_is_checked() -> None:
    """A record is not taken for a baseline."""
    with pytest.raises(SuiteError, match="unknown field 'suite'"):
        codec.decode(Baseline, codec.encode(make_record()))
