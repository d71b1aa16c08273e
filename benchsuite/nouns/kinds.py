"""The few words that everything else is said with: kinds, roles, outcomes, phases. One enum a policy."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

JSON = Any
"""None, bool, int, float, str, list or dict of these: what a JSON file can hold."""

SCHEMA = 1
"""Version of the record and baseline files; a file with a greater one is refused, not guessed at."""


class Kind(StrEnum):
    """How a number repeats, and so which judge is honest about it."""

    EXACT = "exact"
    COUNT = "count"
    BYTES = "bytes"
    DEVICE = "device"
    WALL = "wall"
    QUALITY = "quality"


class Role(StrEnum):
    """Whether a metric can fail a run, or only helps to say why another one did."""

    GATE = "gate"
    EXPLAIN = "explain"


class Better(StrEnum):
    """Which way a metric improves; `NEITHER` where any move is news."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"


class Outcome(StrEnum):
    """What a judge can say of one metric of one case."""

    OK = "ok"
    IMPROVED = "improved"
    REGRESSED = "regressed"
    CHANGED = "changed"
    KNOWN = "known"
    INCONCLUSIVE = "inconclusive"
    NO_BASELINE = "no-baseline"
    INCOMPARABLE = "incomparable"
    INVALID = "invalid"


class Phase(StrEnum):
    """The stages of a trial, in their order; `PROBE` comes after every time and memory metric closed."""

    LOAD = "load"
    PREPARE = "prepare"
    TRAIN = "train"
    SAVE = "save"
    RELOAD = "reload"
    EVALUATE = "evaluate"
    TEARDOWN = "teardown"
    PROBE = "probe"


class Status(StrEnum):
    """How a trial ended."""

    OK = "ok"
    FAILED = "failed"
    INVALID = "invalid"


class Device(StrEnum):
    """What a case runs on."""

    CPU = "cpu"
    CUDA = "cuda"


class Weights(StrEnum):
    """Where a case's weights come from: a checkpoint's, or drawn under the pinned seed."""

    PRETRAINED = "pretrained"
    RANDOM = "random"
