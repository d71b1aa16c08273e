"""The saved folder: every file with its size, every JSON file, and what a reader makes of the configuration.

Three looks, since releases write the same thing in different ways. `saved.files` and `saved.written` are what stands
there, to the letter: news on one stack, and an explanation across two. `saved.config` is what transformers and peft
make of it, defaults filled in: a key that was dropped is no news there where its default says the same, and is where it
says something else. Not covered: the tensors (`adapter_file`, `saved_values`) and the tokenizer (`saved_tokenizer`).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from ..nouns import JSON, Measured, Phase
from ..scene import Scene
from ._probing import ProbeMeter, caught, crash, exact

FILES = exact("saved.files", "files saved, with their bytes", same_stack=True)
WRITTEN = exact("saved.written", "saved JSON files as they are written", same_stack=True)
PACKED = exact("saved.packed", "bytes of packed files saved, in steps of 64 KiB", same_stack=True)
UNASKED = exact("saved.unasked", "files that training leaves before it is told to save, by folder")
CONFIG = exact("saved.config", "saved configuration as it is read", judge="values")

PICKLED = frozenset({"training_args.bin"})
"""Files that hold folders, the host's name and the hour, packed: their size says nothing below a step."""
STEP = 64 * 1024
"""Bytes. Arguments take 5 kB, and folders' names some hundred bytes more or less: 0 steps."""
JSON_FILE, TEXT = ".json", frozenset({".md", ".txt", ".jinja"})
LOADING = frozenset({"is_local", "local_files_only"})
"""Keys that transformers 5 writes of how it was loaded itself: from a folder, or with HF_HUB_OFFLINE."""
MANY = 128
"""Entries from which on a table or list is told by a digest: vocabularies, merges, a thousand labels."""
STAMPS = frozenset({
    "transformers_version", "peft_version", "_name_or_path", "name_or_path", "base_model_name_or_path",
})  # fmt: skip
"""Keys that say who wrote and where the model came from, not what it is."""
UNUSED = frozenset({"use_cache"})
"""transformers 5's Trainer switches it off and saves it so, 4's leaves it on: no classifier keeps a cache."""
RENAMED = {"torch_dtype": "dtype"}
"""Keys by the name that 4.56 gave them."""


class SavedFileMeter(ProbeMeter):
    """Reads the folder in the probe phase, and after training that of the Trainer, which was asked to save nothing."""

    name = "saved_files"
    metrics = (FILES, WRITTEN, CONFIG, PACKED, UNASKED)

    def __init__(self) -> None:
        self.beside: dict[str, JSON] = {}

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is Phase.TRAIN:
            # Probes train in the same folder later.
            self.beside = unasked(Path(scene.trainer.args.output_dir))
        return super().stop(phase, scene)

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        folder, places = Path(scene.saved), {scene.work: "TRIAL", scene.source: "CHECKPOINT"}
        return {
            FILES.name: files(folder, places),
            WRITTEN.name: written(folder, places),
            CONFIG.name: read(folder),
            PACKED.name: packed(folder),
            UNASKED.name: self.beside,
        }


def packed(folder: Path) -> dict[str, JSON]:
    """Bytes of each packed file, rounded down to whole steps."""
    return {name: path.stat().st_size // STEP * STEP for name, path in _every(folder) if path.name in PICKLED}


def unasked(folder: Path) -> dict[str, JSON]:
    """How many files stand there, by the folder or file at the top: names further down may hold hours and hosts."""
    return dict(sorted(Counter(name.partition("/")[0] for name, _ in _every(folder)).items()))


def files(folder: Path, places: Mapping[str, str]) -> dict[str, JSON]:
    """Bytes by file name: without folders' names those of a text, and none of what `written` or nobody can tell."""
    return {name: _bytes(path, places) for name, path in _every(folder)}


def _every(folder: Path) -> Iterator[tuple[str, Path]]:
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    yield from sorted(found.items())


def _bytes(path: Path, places: Mapping[str, str]) -> int | None:
    if path.name in PICKLED or path.suffix == JSON_FILE:
        return None
    return len(nowhere(_text(path), places).encode()) if path.suffix in TEXT else path.stat().st_size


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def nowhere(text: str, places: Mapping[str, str]) -> str:
    """`text` with folders' names, as they are and as JSON writes them, replaced by what they are to the trial."""
    for place in sorted(filter(None, places), key=len, reverse=True):
        for said in (json.dumps(place)[1:-1], place):
            text = text.replace(said, places[place])
    return text


def written(folder: Path, places: Mapping[str, str]) -> dict[str, JSON]:
    """Every JSON file's content by name, in brief."""
    return {name: _parsed(nowhere(_text(path), places)) for name, path in _every(folder) if path.suffix == JSON_FILE}


def _parsed(text: str) -> JSON:
    try:
        return brief(json.loads(text))
    except ValueError as error:
        return crash(error)


def brief(value: JSON) -> JSON:
    """A value with long tables and lists as digests, sets of words in one order, and without `LOADING`."""
    if isinstance(value, dict | list) and len(value) > MANY:
        return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
    if isinstance(value, dict):
        return {name: brief(sub) for name, sub in value.items() if name not in LOADING}
    if isinstance(value, list):
        # peft keeps names of layers as a set, which comes out in any order; words that repeat are no set.
        words = all(isinstance(sub, str) for sub in value) and len(set(value)) == len(value)
        return sorted(value) if words else [brief(sub) for sub in value]
    return value


def read(folder: Path) -> dict[str, JSON]:
    """What each library makes of its configuration in the folder, by the file's name without its ending."""
    found = {name: load for name, load in READERS.items() if (folder / f"{name}.json").is_file()}
    return {name: _read(load, folder) for name, load in found.items()}


def _read(load: Any, folder: Path) -> JSON:
    try:
        return brief(tidy(load(str(folder))))
    except Exception as error:  # noqa: BLE001 - a configuration that cannot be read is a finding, whatever is raised
        return crash(caught(error), str(folder))


def tidy(value: Any) -> JSON:
    """A configuration as data, by today's names, without `STAMPS` and `UNUSED`, at every depth."""
    if isinstance(value, Mapping):
        # Old names first, so that where both stand the new one holds.
        items = sorted(((str(key), sub) for key, sub in value.items()), key=lambda item: item[0] not in RENAMED)
        kept = ((RENAMED.get(key, key), sub) for key, sub in items if key not in STAMPS | UNUSED)
        return dict(sorted((key, tidy(sub)) for key, sub in dict(kept).items()))
    if isinstance(value, Enum):
        return tidy(value.value)
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, list | tuple):
        return [tidy(sub) for sub in value]
    return value if isinstance(value, bool | int | float | None) else str(value).removeprefix("torch.")


def _model(folder: str) -> Mapping[str, Any]:
    from transformers import AutoConfig

    found: Mapping[str, Any] = AutoConfig.from_pretrained(folder, trust_remote_code=False).to_dict()
    return found


def _adapter(folder: str) -> Mapping[str, Any]:
    from peft import PeftConfig

    found: Mapping[str, Any] = PeftConfig.from_pretrained(folder).to_dict()
    return found


READERS = {"config": _model, "adapter_config": _adapter}

METER = SavedFileMeter
