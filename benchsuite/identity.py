"""What a case is called and what it is known by: names without paths, digests, and differences in words. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import PurePosixPath, PureWindowsPath

from .nouns import JSON, Case


def short_id(model: str) -> str:
    """The name of a model without where it lies: a folder's base name, or the hub name as it is."""
    looks_like_path = model.startswith((".", "/", "~")) or "\\" in model or model.count("/") > 1
    if not looks_like_path:
        return model
    name = PureWindowsPath(model).name if "\\" in model else PurePosixPath(model).name
    return name or "model"


def digest(case: Case) -> str:
    """Digest of what decides a case's numbers: transforms, profile and task revision.

    How many trials are made, how long they may take and what they are guessed to cost decide nothing.
    """
    what = asdict(replace(case, profile=replace(case.profile, trials=0, timeout=0.0, guess=0.0)))
    if not case.profile.lean:
        del what["profile"]["lean"]  # younger than the first baselines, whose digests stay as they are
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def difference(old: Case, new: Case) -> str:
    """What tells two cases apart, in words: "profile.max_steps 120 -> 60; transforms[0].lr 2e-05 -> 3e-05"."""
    a, b = _flat(asdict(old)), _flat(asdict(new))
    hidden = {"profile.trials", "profile.timeout", "profile.guess"}
    moved = [k for k in sorted(a.keys() | b.keys()) if a.get(k) != b.get(k) and k not in hidden]
    return "; ".join(f"{k} {a.get(k, 'absent')} -> {b.get(k, 'absent')}" for k in moved)


def _flat(value: JSON, path: str = "") -> dict[str, JSON]:
    if isinstance(value, Mapping):
        return {
            k: v for key, sub in value.items() for k, v in _flat(sub, f"{path}.{key}" if path else str(key)).items()
        }
    if isinstance(value, list | tuple):
        return {k: v for i, sub in enumerate(value) for k, v in _flat(sub, f"{path}[{i}]").items()}
    return {path: value}


def slug(case: Case) -> str:
    """A file name for a case, safe on every system, one to one for names that are already safe.

    A name that had to be cleaned or cut, or has capitals, ends in a digest of the original: two never meet, nor
    do they where a file system takes A and a for one.
    """
    parts = [case.task, case.regime, case.profile.name, case.model.id, case.weights, case.device, f"s{case.seed}"]
    raw = "--".join(str(p) for p in parts)
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", raw)
    safe = re.sub(r"\.\.+", ".", safe).strip(".-")[:120]
    if safe == raw.lower():
        return safe
    return f"{safe.strip('.-')}-{hashlib.sha256(raw.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
