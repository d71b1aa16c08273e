"""`[[tool.benchsuite.case]]`: how it is read, which cases it adds, and where their models and data lie."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from factories import make_record
from hypothesis import example, given
from hypothesis import strategies as st

from benchsuite import cases, settings
from benchsuite.entries import KEYS, entries
from benchsuite.nouns import Case, Entry, Options, UsageError, Weights

TINY = Options(profiles=("tiny",), regimes=("fp32",))

# ---------------------------------------------------------------- reading


def read(*tables: dict[str, Any], root: Path = Path("/root")) -> tuple[Entry, ...]:
    """Entries as the file "F" would give them."""
    return entries(list(tables), root, "F")


def test_every_key_fills_its_field() -> None:
    """One or a list, singular or plural; what is left out stays empty."""
    (found,) = read(
        {"profile": "tiny", "regimes": ["fp32", "lora"], "task": "sst2", "model": "someone/llama", "revision": "v2",
         "weights": "random", "lora_targets": "q", "unquantised": ["score"], "pad_token": "</s>", "seeds": [1, 2]}
    )  # fmt: skip
    assert found == Entry(
        profiles=("tiny",), regimes=("fp32", "lora"), task="sst2", model="someone/llama", revision="v2",
        weights=Weights.RANDOM, lora_targets=("q",), unquantised=("score",), pad_token="</s>", seeds=(1, 2),
    )  # fmt: skip
    assert read({"seed": 3}) == (Entry(seeds=(3,)),)
    assert {key.field for key in KEYS.values()} == set(Entry.__dataclass_fields__)


def test_folders_start_at_the_file_and_names_of_the_hub_stay(tmp_path: Path) -> None:
    """A model's folder is one that is there; data is always one."""
    (tmp_path / "models" / "mine").mkdir(parents=True)
    found = read({"model": "models/mine", "data": "rows"}, {"model": "someone/llama"}, root=tmp_path)
    assert [e.model for e in found] == [str(tmp_path / "models" / "mine"), "someone/llama"]
    assert found[0].data == str(tmp_path / "rows")


WRONG: dict[str, tuple[Any, str]] = {
    "unknown key": (
        {"modle": "x"},
        "F, [[tool.benchsuite.case]] 1 knows no 'modle'. Did you mean 'model'? Known: profile, profiles, regime,",
    ),
    "path for weights": ({"weights": "trained"}, "weights is pretrained or random, not 'trained'"),
    "weights of another type": ({"weights": ["random"]}, "weights is pretrained or random, not ['random']"),
    "number for a name": ({"model": 3}, "model is a folder or a hub name, not 3"),
    "empty name": ({"task": " "}, "task is a text, not ' '"),
    "empty list": ({"regimes": []}, "regimes is a text or a list of texts, not []"),
    "list with a number": ({"lora_targets": ["q", 1]}, "lora_targets is a text or a list of texts, not ['q', 1]"),
    "negative seed": ({"seed": -1}, "seed is a whole number from 0 on, or a list of them, not -1"),
    "true for a seed": ({"seeds": [True]}, "seeds is a whole number from 0 on, or a list of them, not [True]"),
    "both forms": ({"seed": 1, "seeds": [2]}, "has both 'seed' and 'seeds': one is enough, it takes a list"),
    "nothing": ({}, "is empty: it adds nothing. Known keys: profile,"),
    "revision alone": ({"revision": "v1"}, "a revision is of a model: say model = ... beside it"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_no_case_has_is_refused(what: str) -> None:
    """The file, the table's number, what was seen and what is known."""
    table, words = WRONG[what]
    with pytest.raises(UsageError) as error:
        read(table)
    assert words in str(error.value)
    assert str(error.value).startswith("F, [[tool.benchsuite.case]] 1")


@pytest.mark.parametrize("text", ["[tool.benchsuite.case]\nmodel = 'x'\n", "[tool.benchsuite]\ncase = ['x']\n"])
def test_what_is_no_list_of_tables_is_refused(tmp_path: Path, text: str) -> None:
    """One pair of brackets is the likely slip."""
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(UsageError, match=r"each under a line \[\[tool\.benchsuite\.case\]\]"):
        settings.parse({}, root=tmp_path)


@given(st.dictionaries(st.sampled_from([*KEYS, "other"]), st.none() | st.text() | st.integers() | st.lists(st.text())))
@example({"profiles": "tiny", "model": "0" * 300})
def test_any_table_is_read_or_refused_in_words(table: dict[str, Any]) -> None:
    """Never another error."""
    try:
        (found,) = read(table)
    except UsageError:
        return
    assert found != Entry()


def test_entries_reach_the_options(tmp_path: Path) -> None:
    """Through the same file that tolerances stand in."""
    (tmp_path / "pyproject.toml").write_text(
        "[[tool.benchsuite.case]]\nmodel = 'a'\n[[tool.benchsuite.case]]\nseed = 1\n"
    )
    assert [e.model for e in settings.parse({}, root=tmp_path).entries] == ["a", ""]


# ---------------------------------------------------------------- cases


def made(options: Options, *added: Entry) -> tuple[Case, ...]:
    """The cases of a run to which entries are added."""
    return cases.cases(replace(options, entries=added))


def test_an_entry_adds_its_cases_behind_the_runs_own() -> None:
    """Regimes and seeds of its own, all else as the run has it."""
    added = Entry(model="/m/llama", regimes=("lora", "fp32"), seeds=(1, 2), weights=Weights.RANDOM)
    own, *rest = made(TINY, added)
    assert own.model.id == "toy-bert"
    assert [(c.model.id, c.regime, c.seed, c.weights, c.profile.name) for c in rest] == [
        ("llama", regime, seed, Weights.RANDOM, "tiny") for regime in ("lora", "fp32") for seed in (1, 2)
    ]  # fmt: skip
    assert {c.profile.lr_scale for c in rest} == {1.0}


@pytest.mark.parametrize(("profiles", "count"), [((), 2), (("tiny",), 1), (("quick",), 0), (("full", "tiny"), 2)])
def test_an_entry_joins_those_of_the_runs_profiles_that_it_names(profiles: tuple[str, ...], count: int) -> None:
    """All of them where it names none."""
    found = made(replace(TINY, profiles=("tiny", "full")), Entry(model="/m/x", profiles=profiles))
    assert len([c for c in found if c.model.id == "x"]) == count


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (Entry(profiles=("tinny",)), "unknown profile 'tinny'. Did you mean 'tiny'?"),
        (Entry(regimes=("qlra",)), "unknown regime 'qlra'. Did you mean 'qlora'?"),
        (Entry(task="sst3"), "unknown task 'sst3'. Did you mean 'sst2'?"),
    ],
)
def test_a_wrong_word_in_an_entry_is_a_usage_error(entry: Entry, words: str) -> None:
    """As in an option."""
    with pytest.raises(UsageError) as error:
        made(TINY, entry)
    assert words in str(error.value)


def test_the_models_words_are_in_the_case_and_its_digest() -> None:
    """What it names overrules what the name would have meant; the folder is in neither."""
    bare = Entry(model="/m/my-bert", data="/d")
    one = made(TINY, bare)[1]
    other = made(TINY, replace(bare, lora_targets=("key",), revision="v1", pad_token="x"))[1]
    assert (one.model.lora_targets, other.model.lora_targets) == (("query", "value"), ("key",))
    assert (other.model.unquantised, other.model.revision, other.model.pad_token) == (("classifier",), "v1", "x")
    assert cases.slug(one) == cases.slug(other)
    assert cases.digest(one) != cases.digest(other)
    assert cases.digest(one) == cases.digest(made(TINY, replace(bare, model="/elsewhere/my-bert"))[1])


def test_each_case_knows_where_its_model_and_data_lie() -> None:
    """The run's own, and each entry's; also for a profile that the run did not ask for."""
    options = replace(
        TINY, model="/m/own", data="/d/own", entries=(Entry(model="/m/a", data="/d/a"), Entry(model="/m/b", task="toy"))
    )
    found = {c.model.id: (o.model, o.data) for c in cases.cases(options) if (o := cases.origin(options, c))}
    assert found == {"own": ("/m/own", "/d/own"), "a": ("/m/a", "/d/a"), "b": ("/m/b", "")}
    (quick, *_) = cases.cases(replace(options, profiles=("quick",), regimes=("qlora",)))
    assert cases.origin(options, quick).model == "/m/own"


@pytest.mark.parametrize(
    ("run", "entry", "task", "data"),
    [
        ("", Entry(model="/m/a"), "sst2", "/d"),
        ("", Entry(model="/m/a", task="sst2"), "sst2", "/d"),
        ("", Entry(model="/m/a", task="toy"), "toy", ""),
        ("toy", Entry(model="/m/a"), "toy", "/d"),
        ("", Entry(model="/m/a", data="/e"), "sst2", "/e"),
        ("", Entry(model="/m/a", task="toy", data="/e"), "toy", "/e"),
    ],
)
def test_the_runs_data_goes_with_an_entry_of_the_same_task(run: str, entry: Entry, task: str, data: str) -> None:
    """Sentences of SST-2 are not given to another task."""
    options = replace(TINY, task=run, data="/d", entries=(entry,))
    case = cases.cases(options)[-1]
    assert (case.task, cases.origin(options, case).data) == (task, data)


def test_an_entry_spells_out_the_model_that_an_option_names() -> None:
    """One case, as the entry has it: what an error told people to add must not clash with their command."""
    options = replace(TINY, model="/m/llama", entries=(Entry(model="/m/llama", lora_targets=("q",)),))
    (case,) = cases.cases(options)
    assert case.model.lora_targets == ("q",)


@pytest.mark.parametrize(
    ("one", "two", "words"),
    [
        (
            Entry(model="/a/x"),
            Entry(model="/b/x"),
            "both named toy--fp32--tiny--x--pretrained--cpu--s42, and differ: /a/x",
        ),
        (Entry(model="/a/x"), Entry(model="/a/x", pad_token="p"), "differ: model.pad_token  -> p. Give one of"),
        (Entry(model="/a/x", data="/d"), Entry(model="/a/x", data="/e"), "differ: /d -> /e"),
    ],
)
def test_two_cases_of_one_name_that_differ_are_refused(one: Entry, two: Entry, words: str) -> None:
    """One would overwrite the other's records."""
    with pytest.raises(UsageError) as error:
        made(TINY, one, two)
    assert words in str(error.value)


def test_an_entry_said_twice_is_one_case() -> None:
    """It is the same wish."""
    assert len(made(TINY, Entry(model="/a/x"), Entry(model="/a/x"))) == 2


def test_cases_are_alike_that_differ_in_their_regime_alone() -> None:
    """Those of another model, seed or profile are no siblings."""
    options = replace(TINY, regimes=("fp32", "qlora"))
    one, two, *rest = made(options, Entry(model="/m/x"), Entry(seeds=(7,)))
    assert cases.alike(one, two)
    assert not any(cases.alike(one, other) for other in rest)


# ---------------------------------------------------------------- the task


@pytest.mark.parametrize(
    ("fields", "task"),
    [
        ({}, "toy"),
        ({"task": "sst2"}, "sst2"),
        ({"data": "/d"}, "toy"),
        ({"data": "/d", "model": "/m/x"}, "sst2"),
        ({"data": "/d", "model": "/m/x", "task": "toy"}, "toy"),
        ({"profiles": ("quick",)}, "sst2"),
        ({"profiles": ("quick",), "task": "toy"}, "toy"),
    ],
)
def test_the_task_is_the_one_asked_for(fields: dict[str, Any], task: str) -> None:
    """Else SST-2 for data with a model, else the profile's own."""
    (case,) = cases.cases(replace(TINY, **fields))
    assert case.task == task


# ---------------------------------------------------------------- replays

LLAMA = made(TINY, Entry(model="/m/llama", regimes=("qlora",)))[1]
HELD = (make_record(), make_record(trial=1), make_record(case=LLAMA, digest=cases.digest(LLAMA)))
REPLAY = Options(profiles=(), regimes=(), replay="R")


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, [("toy-bert", 2), ("llama", 1)]),
        ({"regimes": ("qlora", "amp")}, [("llama", 1)]),
        ({"profiles": ("tiny", "full"), "trials": 1}, [("toy-bert", 1), ("llama", 1)]),
        ({"entries": (Entry(model="/m/new"),)}, [("toy-bert", 2), ("llama", 1)]),
    ],
)
def test_a_replay_has_the_cases_of_its_run(fields: dict[str, Any], found: list[tuple[str, int]]) -> None:
    """With the trials that are there, of the profiles and regimes that were asked for."""
    held = cases.held(HELD, replace(REPLAY, **fields))
    assert [(case.model.id, case.profile.trials) for case in held] == found


def test_a_replay_of_what_the_run_has_not_is_a_usage_error() -> None:
    """What it has is listed."""
    with pytest.raises(UsageError) as error:
        cases.held(HELD, replace(REPLAY, profiles=("full",)))
    assert str(error.value).startswith("--suite-replay 'R' holds no case of full; it holds: toy--fp32--tiny--toy-bert")


def test_a_replay_without_profiles_asks_for_all() -> None:
    """The defaults are of measuring."""
    assert settings.parse({"replay": "R"}).profiles == ()
    assert settings.parse({"replay": "R", "profile": "quick"}).profiles == ("quick",)
    assert settings.parse({}).profiles == ("tiny", "full")
