"""The embedded task and its checkpoint: rows that are the same everywhere, and files that fit them."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
import tokenizers
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite import nouns
from benchsuite.nouns import UsageError
from benchsuite.tasks import toy
from benchsuite.tasks.toy import TASK

FOLDER = Path(toy.__file__).parent / "toy_bert"
ROWS = 1600


@pytest.fixture(scope="module")
def data() -> nouns.Examples:
    return TASK.load("", ROWS)


def test_rows_are_the_same_on_every_machine(data: nouns.Examples) -> None:
    """The digest of the tiny profile's rows is a constant; whoever moves it raises the revision."""
    assert TASK.revision == "1"
    assert data.digest == "a4b6d4caaa3243fece018e4ee6b5fead9c5506ca01303badc433711d359395ba"


def test_sizes_and_provenance(data: nouns.Examples) -> None:
    """As many training rows as asked for, 872 for validation, and none of it claims to be real."""
    assert (len(data.train.texts), len(data.train.labels)) == (ROWS, ROWS)
    assert (len(data.validation.texts), len(data.validation.labels)) == (872, 872)
    assert data.provenance == "synthetic"


def test_no_text_twice(data: nouns.Examples) -> None:
    """Every text is distinct, within a split and between the two."""
    texts = (*data.train.texts, *data.validation.texts)
    assert len(set(texts)) == len(texts)


@settings(max_examples=10, deadline=None)
@given(few=st.integers(1, 300), more=st.integers(0, 300))
def test_fewer_rows_are_the_first_of_more(few: int, more: int) -> None:
    """Asking for more training rows adds to the end, and leaves validation alone."""
    short, long = TASK.load("", few), TASK.load("", few + more)
    assert long.train.texts[:few] == short.train.texts
    assert long.train.labels[:few] == short.train.labels
    assert long.validation == short.validation
    assert (short.digest == long.digest) == (more == 0)


def test_labels_are_balanced(data: nouns.Examples) -> None:
    """Whoever always says one label is right about half of the time."""
    for split in (data.train, data.validation):
        assert 0.45 < sum(split.labels) / len(split.labels) < 0.55
        assert set(split.labels) == set(range(len(TASK.labels)))


def test_ceiling_is_the_share_of_true_labels(data: nouns.Examples) -> None:
    """The ceiling is one minus the labels flipped, which are about as many as the noise says."""
    clean = toy.Toy(noise=0.0).load("", 1).validation
    assert clean.texts == data.validation.texts
    true = sum(a == b for a, b in zip(clean.labels, data.validation.labels, strict=True))
    assert TASK.ceiling() == true / 872
    assert abs(1 - TASK.ceiling() - TASK.noise) < 0.015
    assert toy.Toy(noise=0.0).ceiling() == 1.0


def _clause_is_good(clause: str) -> bool:
    """An independent reading of one clause: the sign of its polar word, flipped by a negation."""
    words = clause.split()
    good = {word.replace("+", "") for word in (*toy.POSITIVE, *toy.LIKED)}
    bad = {word.replace("+", "") for word in (*toy.NEGATIVE, *toy.DISLIKED)}
    (word,) = [word for word in words if word in good | bad]
    negated = bool({"not", "never", "hardly", "far", "anything"} & set(words))
    return (word in good) is not negated


def test_last_clause_decides() -> None:
    """Read by other code than wrote it, the label is that of the last clause, with negation flipped."""
    clean = toy.Toy(noise=0.0).load("", 500).train
    polar = {w.replace("+", "") for w in (*toy.POSITIVE, *toy.NEGATIVE, *toy.LIKED, *toy.DISLIKED)}
    for text, label in zip(clean.texts, clean.labels, strict=True):
        words = text.split()
        places = [n for n, word in enumerate(words) if word in polar]
        start = places[-2] + 1 if len(places) == 2 else 0
        last = " ".join(words[start:])
        # "anything but dull" holds a "but" that joins nothing, so clauses are cut after polar words.
        assert _clause_is_good(last) == bool(label), text


def test_grammar_is_used(data: nouns.Examples) -> None:
    """Negation, degrees, contrast, agreement and split words all occur often enough to be learned."""
    for word in ("not", "hardly", "very", "but", "although", "and", "unwatchable", "charmless"):
        assert sum(word in text.split() for text in data.train.texts) >= 5, word


def test_vocabulary_begins_with_the_special_tokens() -> None:
    """Ids 0 to 4 are BERT's special tokens; no piece occurs twice, and all are lower case."""
    vocabulary = TASK.vocabulary()
    assert vocabulary[:5] == ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    assert len(set(vocabulary)) == len(vocabulary)
    assert all(piece == piece.lower() for piece in vocabulary[5:])
    assert "##able" in vocabulary


def test_data_of_the_users_is_refused() -> None:
    """The toy would not read it, and real data is never silently replaced: the ways out are named."""
    TASK.check("")
    with pytest.raises(
        UsageError, match=r"would not read 'here'\. .* \(--suite-model .* \(--suite-task sst2\); or leave"
    ):
        TASK.check("here")


# ------------------------------------------------------------------ the checkpoint that ships


def _header() -> dict[str, dict[str, object]]:
    with (FOLDER / "model.safetensors").open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header: dict[str, dict[str, object]] = json.loads(file.read(length))
    return header


def test_files_are_small() -> None:
    """No shipped file is larger than 200 kB."""
    sizes = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert set(sizes) == {
        "config.json",
        "model.safetensors",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    }
    assert max(sizes.values()) < 200_000


def test_config_names_no_version() -> None:
    """The config holds nothing that ties it to one transformers version."""
    config = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))
    assert config["model_type"] == "bert"
    assert config["architectures"] == ["BertForMaskedLM"]
    assert not {"transformers_version", "dtype", "torch_dtype"} & set(config)


def test_vocabulary_is_the_same_in_all_files() -> None:
    """vocab.txt, tokenizer.json and config.json agree with the generator that writes the sentences."""
    vocabulary = TASK.vocabulary()
    assert tuple((FOLDER / "vocab.txt").read_text(encoding="utf-8").splitlines()) == vocabulary
    model = json.loads((FOLDER / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    assert model["vocab"] == {piece: number for number, piece in enumerate(vocabulary)}
    assert json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))["vocab_size"] == len(vocabulary)


def test_weights_are_a_headless_bert_in_half_precision() -> None:
    """Keys are those of bert-base-uncased's encoder and pooler; there is no head to start from."""
    header = _header()
    assert header.pop("__metadata__") == {"format": "pt"}
    layer = len([key for key in header if key.startswith("bert.encoder.layer.0.")])
    assert layer == 16
    assert len(header) == 2 * layer + 5 + 2
    assert all(key.startswith(("bert.embeddings.", "bert.encoder.", "bert.pooler.")) for key in header)
    assert {entry["dtype"] for entry in header.values()} == {"F16"}
    assert header["bert.embeddings.word_embeddings.weight"]["shape"] == [len(TASK.vocabulary()), 64]


def test_tokenizer_spells_every_sentence(data: nouns.Examples) -> None:
    """No sentence has an unknown piece or needs more than the tiny profile's 32 tokens; words do split."""
    tokenizer = tokenizers.Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    texts = [*data.train.texts, *data.validation.texts]
    encoded = tokenizer.encode_batch(texts)
    assert max(len(one.ids) for one in encoded) <= 32
    assert not any(TASK.vocabulary().index("[UNK]") in one.ids for one in encoded)
    assert all(one.tokens[0] == "[CLS]" and one.tokens[-1] == "[SEP]" for one in encoded)
    assert [tokenizer.decode(one.ids).replace(" ", "") for one in encoded] == [text.replace(" ", "") for text in texts]


def test_tokenizer_splits_words_as_their_spelling_says() -> None:
    """A capital is lowered, and a word that is no piece itself is spelled by its pieces."""
    tokenizer = tokenizers.Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    assert tokenizer.encode("The plot was UNWATCHABLE").tokens == [
        *("[CLS]", "the", "plot", "was", "un", "##watch", "##able", "[SEP]")
    ]


def test_transformers_loads_the_folder() -> None:
    """The Auto classes take the folder as it is; only the classifier is new."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(FOLDER)
    assert tokenizer.pad_token_id == 0
    assert tokenizer("the plot was charming")["input_ids"][0] == tokenizer.cls_token_id
    _, info = transformers.AutoModelForSequenceClassification.from_pretrained(FOLDER, output_loading_info=True)
    assert set(info["missing_keys"]) == {"classifier.weight", "classifier.bias"}
    assert not info["unexpected_keys"]
