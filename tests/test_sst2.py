"""SST-2 from three layouts and from the hub: the same rows from each, and one clear message for each mistake."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.nouns import SuiteError
from benchsuite.tasks.sst2 import TASK, _read_tsv

REAL = Path(__file__).resolve().parent.parent / ".." / "shared" / "data" / "glue"
ROWS = [
    ("hide new secretions from the parental units ", 0),
    ('an unclosed " quote , and a second one: " ', 1),
    ("on the worst revenge-of-the-nerds clichés the filmmakers could dredge up ", 0),
    ("next\x85line and\u2028separator stay inside a row ", 1),
    ("NA", 1),
]
"""Rows that break careless readers: spaces at the end, quotes, umlauts, line separators, a word that looks missing."""
Rows = list[tuple[Any, Any]]
Write = Callable[[Path, Rows, Rows], Path]


def _table(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame(
        {"sentence": [text for text, _ in rows], "label": [label for _, label in rows], "idx": range(len(rows))}
    )


def _parquet(folder: Path, train: Rows, validation: Rows) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    _table(train).to_parquet(folder / "train-00000-of-00001.parquet")
    _table(validation).to_parquet(folder / "validation-00000-of-00001.parquet")
    return folder


def _parquet_below(folder: Path, train: Rows, validation: Rows) -> Path:
    return _parquet(folder / "sst2", train, validation).parent


def _shards(folder: Path, train: Rows, validation: Rows) -> Path:
    folder.mkdir()
    _table(train[:2]).to_parquet(folder / "train-00000-of-00002.parquet")
    _table(train[2:]).to_parquet(folder / "train-00001-of-00002.parquet")
    _table(validation).to_parquet(folder / "validation-00000-of-00001.parquet")
    return folder


def _tsv(folder: Path, train: Rows, validation: Rows, end: str = "\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("train", train), ("dev", validation)):
        lines = ["sentence\tlabel", *(f"{text}\t{label}" for text, label in rows)]
        (folder / f"{name}.tsv").write_bytes("".join(line + end for line in lines).encode())
    return folder


def _tsv_below(folder: Path, train: Rows, validation: Rows) -> Path:
    return _tsv(folder / "SST-2", train, validation).parent


def _tsv_windows(folder: Path, train: Rows, validation: Rows) -> Path:
    return _tsv(folder, train, validation, end="\r\n")


def _saved(folder: Path, train: Rows, validation: Rows) -> Path:
    splits = {"train": train, "validation": validation}
    both = {
        name: datasets.Dataset.from_dict(
            {"sentence": [t for t, _ in rows], "label": [n for _, n in rows], "idx": list(range(len(rows)))},
            features=datasets.Features(
                sentence=datasets.Value("string"),
                label=datasets.ClassLabel(names=list(TASK.labels)),
                idx=datasets.Value("int32"),
            ),
        )
        for name, rows in splits.items()
    }
    datasets.DatasetDict(both).save_to_disk(folder, num_shards={"train": min(2, len(train)), "validation": 1})
    return folder


def _bare_arrow(folder: Path, train: Rows, validation: Rows) -> Path:
    _saved(folder, train, validation)
    for split in ("train", "validation"):
        (folder / split / "state.json").unlink()
    return folder


LAYOUTS: list[Write] = [
    _parquet, _parquet_below, _shards, _tsv, _tsv_below, _tsv_windows, _saved, _bare_arrow,
]  # fmt: skip


@pytest.fixture(autouse=True)
def _quiet() -> None:
    datasets.disable_progress_bars()


# ------------------------------------------------------------------ the same rows from each layout


@pytest.mark.parametrize("write", LAYOUTS)
def test_every_layout_gives_the_same_rows(write: Write, tmp_path: Path) -> None:
    """Rows, their order and their digest do not depend on the layout; nothing is stripped."""
    folder = str(write(tmp_path / "data", ROWS, ROWS[:3]))
    TASK.check(folder)
    data = TASK.load(folder, 4)
    assert list(zip(data.train.texts, data.train.labels, strict=True)) == ROWS[:4]
    assert list(zip(data.validation.texts, data.validation.labels, strict=True)) == ROWS[:3]
    assert data.provenance == "real"
    assert data.digest == TASK.load(str(_parquet(tmp_path / "other", ROWS, ROWS[:3])), 4).digest


def test_digest_sees_text_label_order_and_split(tmp_path: Path) -> None:
    """Any other row, order, or border between the splits is another digest."""
    a, b, c = ROWS[:3]
    variants = [([a, b], [c]), ([b, a], [c]), ([a], [b, c]), ([a, (b[0], 0)], [c]), ([a, ("x", 1)], [c])]
    digests = {
        TASK.load(str(_parquet(tmp_path / str(n), train, dev)), 9).digest for n, (train, dev) in enumerate(variants)
    }
    assert len(digests) == len(variants)


def test_more_rows_asked_for_than_there_are(tmp_path: Path) -> None:
    """A folder with fewer rows than asked for gives all it has."""
    assert len(TASK.load(str(_tsv(tmp_path, ROWS, ROWS)), 20_000).train.texts) == len(ROWS)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\t\n\r\ufeff")), st.integers(0, 1)
        ),
        max_size=6,
    )
)
def test_tsv_keeps_any_text(tmp_path_factory: pytest.TempPathFactory, rows: Rows) -> None:
    """Whatever stands between tab and line end comes back as it was written."""
    folder = _tsv(tmp_path_factory.mktemp("tsv"), rows, [])
    assert list(_read_tsv(folder / "train.tsv")) == rows


@pytest.mark.skipif(not REAL.is_dir(), reason="the real SST-2 is not at ../shared/data/glue")
def test_real_data_has_one_digest_in_every_layout(tmp_path: Path) -> None:
    """All of the real data set, rewritten as TSV and as a saved data set, keeps its digest."""
    read = {split: pd.read_parquet(next((REAL / "sst2").glob(f"{split}-*"))) for split in ("train", "validation")}
    splits: dict[str, Rows] = {k: list(zip(v["sentence"], v["label"].tolist(), strict=True)) for k, v in read.items()}
    data = TASK.load(str(REAL), 20_000)
    assert (len(data.train.texts), len(data.validation.texts)) == (20_000, 872)
    assert data.train.texts[0] == "hide new secretions from the parental units "
    for write in (_tsv_below, _saved):
        folder = write(tmp_path / write.__name__, splits["train"], splits["validation"])
        assert TASK.load(str(folder), 20_000).digest == data.digest
    assert TASK.load(str(REAL / "sst2"), 20_000).digest == data.digest


# ------------------------------------------------------------------ mistakes


def _nothing(folder: Path) -> Path:
    return folder / "nowhere"


def _a_file(folder: Path) -> Path:
    path = folder / "data.zip"
    path.write_bytes(b"PK")
    return path


def _other_layout(folder: Path) -> Path:
    (folder / "notes.txt").touch()
    (folder / "cola").mkdir()
    return folder


def _only_train(folder: Path) -> Path:
    _parquet(folder, ROWS, ROWS)
    (folder / "validation-00000-of-00001.parquet").unlink()
    return folder


def _other_columns(folder: Path) -> Path:
    _parquet(folder, ROWS, ROWS)
    _table(ROWS).rename(columns={"sentence": "text"}).to_parquet(folder / "train-00000-of-00001.parquet")
    return folder


def _other_tsv_columns(folder: Path) -> Path:
    _tsv(folder, ROWS, ROWS)
    (folder / "dev.tsv").write_text("index\tsentence\n0\tfine\n", encoding="utf-8")
    return folder


def _corrupt_parquet(folder: Path) -> Path:
    _parquet(folder, ROWS, ROWS)
    (folder / "train-00000-of-00001.parquet").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    return folder


def _truncated_parquet(folder: Path) -> Path:
    whole = _parquet(folder, ROWS, ROWS) / "validation-00000-of-00001.parquet"
    whole.write_bytes(whole.read_bytes()[:-20])
    return folder


def _corrupt_arrow(folder: Path) -> Path:
    next((_saved(folder / "d", ROWS, ROWS) / "train").glob("*.arrow")).write_bytes(b"\xff\xff\xff\xff\x10")
    return folder / "d"


def _corrupt_state(folder: Path) -> Path:
    (_saved(folder / "d", ROWS, ROWS) / "train" / "state.json").write_text("{}", encoding="utf-8")
    return folder / "d"


def _missing_shard(folder: Path) -> Path:
    next((_saved(folder / "d", ROWS, ROWS) / "train").glob("*.arrow")).unlink()
    return folder / "d"


def _not_utf8(folder: Path) -> Path:
    _tsv(folder, ROWS, ROWS)
    (folder / "train.tsv").write_bytes(b"sentence\tlabel\ncaf\xe9\t1\n")
    return folder


def _short_line(folder: Path) -> Path:
    _tsv(folder, ROWS, ROWS)
    (folder / "train.tsv").write_text("sentence\tlabel\nfine \t1\nno label here\n", encoding="utf-8")
    return folder


def _with(write: Write, train: Rows, validation: Rows = ROWS) -> Callable[[Path], Path]:
    return lambda folder: write(folder / "d", train, validation)


MISTAKES: dict[str, tuple[Callable[[Path], Path], tuple[str, ...]]] = {
    "no such folder": (_nothing, ("nowhere", "does not exist", "train-*.parquet", "dev.tsv", "save_to_disk")),
    "a file": (_a_file, ("data.zip", "is a file")),
    "empty folder": (lambda folder: folder, ("no SST-2 in the folder", "There lies: nothing")),
    "other layout": (_other_layout, ("train-*.parquet", "dev.tsv", "save_to_disk", "There lies: cola/, notes.txt")),
    "only train": (_only_train, ("validation-*.parquet", "There lies: train-00000-of-00001.parquet")),
    "other columns": (_other_columns, ("train-00000", "no column 'sentence'", "'text', 'label', 'idx'")),
    "other tsv columns": (_other_tsv_columns, ("dev.tsv", "no column 'label'", "'index', 'sentence'")),
    "corrupt parquet": (_corrupt_parquet, ("train-00000-of-00001.parquet cannot be read", "fetch or save it again")),
    "truncated parquet": (_truncated_parquet, ("validation-00000-of-00001.parquet cannot be read",)),
    "corrupt arrow": (_corrupt_arrow, (".arrow cannot be read",)),
    "corrupt state": (_corrupt_state, ("state.json is damaged", "save the data set again")),
    "missing shard": (_missing_shard, (".arrow cannot be read", "FileNotFoundError")),
    "not utf-8": (_not_utf8, ("train.tsv cannot be read", "utf-8")),
    "short line": (_short_line, ("train.tsv, row 1", "the label is None")),
    "label 2": (_with(_parquet, [*ROWS, ("fine ", 2), ("odd ", 3)]), ("row 5", "the label is 2, not 0 or 1")),
    "unlabelled test split": (_with(_parquet, ROWS, [("fine ", -1)]), ("validation-", "row 0", "the label is -1")),
    "label in words": (_with(_tsv, [("fine ", "positive")]), ("row 0", "the label is 'positive'")),
    "label missing": (_with(_parquet, [("fine ", None)]), ("row 0", "the label is None")),
    "fractional label": (_with(_parquet, [("fine ", 0.5)]), ("row 0", "the label is 0.5")),
    "empty text": (_with(_tsv, [*ROWS[:2], ("", 1)]), ("train.tsv, row 2", "an empty text")),
    "blank text": (_with(_saved, [("fine ", 1), ("  ", 1)]), ("row 1", "an empty text")),
    "text missing": (_with(_parquet, [("fine ", 1), (None, 1)]), ("row 1", "no text but None")),
    "zero training rows": (_with(_tsv, []), ("train.tsv has zero rows",)),
    "zero validation rows": (_with(_parquet, ROWS, []), ("validation-00000-of-00001.parquet has zero rows",)),
}


@pytest.mark.parametrize(("make", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_told(make: Callable[[Path], Path], said: tuple[str, ...], tmp_path: Path) -> None:
    """Each mistake is one SuiteError that says what was seen, from the check and from the load alike."""
    folder = str(make(tmp_path))
    for call in (lambda: TASK.check(folder), lambda: TASK.load(folder, 20_000)):
        with pytest.raises(SuiteError) as caught:
            call()
        assert not [part for part in said if part not in str(caught.value)], str(caught.value)


def test_state_file_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    """A file name with a path in it, in a saved data set's state, is cut to its name."""
    folder = _saved(tmp_path / "d", ROWS, ROWS)
    outside = _saved(tmp_path / "secret", ROWS, ROWS) / "train" / "data-00000-of-00002.arrow"
    state = {"_data_files": [{"filename": f"../../secret/train/{outside.name}"}]}
    (folder / "train" / "state.json").write_text(json.dumps(state), encoding="utf-8")
    (folder / "train" / outside.name).unlink()
    with pytest.raises(SuiteError, match="cannot be read"):
        TASK.load(str(folder), 5)


# ------------------------------------------------------------------ the hub


def _hub(monkeypatch: pytest.MonkeyPatch, load: Callable[..., Any]) -> None:
    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load))


def test_hub_is_asked_for_the_right_data_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a folder, the data set "nyu-mll/glue" "sst2" gives the rows that a folder of it would."""
    saved = _saved(tmp_path / "d", ROWS, ROWS[:3])
    loaded = datasets.load_from_disk(saved)
    asked = []

    def load(*words: str, **options: object) -> Any:
        asked.append((words, options))
        return loaded

    _hub(monkeypatch, load)
    assert TASK.load("", 4) == TASK.load(str(saved), 4)
    assert asked == [(("nyu-mll/glue", "sst2"), {})]


@pytest.mark.parametrize("error", [ConnectionError("no route\nto host"), ValueError("odd"), KeyError("train")])
def test_hub_failure_says_how_to_get_the_data(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Whatever the library raises becomes one message with the three ways to the data."""

    def fail(*_: str) -> None:
        raise error

    _hub(monkeypatch, fail)
    with pytest.raises(SuiteError) as caught:
        TASK.load("", 4)
    for part in (type(error).__name__, "--suite-data FOLDER", "HF_HOME", "train-*.parquet", "dev.tsv", "save_to_disk"):
        assert part in str(caught.value)


def test_check_leaves_the_hub_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a folder the check opens no connection: that is the trial's business."""
    _hub(monkeypatch, lambda *_: pytest.fail("the hub was asked"))
    TASK.check("")
