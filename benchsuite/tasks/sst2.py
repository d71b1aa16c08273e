"""SST-2: sentiment of film reviews, from a folder of the user's or from the hub.

Three layouts of a folder are known and found by looking; the same rows give the same digest from
each. Files are parquet, text or Arrow; nothing is unpickled and no code that came with data is
run. Not covered: the test split, which has no labels, and any rule about which rows are good ones.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchsuite.nouns import Examples, Split, SuiteError

from ._checks import Rows, checked, examples

COLUMNS = ("sentence", "label")
HUB, CONFIGURATION = "nyu-mll/glue", "sst2"
LAYOUTS = """\
  - sst2/train-*.parquet and sst2/validation-*.parquet (the hub's), or the same directly in the folder
  - SST-2/train.tsv and SST-2/dev.tsv (GLUE's), or the same directly in the folder
  - train/ and validation/ as written by datasets.DatasetDict.save_to_disk"""

Files = Mapping[str, tuple[Path, ...]]
"""The files of each split, in the order of their rows."""
Read = Callable[[Path], Rows]


def _parquet_files(folder: Path) -> Files:
    return {split: tuple(sorted(folder.glob(f"{split}-*.parquet"))) for split in ("train", "validation")}


def _tsv_files(folder: Path) -> Files:
    named = {"train": folder / "train.tsv", "validation": folder / "dev.tsv"}
    return {split: (path,) if path.is_file() else () for split, path in named.items()}


def _arrow_files(folder: Path) -> Files:
    return {split: _shards(folder / split) for split in ("train", "validation")}


def _shards(folder: Path) -> tuple[Path, ...]:
    """The Arrow files of one saved split: those that its state.json lists, else all."""
    try:
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        # Only the name is taken: a state file must not lead out of its own folder.
        return tuple(folder / Path(entry["filename"]).name for entry in state["_data_files"])
    except FileNotFoundError:
        return tuple(sorted(folder.glob("*.arrow")))
    except (ValueError, KeyError, TypeError) as error:
        raise SuiteError(f"{folder / 'state.json'} is damaged ({error!r}); save the data set again") from error


def _pairs(table: Any, path: Path) -> Rows:
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise _no_columns(path, missing, table.column_names)
    return list(zip(*(table.column(name).to_pylist() for name in COLUMNS), strict=True))


def _no_columns(path: Path, missing: list[str], seen: list[str]) -> SuiteError:
    return SuiteError(
        f"{path} has no column {' and '.join(map(repr, missing))}; it has: {', '.join(map(repr, seen)) or 'none'}. "
        "SST-2 has the columns 'sentence' and 'label'."
    )


def _read_parquet(path: Path) -> Rows:
    from pyarrow import parquet

    return _pairs(parquet.ParquetFile(path).read(), path)


def _read_arrow(path: Path) -> Rows:
    from pyarrow import ipc

    # The stream is read whole, not mapped: the file may be replaced while a trial runs.
    return _pairs(ipc.open_stream(path.read_bytes()).read_all(), path)


def _read_tsv(path: Path) -> Rows:
    # Lines end at "\n" alone and quotes are plain characters: str.splitlines and the csv module both
    # break rows of GLUE that hold other separators. Spaces at a sentence's end are part of it.
    head, *lines = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n").split("\n")
    header = head.split("\t")
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise _no_columns(path, missing, header)
    text, label = (header.index(name) for name in COLUMNS)
    if lines and not lines[-1]:
        lines.pop()
    return [_cells(line, text, label) for line in lines]


def _cells(line: str, text: int, label: int) -> tuple[str | None, int | str | None]:
    cells: list[str | None] = [*line.split("\t"), None, None]
    mark = cells[label]
    return cells[text], int(mark) if mark in {"0", "1"} else mark


SOURCES: tuple[tuple[str, Callable[[Path], Files], Read], ...] = (
    ("sst2", _parquet_files, _read_parquet),
    ("", _parquet_files, _read_parquet),
    ("SST-2", _tsv_files, _read_tsv),
    ("", _tsv_files, _read_tsv),
    ("", _arrow_files, _read_arrow),
)
"""Where in the user's folder each layout lies, how its files are found and read; the first that fits is used."""


def find(data: str) -> tuple[Files, Read]:
    """The files of both splits in the folder `data`, and the reader of their layout.

    Raises:
        SuiteError: there is no such folder, or it has none of the known layouts.
    """
    folder = Path(data).expanduser()
    if not os.path.isdir(folder):  # also what no file can be called
        seen = "is a file" if os.path.exists(folder) else "does not exist"
        raise SuiteError(f"the data folder {data!r} {seen}. Give a folder in one of these layouts:\n{LAYOUTS}")
    for inner, files_of, read in SOURCES:
        files = files_of(folder / inner)
        if all(files.values()):
            return files, read
    raise SuiteError(f"no SST-2 in the folder {data!r}. Looked for:\n{LAYOUTS}\nThere lies: {_listing(folder)}.")


def _listing(folder: Path, most: int = 12) -> str:
    names = sorted(path.name + ("/" if path.is_dir() else "") for path in folder.iterdir())
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "nothing") + more


def _read_split(files: tuple[Path, ...], read: Read, limit: int | None) -> Split:
    rows = [row for path in files for row in _guarded(read, path)]
    where = str(files[0]) if len(files) == 1 else f"{files[0]} to {files[-1].name}"
    return checked(rows[:limit], 2, where)


def _guarded(read: Read, path: Path) -> Rows:
    try:
        return read(path)
    # pyarrow's errors are ValueError, OSError or RuntimeError by birth; UnicodeDecodeError is a ValueError.
    except (ValueError, OSError, RuntimeError) as error:
        raise SuiteError(f"{path} cannot be read ({_first_line(error)}); fetch or save it again") from error


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".split("\n", maxsplit=1)[0][:300]


def _from_hub(train_rows: int) -> tuple[Split, Split]:
    try:
        import datasets

        both = datasets.load_dataset(HUB, CONFIGURATION)
        read = {name: _columns_of(both[name]) for name in ("train", "validation")}
    except Exception as error:  # the library raises a dozen unrelated classes, and one advice fits them all
        raise SuiteError(
            f"SST-2 could not be had from the hub ({_first_line(error)}). Run once with a network, so that the "
            f"cache under HF_HOME holds {HUB}; or give `--suite-data FOLDER`, a folder in one of these layouts:\n"
            f"{LAYOUTS}"
        ) from error
    train = checked(read["train"][:train_rows], 2, f"{HUB} {CONFIGURATION} train")
    return train, checked(read["validation"], 2, f"{HUB} {CONFIGURATION} validation")


def _columns_of(split: Any) -> Rows:
    return list(zip(*(list(split[name]) for name in COLUMNS), strict=True))


@dataclass(frozen=True, kw_only=True)
class Sst2:
    """Sentences of film reviews: the first rows of train, and the whole validation split."""

    name: str = "sst2"
    revision: str = "nyu-mll/glue sst2 train[:20000]"
    labels: tuple[str, ...] = ("negative", "positive")
    margin: float = 0.01
    """Accuracy that a change may cost before it counts as worse."""

    def check(self, data: str) -> None:
        """Read the user's folder once, so that a mistake shows before minutes are spent; the hub is left alone.

        Raises:
            SuiteError: the folder cannot be used; the message says why.
        """
        if data:
            _from_folder(data, train_rows=None)

    def load(self, data: str, train_rows: int) -> Examples:
        """The first `train_rows` rows of train in their order (all, where there are fewer), and all of validation.

        `data` is the user's folder; empty for the hub's data set, through its cache and under the
        variables HF_HOME and HF_HUB_OFFLINE.

        Raises:
            SuiteError: the data cannot be had or used; the message says why and what to do.
        """
        train, validation = _from_folder(data, train_rows) if data else _from_hub(train_rows)
        return examples(train, validation, "real")


def _from_folder(data: str, train_rows: int | None) -> tuple[Split, Split]:
    files, read = find(data)
    return _read_split(files["train"], read, train_rows), _read_split(files["validation"], read, None)


TASK = Sst2()
