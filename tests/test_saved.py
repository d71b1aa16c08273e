"""What is said of a saved folder: its files, its configuration, its tokenizer, and the model made of them."""

from __future__ import annotations

import json
import shutil
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite import registry
from benchsuite.checkpoints import EMBEDDED_FOLDER
from benchsuite.meters import adapter_file, odd_texts, saved_files, saved_tokenizer
from benchsuite.meters.saved_files import MANY, STAMPS, UNUSED, brief, nowhere, tidy
from benchsuite.nouns import Role

KEYS = st.sampled_from(["a", "dtype", "torch_dtype", "use_cache", "peft_version", "_name_or_path", "hidden_size"])
TABLES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda sub: st.lists(sub, max_size=3) | st.dictionaries(KEYS, sub, max_size=4),
    max_leaves=12,
)


def keys(value):
    """Every key at any depth."""
    if isinstance(value, dict):
        return set(value) | {key for sub in value.values() for key in keys(sub)}
    return {key for sub in value for key in keys(sub)} if isinstance(value, list) else set()


# ---------------------------------------------------------------- configuration


@given(TABLES)
def test_a_tidy_configuration_holds_no_stamp_and_no_old_name(table):
    """At any depth; and tidying it again changes nothing."""
    found = tidy(table)
    assert keys(found).isdisjoint(STAMPS | UNUSED | {"torch_dtype"})
    assert tidy(found) == found


@given(TABLES, st.sampled_from(sorted(STAMPS)), st.text(max_size=5))
def test_who_wrote_a_configuration_does_not_show(table, stamp, value):
    """Another version, or another folder, is the same configuration."""
    whole = {"inner": table}
    assert tidy(whole | {stamp: value}) == tidy(whole)


def test_a_dtype_is_one_under_both_of_its_names():
    """As text, as torch's own, and where both stand by the newer."""
    torch = pytest.importorskip("torch")
    wanted = {"dtype": "float16"}
    assert tidy({"torch_dtype": "float16"}) == tidy({"dtype": torch.float16}) == wanted
    assert tidy({"dtype": "float16", "torch_dtype": "float32"}) == wanted


def test_sets_and_enums_become_plain_values():
    """In one order, whatever the process hashes like."""
    kind = Enum("kind", {"LORA": "LORA"})
    assert tidy({"t": {"b", "a"}, "p": kind.LORA, 0: ("x",)}) == {"0": ["x"], "p": "LORA", "t": ["a", "b"]}


@given(TABLES)
def test_what_is_brief_stays_so(value):
    """Shortening twice is shortening once."""
    assert brief(brief(value)) == brief(value)


def test_long_tables_are_told_by_digest():
    """A vocabulary takes a line, and any one entry that moved is another digest."""
    vocabulary = {f"w{i}": i for i in range(MANY + 1)}
    found = brief({"model": {"vocab": vocabulary, "type": "BPE"}})["model"]
    assert (len(found["vocab"]), found["type"]) == (16, "BPE")
    assert brief(vocabulary | {"w0": -1}) != found["vocab"]


def test_words_in_any_order_are_a_set_and_repeated_ones_are_none():
    """Names of layers come out of a set; kinds of layers are a sequence."""
    assert brief(["value", "query"]) == brief(["query", "value"])
    assert brief(["full", "sliding", "full"]) == ["full", "sliding", "full"]


@given(st.text("ab/\\é", min_size=1), st.text("ab/\\é", min_size=1))
def test_folders_leave_no_trace(one, other):
    """A text that names a folder is the same text wherever that folder lies, written plainly or in JSON."""
    said = [
        nowhere(f"<{place}>" + json.dumps({"p": f"[{place}]"}), {place: "HERE", "": "NOWHERE"})
        for place in (f"/x-{one}", f"/x-{other}")
    ]
    assert said[0] == said[1] == '<HERE>{"p": "[HERE]"}'


def test_how_a_tokenizer_was_loaded_is_no_part_of_its_file():
    """What transformers 5 writes of that hangs on whether the hub could be asked."""
    assert brief({"pad_token": "x", "is_local": True, "local_files_only": False}) == {"pad_token": "x"}


# ---------------------------------------------------------------- folders


@pytest.fixture
def folder(tmp_path):
    """The embedded checkpoint, as if a trial had saved it."""
    return shutil.copytree(EMBEDDED_FOLDER, tmp_path / "saved")


def edit(file, **values):
    """Change values of a JSON file; None takes one out."""
    said = json.loads(file.read_text(encoding="utf-8")) | values
    file.write_text(json.dumps({k: v for k, v in said.items() if v is not None}), encoding="utf-8")


def test_every_file_is_told_with_its_bytes(folder):
    """Those of subfolders too; a pickle's say nothing, and JSON is told by what it holds."""
    (folder / "extra").mkdir()
    (folder / "extra" / "pytorch_model.bin").write_bytes(b"12345")
    (folder / "training_args.bin").write_bytes(b"/some/where")
    found = saved_files.files(folder, {})
    assert found["extra/pytorch_model.bin"] == 5
    assert (found["training_args.bin"], found["config.json"]) == (None, None)
    assert found["model.safetensors"] == (folder / "model.safetensors").stat().st_size


def test_a_packed_file_is_weighed_in_large_steps(folder):
    """Arguments weigh nothing, whatever folders they name; what somebody hangs on them does."""
    (folder / "training_args.bin").write_bytes(b"x" * 6_000)
    assert saved_files.packed(folder) == {"training_args.bin": 0}
    (folder / "training_args.bin").write_bytes(b"x" * 200_000)
    assert saved_files.packed(folder) == {"training_args.bin": 3 * 65_536}


def test_what_training_leaves_is_counted_by_folder(tmp_path):
    """No folder is nothing left."""
    (tmp_path / "checkpoint-2" / "deeper").mkdir(parents=True)
    for name in ("a.bin", "checkpoint-2/b.bin", "checkpoint-2/deeper/c.bin"):
        (tmp_path / name).touch()
    assert saved_files.unasked(tmp_path) == {"a.bin": 1, "checkpoint-2": 2}
    assert saved_files.unasked(tmp_path / "none") == {}


def test_where_a_folder_lies_is_no_part_of_its_files(tmp_path):
    """Sizes and contents are the same for a trial elsewhere."""
    found = []
    for place in (tmp_path / "a", tmp_path / "another-and-longer"):
        place.mkdir()
        edit_in = {"base_model_name_or_path": str(place), "r": 8}
        (place / "adapter_config.json").write_text(json.dumps(edit_in), encoding="utf-8")
        (place / "README.md").write_text(f"base_model: {place}\n", encoding="utf-8")
        hidden = {str(place): "CHECKPOINT"}
        found.append((saved_files.files(place, hidden), saved_files.written(place, hidden)))
    assert found[0] == found[1]


def test_a_broken_file_is_a_value(folder):
    """JSON that does not parse says so, in both looks, and names no folder."""
    (folder / "config.json").write_text("{", encoding="utf-8")
    assert saved_files.written(folder, {})["config.json"].startswith("crash: JSONDecodeError")
    found = saved_files.read(folder)["config"]
    assert found.startswith("crash: ")
    assert str(folder) not in found


@pytest.mark.parametrize(
    ("change", "key", "value"),
    [
        ({"dtype": "float16", "torch_dtype": "float16"}, "dtype", "float16"),
        ({"hidden_act": None}, "hidden_act", "gelu"),
        ({"layer_norm_eps": 1e-5}, "layer_norm_eps", 1e-5),
        ({"id2label": {"0": "bad", "1": "good"}}, "id2label", {"0": "bad", "1": "good"}),
    ],
    ids=["dtype", "default", "value", "labels"],
)
def test_a_configuration_is_told_as_it_is_read(folder, change, key, value):
    """A value that is written takes effect; one that is left out is its default."""
    edit(folder / "config.json", **change)
    assert saved_files.read(folder)["config"][key] == value


def test_an_adapters_configuration_is_read_by_peft(tmp_path):
    """With its defaults, and names of layers in one order."""
    peft = pytest.importorskip("peft")
    peft.LoraConfig(lora_alpha=32, target_modules=["value", "query"]).save_pretrained(str(tmp_path))
    found = saved_files.read(tmp_path)["adapter_config"]
    assert (found["lora_alpha"], found["target_modules"], found["peft_type"]) == (32, ["query", "value"], "LORA")


def test_weights_in_an_old_format_count(folder):
    """A second copy as pytorch_model.bin is bytes saved; the Trainer's arguments are none."""
    plain = adapter_file.weighed(folder)
    (folder / "training_args.bin").write_bytes(b"1" * 99)
    assert adapter_file.weighed(folder) == plain
    (folder / "pytorch_model.bin").write_bytes(b"1" * 99)
    assert adapter_file.weighed(folder) == plain + 99


# ---------------------------------------------------------------- tokenizer


def against(folder):
    """What is said of the folder's tokenizer against the embedded one."""
    transformers = pytest.importorskip("transformers")
    used, anew = (transformers.AutoTokenizer.from_pretrained(place) for place in (EMBEDDED_FOLDER, folder))
    return saved_tokenizer.against(used, anew, ("a great film", *saved_tokenizer.ODD))


def test_a_tokenizer_that_was_saved_whole_is_the_same(folder):
    """No text gets other ids, and no setting differs."""
    assert against(folder) == {"texts": 7, "other_ids": 0, "differs": {}}


def test_a_tokenizer_that_cuts_earlier_is_seen(folder):
    """By its setting, and by the texts that are longer."""
    edit(folder / "tokenizer_config.json", model_max_length=12)
    found = against(folder)
    assert found["differs"] == {"model_max_length": [64, 12]}
    assert 0 < found["other_ids"] < found["texts"]


def odd():
    """The embedded tokenizer, and what it makes of odd texts where 20 ids are planned."""
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(EMBEDDED_FOLDER)
    return tokenizer, odd_texts.answers(tokenizer, 20)


def test_odd_texts_are_told_with_where_they_are_cut():
    """A long one at three lengths, by its ends where its ids are many; and a bare call neither pads nor cuts."""
    tokenizer, found = odd()
    cuts = found['"film film film film film film film f..."']
    assert [len(cuts[how]) for how in ("cut to 16", "cut as planned")] == [16, 20]
    assert cuts["cut as it is"]["length"] == tokenizer.model_max_length
    assert cuts["cut as it is"]["ends"][-1] == tokenizer.sep_token_id
    assert found["with nothing said"]["lengths"][0] < found["with nothing said"]["lengths"][1] < 16


def test_a_tokenizer_that_splits_special_tokens_is_seen_by_the_text_that_holds_them():
    """And by no other text."""
    tokenizer, before = odd()
    tokenizer.split_special_tokens = True
    after = odd_texts.answers(tokenizer, 20)
    (name,) = [text for text, ids in before["texts"].items() if ids != after["texts"][text]]
    assert name.startswith('"[CLS] [SEP]')


# ---------------------------------------------------------------- roles


@pytest.mark.parametrize(
    ("name", "same_stack"), [("saved.files", True), ("saved.written", True), ("saved.config", False)]
)
def test_letters_are_news_on_one_stack_and_values_on_any(name, same_stack):
    """Releases write other files and keys; what they come to must stay."""
    metric = registry.metrics()[name]
    assert (metric.role, metric.same_stack) == (Role.GATE, same_stack)
