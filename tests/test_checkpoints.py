"""Where a model's files come from, and what is refused before a trial starts: nothing unpickles, nothing runs code."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from factories import make_case

from benchsuite import cases, checkpoints
from benchsuite.nouns import Case, Options, SuiteError, Weights

LABELS = 2


def safetensors(tensors: dict[str, list[int]], *, cut: int = 0) -> bytes:
    """A safetensors file of zeros with these shapes, its last `cut` bytes missing."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, shape in tensors.items():
        size = 4
        for n in shape:
            size *= n
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    whole = struct.pack("<Q", len(text)) + text + bytes(at)
    return whole[: len(whole) - cut]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint that is fine: a configuration, a tokenizer, and weights without a head."""
    made = tmp_path / "my-bert"
    made.mkdir()
    (made / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (made / "vocab.txt").write_text("[PAD]\n[UNK]\n")
    (made / "model.safetensors").write_bytes(safetensors({"bert.embeddings.weight": [4, 8]}))
    return made


def refused(folder: Path, weights: Weights = Weights.PRETRAINED) -> str:
    """Why the folder is refused."""
    with pytest.raises(SuiteError) as error:
        checkpoints.check_folder(folder, weights=weights, labels=LABELS)
    return str(error.value)


def test_a_good_folder_passes_and_is_used_where_it_lies(folder: Path) -> None:
    """Without a head, or with one of the right width."""
    options = Options(profiles=("tiny",), regimes=("fp32",), model=str(folder))
    (case,) = cases.cases(options)
    assert checkpoints.resolve(options, case, LABELS) == str(folder)
    (folder / "model.safetensors").write_bytes(
        safetensors({"classifier.weight": [LABELS, 8], "classifier.bias": [LABELS]})
    )
    checkpoints.check_folder(folder, weights=Weights.PRETRAINED, labels=LABELS)


def test_the_embedded_model_needs_no_folder() -> None:
    """It ships inside the package, and stands the check of any other."""
    assert checkpoints.resolve(Options(), make_case(), LABELS) == ""
    checkpoints.check_folder(checkpoints.EMBEDDED_FOLDER, weights=Weights.PRETRAINED, labels=LABELS)


def break_config(folder: Path) -> None:
    (folder / "config.json").write_text("{ not json")


def list_config(folder: Path) -> None:
    (folder / "config.json").write_text("[1]")


def remote_code(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"auto_map": {"AutoModel": "modeling.Evil"}}))


def pickles_only(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def wide_head(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(safetensors({"classifier.weight": [3, 8]}))


def wide_shard(folder: Path) -> None:
    (folder / "model-00002-of-00002.safetensors").write_bytes(safetensors({"score.weight": [5, 8]}))


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no config": (lambda f: (f / "config.json").unlink(), "is no model folder: config.json cannot be read"),
    "no json": (break_config, "is no model folder: config.json cannot be read"),
    "a list": (list_config, "config.json is not a JSON object"),
    "no tokenizer": (lambda f: (f / "vocab.txt").unlink(), "has no tokenizer (looked for tokenizer.json, vocab.txt"),
    "remote code": (remote_code, "wants its own code run (auto_map in config.json): refused"),
    "pickles only": (pickles_only, "holds only pickles (pytorch_model.bin), which are never loaded. Convert"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "holds no weights at all"),
    "head of 3": (wide_head, "has a head of 3 classes (classifier.weight), the task has 2"),
    "head in a shard": (wide_shard, "has a head of 5 classes (score.weight), the task has 2"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_folder_that_must_not_be_loaded_is_refused(folder: Path, what: str) -> None:
    """One sentence says what was seen, and names the folder."""
    change, words = BROKEN[what]
    change(folder)
    said = refused(folder)
    assert words in said
    assert str(folder) in said


def listed(*header: Any) -> bytes:
    """A safetensors file whose header is a list."""
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text


WHOLE = safetensors({"bert.embeddings.weight": [4, 8]})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a safetensors file"),
        (b"PK\x03\x04 some zip file with a pickle in it", "is not a safetensors file"),
        (struct.pack("<Q", 2**62) + b"{}", "is not a safetensors file"),
        (WHOLE[:40], "is not a safetensors file"),
        (WHOLE[:-1], f"is cut short: {len(WHOLE) - 1} bytes of the {len(WHOLE)} that it announces"),
        (listed("x"), "is not a safetensors file"),
        (WHOLE.replace(b'"shape"', b'"shap3"'), "is not a safetensors file"),
    ],
    ids=["empty", "zip", "huge header", "cut header", "cut data", "list", "no shapes"],
)
def test_damaged_weights_are_refused_before_a_trial(folder: Path, content: bytes, words: str) -> None:
    """The file is named, and what to do."""
    (folder / "model.safetensors").write_bytes(content)
    said = refused(folder)
    assert words in said
    assert "model.safetensors" in said
    assert "again" in said


def test_random_weights_need_no_weights(folder: Path) -> None:
    """Shape and tokenizer are enough; remote code is refused all the same."""
    (folder / "model.safetensors").unlink()
    checkpoints.check_folder(folder, weights=Weights.RANDOM, labels=LABELS)
    remote_code(folder)
    assert "auto_map" in refused(folder, Weights.RANDOM)


def test_a_file_or_a_missing_folder_is_no_model(tmp_path: Path) -> None:
    """Neither is looked for on the hub."""
    file = tmp_path / "model.safetensors"
    file.write_bytes(WHOLE)
    for name, words in ((str(tmp_path / "none"), "no model folder"), (str(file), "is no model folder")):
        options = Options(profiles=("tiny",), regimes=("fp32",), model=name)
        (case,) = cases.cases(options)
        with pytest.raises(SuiteError, match=words):
            checkpoints.resolve(options, case, LABELS)


def test_a_hub_name_without_network_tells_both_ways_out(tmp_path: Path) -> None:
    """A folder, or a cache carried over; exit code 2 and no traceback."""
    env = {**checkpoints.child_environment(), "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
    command = [sys.executable, "-m", "benchsuite", "run", "--model", "someone/some-bert"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot get the model 'someone/some-bert' from the hub" in done.stderr
    assert "--suite-model FOLDER" in done.stderr
    assert "hf download someone/some-bert" in done.stderr
    assert "HF_HOME" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


# ---------------------------------------------------------------- digests and random weights


def test_a_digest_is_over_tensors_not_over_files(tmp_path: Path) -> None:
    """Two shards and one file of the same tensors are the same weights; another value is not."""
    one, two, three = tmp_path / "1.safetensors", tmp_path / "2.safetensors", tmp_path / "3.safetensors"
    one.write_bytes(safetensors({"a": [2], "b": [3]}))
    two.write_bytes(safetensors({"b": [3]}))
    three.write_bytes(safetensors({"a": [2]}))
    assert checkpoints.tensor_digest([one]) == checkpoints.tensor_digest([two, three])
    three.write_bytes(safetensors({"a": [2]})[:-1] + b"\1")
    assert checkpoints.tensor_digest([one]) != checkpoints.tensor_digest([two, three])


@pytest.fixture
def shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The embedded model's shape without weights, and a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = tmp_path / "toy-shape"
    weights = shutil.ignore_patterns("*.safetensors")
    shutil.copytree(checkpoints.EMBEDDED_FOLDER, made, ignore=weights)
    return made


def random_case(folder: Path) -> tuple[Options, Case]:
    """Options and case of random weights of a folder's shape."""
    options = Options(profiles=("tiny",), regimes=("fp32",), model=str(folder), weights=Weights.RANDOM)
    (case,) = cases.cases(options)
    return options, case


def test_random_weights_are_built_once(shape: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole checkpoint with the shape's tokenizer, in the cache; the second time nothing is run."""
    options, case = random_case(shape)
    built = Path(checkpoints.resolve(options, case, LABELS))
    assert built.is_relative_to(checkpoints.cache_folder())
    checkpoints.check_folder(built, weights=Weights.PRETRAINED, labels=LABELS)
    assert (built / "tokenizer.json").read_bytes() == (shape / "tokenizer.json").read_bytes()
    assert checkpoints.provenance(str(built), case)[0] == "random"

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("built a second time")

    monkeypatch.setattr(subprocess, "run", never)
    assert checkpoints.resolve(options, case, LABELS) == str(built)
    with pytest.raises(AssertionError, match="built a second time"):
        checkpoints.randomised(shape, case.seed + 1)
    (shape / "vocab.txt").write_text("[PAD]\n[UNK]\nother\n")
    with pytest.raises(AssertionError, match="built a second time"):
        checkpoints.resolve(options, case, LABELS)


def test_a_shape_that_cannot_be_built_is_told_of(shape: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The builder's last word, in one sentence; nothing is left in the cache."""
    (shape.parent / "transformers.py").write_text("raise ValueError('63 is no multiple of the heads')")
    monkeypatch.setenv("PYTHONPATH", str(shape.parent))
    options, case = random_case(shape)
    with pytest.raises(SuiteError, match=r"cannot draw random weights for .*toy-shape: ValueError: 63 is no multiple"):
        checkpoints.resolve(options, case, LABELS)
    assert not list(checkpoints.cache_folder().glob("random-*"))


def test_children_import_this_copy_of_the_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our root comes first on their path, once, and the user's own entries stay."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["mine", "", "theirs"]))
    root, *rest = checkpoints.child_environment()["PYTHONPATH"].split(os.pathsep)
    assert Path(root, "benchsuite", "checkpoints.py").samefile(checkpoints.__file__)
    assert rest == ["mine", "theirs"]
