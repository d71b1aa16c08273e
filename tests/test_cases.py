"""Cases: slugs that are file names whatever the names are, and digests of exactly what decides numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pytest
from factories import make_case
from hypothesis import given
from hypothesis import strategies as st

from benchsuite import cases, codec, store
from benchsuite.nouns import Case, Device, Model, Options, Profile, UsageError, Weights

NAME_MAX = 255 - len("--t00--p00-0.json")
"""Bytes that file systems leave to a slug after what the store adds to it."""
HOSTILE = ["..", "../../etc", "/", "\\", "a/b", "C:\\x", "a\0b", "CON", ".", "-", "ü", "a b", "a--b", "x" * 300, ""]
NAMES = st.text(max_size=40) | st.sampled_from(HOSTILE)


def named(name: str, regime: str = "fp32") -> Case:
    """A case whose model has an odd name."""
    return make_case(model=Model(id=name), regime=regime)


@given(NAMES, NAMES)
def test_a_slug_is_one_safe_file_name(model: str, regime: str) -> None:
    """Whatever the names: no separator, no "..", no NUL, not hidden, plain ASCII, short enough."""
    slug = cases.slug(named(model, regime))
    assert slug.isascii()
    assert slug.isprintable()
    assert not set(slug) & set('/\\:*?"<>|\0 ')
    assert ".." not in slug
    assert PurePosixPath(slug).name == slug == PureWindowsPath(slug).name
    assert slug[0] not in ".-"
    assert slug[-1] not in ".-"
    assert len(slug) <= NAME_MAX


@given(NAMES, NAMES)
def test_two_names_never_share_a_slug(one: str, two: str) -> None:
    """Slugs are one to one in the model's name, on file systems too that take A and a for one."""
    assert (cases.slug(named(one)).lower() == cases.slug(named(two)).lower()) == (one == two)


@pytest.mark.parametrize(
    ("one", "two"), [("a/b", "a-b"), ("a/b", "a\\b"), ("a..b", "a.b"), ("x" * 200, "x" * 201), ("ä", "ö"), ("A", "a")]
)
def test_names_that_clean_to_the_same_keep_apart(one: str, two: str) -> None:
    """What had to be cleaned or cut carries a digest of the original."""
    assert cases.slug(named(one)) != cases.slug(named(two))


@pytest.mark.parametrize(("one", "two"), [("MyBERT", "mybert"), ("MyBERT", "MyBert"), ("a/B", "A/b")])
def test_names_that_differ_in_capitals_keep_apart(one: str, two: str) -> None:
    """On file systems too that take A and a for one."""
    assert cases.slug(named(one)).lower() != cases.slug(named(two)).lower()


def test_a_safe_name_is_its_own_slug() -> None:
    """People can read and type it; those of the shipped baselines are such names."""
    assert cases.slug(make_case()) == "toy--fp32--tiny--toy-bert--pretrained--cpu--s42"
    for file in (Path(__file__).parents[1] / "baselines").glob("[!p]*/*--*.json"):
        assert cases.slug(codec.decode(Case, json.loads(file.read_text())["case"])) == file.stem


@pytest.mark.parametrize("model", ["../../../etc", "~/models/mine", "/srv/models/mine/", "C:\\models\\mine", "./mine"])
def test_a_path_never_enters_a_case(model: str) -> None:
    """A folder is named by its base name alone."""
    (case,) = cases.cases(Options(profiles=("quick",), regimes=("fp32",), model=model))
    assert not set(case.model.id) & set("/\\")
    assert case.model.id in {"mine", "etc"}


def test_a_hub_name_stays_whole() -> None:
    """Owner and name, and the slug is still one file name."""
    (case,) = cases.cases(Options(profiles=("quick",), regimes=("fp32",), model="owner/name-bert"))
    assert case.model.id == "owner/name-bert"
    assert "/" not in cases.slug(case)


# ---------------------------------------------------------------- digest and difference

CASE = make_case()
PROFILE = CASE.profile


@pytest.mark.parametrize(
    "profile", [replace(PROFILE, trials=9), replace(PROFILE, timeout=1.0), replace(PROFILE, guess=99.0)]
)
def test_what_decides_no_number_is_not_in_the_digest(profile: Profile) -> None:
    """The count of trials, their limit and their guess: nor is it told as a difference."""
    other = replace(CASE, profile=profile)
    assert cases.digest(other) == cases.digest(CASE)
    assert cases.difference(CASE, other) == ""


MOVED: dict[str, dict[str, Any]] = {
    "transforms[1].lr 2e-05 -> 3e-05": {"transforms": (CASE.transforms[0], {**CASE.transforms[1], "lr": 3e-05})},
    "transforms[1].lr 2e-05 -> absent": {
        "transforms": (CASE.transforms[0], {k: v for k, v in CASE.transforms[1].items() if k != "lr"})
    },
    "profile.max_steps -1 -> 60": {"profile": replace(PROFILE, max_steps=60)},
    "profile.lean False -> True": {"profile": replace(PROFILE, lean=True)},
    "profile.lr_scale 25.0 -> 1.0": {"profile": replace(PROFILE, lr_scale=1.0)},
    "task_revision 1 -> 2": {"task_revision": "2"},
    "seed 42 -> 43": {"seed": 43},
    "model.id toy-bert -> other": {"model": replace(CASE.model, id="other")},
    "model.lora_targets[0] query -> key": {"model": replace(CASE.model, lora_targets=("key", "value"))},
    "weights pretrained -> random": {"weights": Weights.RANDOM},
    "device cpu -> cuda": {"device": Device.CUDA},
}


@pytest.mark.parametrize("words", MOVED)
def test_what_decides_numbers_is_in_the_digest_and_told_in_words(words: str) -> None:
    """Transforms with their parameters, profile, task, model, weights, device and seed."""
    other = replace(CASE, **MOVED[words])
    assert cases.digest(other) != cases.digest(CASE)
    assert cases.difference(CASE, other) == words


def test_a_profile_that_is_not_lean_keeps_the_digest_of_records_older_than_that_word() -> None:
    """Every trial of the shipped baselines stands for its case still."""
    for file in (Path(__file__).parents[1] / "baselines").glob("[!p]*/*--*.json"):
        baseline = store.load_baseline(file)
        assert {record.digest for record in baseline.trials} == {cases.digest(baseline.case)}


def test_a_transform_more_is_a_difference() -> None:
    """Its name and its parameters are shown as new."""
    other = replace(CASE, transforms=(*CASE.transforms, {"name": "Autocast"}))
    assert cases.difference(CASE, other) == "transforms[2].name absent -> Autocast"
    assert cases.digest(other) != cases.digest(CASE)


# ---------------------------------------------------------------- options -> cases


def test_the_default_is_both_regimes_on_cpu_and_gpu() -> None:
    """Profile by profile, regime by regime, in the published order."""
    found = [(case.profile.name, case.regime, case.device.value) for case in cases.cases(Options())]
    assert found == [
        ("tiny", "fp32", "cpu"),
        ("tiny", "qlora", "cpu"),
        ("full", "fp32", "cuda"),
        ("full", "qlora", "cuda"),
    ]


def test_named_twice_is_measured_once() -> None:
    """Repetitions in a list are dropped, its order is kept."""
    found = cases.cases(Options(profiles=("tiny", "tiny"), regimes=("qlora", "fp32", "qlora")))
    assert [case.regime for case in found] == ["qlora", "fp32"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            Options(profiles=("tinny",)),
            "unknown profile 'tinny'. Did you mean 'tiny'? Known: full, lean, notebook, quick, tiny.",
        ),
        (Options(regimes=("qlra",)), "unknown regime 'qlra'. Did you mean 'qlora'?"),
        (Options(regimes=("al",)), "unknown regime 'al'. Did you mean 'all'?"),
        (Options(trials=-1), "cannot be negative"),
    ],
)
def test_a_wrong_word_is_a_usage_error(options: Options, words: str) -> None:
    """With the nearest known name."""
    with pytest.raises(UsageError) as error:
        cases.cases(options)
    assert words in str(error.value)


def test_trials_and_steps_override_the_profile() -> None:
    """Zero leaves the profile's own."""
    (case,) = cases.cases(Options(profiles=("tiny",), regimes=("fp32",), trials=3, steps=12))
    assert (case.profile.trials, case.profile.max_steps) == (3, 12)
    (case,) = cases.cases(Options(profiles=("tiny",), regimes=("fp32",)))
    assert (case.profile.trials, case.profile.max_steps) == (cases.PROFILES["tiny"].trials, -1)


@pytest.mark.parametrize(("steps", "rows"), [(0, 1600), (12, 192), (1000, 1600)])
def test_rows_that_no_step_reaches_can_be_left_out(steps: int, rows: int) -> None:
    """Where steps are counted; the case keeps its name."""
    (case,) = cases.cases(Options(profiles=("tiny",), regimes=("fp32",), steps=steps))
    left = cases.without_spare_rows(case)
    assert left.profile.train_rows == rows
    assert cases.slug(left) == cases.slug(case)


def test_data_of_the_users_with_a_model_of_the_users_is_sst2() -> None:
    """The embedded model knows no words but the toy's."""
    (case,) = cases.cases(Options(profiles=("tiny",), regimes=("fp32",), model="./mine", data="there"))
    assert case.task == "sst2"
    assert case.profile.lr_scale == 1.0


@pytest.mark.parametrize(
    ("model", "targets"),
    [
        ("", ("query", "value")),
        ("x/MiniLM", ("query", "value")),
        ("BERT_large", ("query", "value")),
        ("gpt2", ()),
        ("distilbert-base", ()),
        ("ModernBERT-base", ()),
        ("roberta-base", ()),
        ("albert-base", ()),
    ],
)
def test_berts_are_pinned_and_others_left_to_the_worker(model: str, targets: tuple[str, ...]) -> None:
    """What a BERT needs said is said; empty means to be resolved from the architecture."""
    (case,) = cases.cases(Options(profiles=("quick",), regimes=("fp32",), model=model))
    assert case.model.lora_targets == targets
