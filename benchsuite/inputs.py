"""Whether the data and the model of a run can be had: from a folder, the hub's cache or the hub."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from . import cases, checkpoints, registry
from .condition import Input
from .nouns import Options, SuiteError

DATA = "nyu-mll/glue"
LABELS = 2
TRUE = {"1", "ON", "YES", "TRUE"}
PATIENCE = 5.0
"""Seconds for the hub's answer."""


def wanted(options: Options, *, gpu: bool) -> tuple[Input, ...]:
    """What the user named, and what a GPU run takes from the hub unless told otherwise."""
    found = []
    if options.data:
        problem = _tried(lambda: registry.tasks()["sst2"].check(options.data))
        found.append(_folder("data", options.data, problem))
    elif gpu:
        found.append(_hub("data", DATA, "datasets", "HF_DATASETS_OFFLINE", "README.md"))
    if options.model or gpu:
        found.append(_model(options))
    return tuple(found)


def _folder(what: str, name: str, problem: str) -> Input:
    return Input(what=what, name=name, given=True, problem=problem, offline="", kept=False)


def _tried(call: Callable[[], object]) -> str:
    try:
        call()
    except SuiteError as error:
        return str(error)
    return ""


def _model(options: Options) -> Input:
    name = options.model or cases.PUBLISHED
    folder = Path(name).expanduser()
    if os.path.exists(folder) or name.startswith((".", "/", "~")) or name.count("/") > 1:
        problem = _tried(lambda: checkpoints.check_folder(folder, weights=options.weights, labels=LABELS))
        return _folder("model", name, problem)
    return _hub("model", name, "models", "TRANSFORMERS_OFFLINE", "config.json")


def _hub(what: str, name: str, kind: str, switch: str, file: str) -> Input:
    offline = next((v for v in ("HF_HUB_OFFLINE", switch) if os.environ.get(v, "").upper() in TRUE), "")
    kept = _kept(name, kind)
    problem = "" if kept else "the cache lacks it" if offline else _reach(name, kind, file)
    return Input(what=what, name=name, given=False, problem=problem, offline=offline, kept=kept)


def _home() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
    return Path(os.environ.get("HF_HOME") or base)


def _kept(name: str, kind: str) -> bool:
    """The cache holds a snapshot of it, or the data set as `datasets` prepares it."""
    hub = Path(os.environ.get("HF_HUB_CACHE") or _home() / "hub")
    snapshots = hub / f"{kind}--{name.replace('/', '--')}" / "snapshots"
    if kind == "models":
        return any(snapshots.glob("*/config.json"))
    prepared = Path(os.environ.get("HF_DATASETS_CACHE") or _home() / "datasets") / name.replace("/", "___") / "sst2"
    return any(snapshots.glob("*/sst2/*.parquet")) or prepared.is_dir()


def _reach(name: str, kind: str, file: str) -> str:
    """Why the hub does not give it; asked for one small file's head."""
    from huggingface_hub import constants

    part = "datasets/" if kind == "datasets" else ""
    request = urllib.request.Request(f"{constants.ENDPOINT}/{part}{name}/resolve/main/{file}", method="HEAD")  # noqa: S310 - the user's own endpoint
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE):  # noqa: S310
            return ""
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", "") or error)
