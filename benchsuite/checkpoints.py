"""Where a model's files come from, and whether they may be used. Runs in the parent; imports no torch.

Only safetensors are read and no code of a checkpoint is ever run: a pickle or an `auto_map` is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import cases
from .nouns import JSON, Case, Options, SuiteError, Weights

EMBEDDED_FOLDER = Path(__file__).parent / "tasks" / "toy_bert"
HEADS = ("classifier.weight", "score.weight", "classifier.out_proj.weight")
TOKENIZERS = ("tokenizer.json", "vocab.txt", "tokenizer.model", "spiece.model", "vocab.json")
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
WANTED = ["*.json", "*.txt", "*.model", "*.safetensors"]


def resolve(options: Options, case: Case, labels: int) -> str:
    """Local folder with the case's checkpoint; empty for the embedded one. Checked, and built if random.

    Raises:
        SuiteError: it cannot be had, or must not be used.
    """
    asked = cases.origin(options, case).model
    if not asked and case.model.id == cases.EMBEDDED:
        return ""
    folder = _local(asked or case.model.id, case.model.revision)
    check_folder(folder, weights=case.weights, labels=labels)
    if case.weights is Weights.RANDOM:
        return str(randomised(folder, case.seed))
    return str(folder)


def _local(name: str, revision: str) -> Path:
    path = Path(name).expanduser()
    if os.path.exists(path):  # a name that no file can have is not there
        return path
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise SuiteError(f"no model folder {name!r}. Give a folder with config.json, or a name on the hub.")
    return _from_hub(name, revision)


def _from_hub(name: str, revision: str) -> Path:
    """The hub's snapshot of a model, from the cache where it is there (HF_HOME and HF_HUB_OFFLINE are honoured)."""
    import huggingface_hub

    try:
        return Path(huggingface_hub.snapshot_download(name, revision=revision or None, allow_patterns=WANTED))
    except Exception as error:  # every kind of network trouble ends here, and all mean one thing to the user
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise SuiteError(
            f"cannot get the model {name!r} from the hub: {first} Without a network: give a folder "
            "(--suite-model FOLDER), or fill the cache once where there is one "
            f"(hf download {name}) and carry it over with HF_HOME."
        ) from error


def check_folder(folder: Path, *, weights: Weights, labels: int) -> None:
    """Refuse a folder that cannot or must not be loaded as a classifier of `labels` classes.

    Raises:
        SuiteError: says what was seen and what to do.
    """
    config = read_config(folder)
    if "auto_map" in config:
        raise SuiteError(f"{folder} wants its own code run (auto_map in config.json): refused. Use a plain checkpoint.")
    if not any((folder / name).is_file() for name in TOKENIZERS):
        raise SuiteError(f"{folder} has no tokenizer (looked for {', '.join(TOKENIZERS)}). Save one beside the model.")
    if weights is Weights.RANDOM:
        return
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
        seen = f"only pickles ({', '.join(pickles)}), which are never loaded" if pickles else "no weights at all"
        raise SuiteError(
            f"{folder} holds {seen}. Convert the checkpoint to safetensors (model.save_pretrained does), "
            "or run its shape alone with --suite-weights random."
        )
    for name, shape in _shapes(files):
        if name in HEADS and shape[:1] != [labels]:
            raise SuiteError(
                f"{folder} has a head of {shape[0] if shape else 0} classes ({name}), the task has {labels}. "
                "Give a checkpoint without a head, or one of the right width."
            )


def read_config(folder: Path) -> dict[str, Any]:
    """The folder's config.json.

    Raises:
        SuiteError: there is none, or it is not JSON.
    """
    try:
        config = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError) as error:
        raise SuiteError(f"{folder} is no model folder: config.json cannot be read ({error}).") from error
    if not isinstance(config, dict):
        raise SuiteError(f"{folder}/config.json is not a JSON object.")
    return config


def _header(file: Path) -> tuple[dict[str, Any], int]:
    """A safetensors file's header, by tensor, and the offset of its data.

    Raises:
        SuiteError: it is none, or cut short.
    """
    try:
        with file.open("rb") as stream:
            size = struct.unpack("<Q", stream.read(8))[0]
            header = json.loads(stream.read(size))
        tensors = {name: tensor for name, tensor in header.items() if name != "__metadata__"}
        end = 8 + size + max((tensor["data_offsets"][1] for tensor in tensors.values()), default=0)
        shapes = all(isinstance(tensor["shape"], list) for tensor in tensors.values())
    except (struct.error, ValueError, MemoryError, OverflowError, LookupError, TypeError, AttributeError, OSError) as e:
        said = f"{type(e).__name__}: {e}"
        raise SuiteError(f"{file} is not a safetensors file ({said}). Fetch or convert it again.") from e
    if not shapes or file.stat().st_size < end:
        have = file.stat().st_size
        raise SuiteError(f"{file} is cut short: {have} bytes of the {end} that it announces. Fetch it again.")
    return tensors, 8 + size


def _shapes(files: list[Path]) -> Iterator[tuple[str, list[int]]]:
    for file in files:
        for name, tensor in _header(file)[0].items():
            yield name, tensor["shape"]


def provenance(folder: str, case: Case) -> tuple[str, str]:
    """What a case's weights are ("real", "synthetic", "random") and a digest over its tensors.

    Random weights are told by their recipe, shape and seed: the bits differ between CPUs and torch
    versions, and nothing hangs on them.
    """
    path = Path(folder)
    if case.weights is Weights.RANDOM:
        return "random", _recipe(path, case.seed)
    kind = "synthetic" if path == EMBEDDED_FOLDER else "real"
    return kind, tensor_digest(sorted(path.glob("*.safetensors")))


def tensor_digest(files: list[Path]) -> str:
    """Digest over every tensor's name, dtype, shape and bytes, whatever files they lie in."""
    found = {}
    for file in files:
        header, start = _header(file)
        with file.open("rb") as stream:
            for name, tensor in header.items():
                begin, end = tensor["data_offsets"]
                stream.seek(start + begin)
                content = hashlib.sha256(stream.read(end - begin)).hexdigest()
                found[name] = [tensor["dtype"], tensor["shape"], content]
    return _digest(found)


def _recipe(folder: Path, seed: int) -> str:
    config = {k: v for k, v in read_config(folder).items() if k not in ("transformers_version", "dtype", "torch_dtype")}
    return _digest([config, seed])


def _tokenizer(folder: Path) -> dict[str, str]:
    """What of the tokenizer goes into a built checkpoint: two shapes alike may differ in their words."""
    files = (path for path in sorted(folder.iterdir()) if path.suffix in (".json", ".txt", ".model"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.name != "config.json"}


def _digest(value: JSON) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def cache_folder() -> Path:
    """Where built checkpoints are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "benchsuite"


def randomised(folder: Path, seed: int) -> Path:
    """A checkpoint of the folder's shape with weights drawn under `seed`: built once, without any planted fault.

    Raises:
        SuiteError: it cannot be built.
    """
    out = cache_folder() / f"random-{_digest([_recipe(folder, seed), _tokenizer(folder)])}"
    if (out / "model.safetensors").is_file():
        return out
    command = [sys.executable, "-m", "benchsuite.randomise", str(folder), str(out), str(seed)]
    done = subprocess.run(command, env=child_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SuiteError(f"cannot draw random weights for {folder}: {last}")
    return out


def child_environment() -> dict[str, str]:
    """The environment of our child processes: they import this very copy of the suite, installed or not."""
    root = str(Path(__file__).parent.parent)
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    # pytest's note of the test that runs is no child's matter, and would tell apart what is started for two tests.
    inherited = {name: text for name, text in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return {**inherited, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
