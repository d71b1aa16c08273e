"""What the tokenizer made of the rows, as digests, and the share of padding."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ..nouns import JSON, Kind, Measured, Metric, Phase
from ..scene import Meter, Scene

DIGESTS = Metric(
    name="input.digests", unit="", kind=Kind.EXACT, concern="fingerprint", title="token ids, masks, labels"
)
PADDING = Metric(name="input.padding", unit="1", kind=Kind.EXACT, concern="fingerprint", title="share of padding")
TOKENIZER = Metric(name="input.tokenizer", unit="", kind=Kind.EXACT, concern="fingerprint", title="tokenizer")
COLUMNS = ("input_ids", "attention_mask", "token_type_ids", "labels")


class InputMeter(Meter):
    """Reads the tokenised rows in the probe phase, where hashing them disturbs nothing."""

    name = "inputs"
    metrics = (DIGESTS, PADDING, TOKENIZER)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.PROBE:
            return {}
        rows = {split: {c: data[c][:] for c in COLUMNS if c in data.column_names} for split, data in scene.rows.items()}
        return {
            DIGESTS.name: Measured(value={split: digests(columns) for split, columns in rows.items()}),
            PADDING.name: Measured(value=padding(rows["train"]["attention_mask"])),
            TOKENIZER.name: Measured(value=tokenizer(scene.tokenizer)),
        }


def digests(columns: Mapping[str, Any]) -> dict[str, JSON]:
    """One digest a column, over its integers in order, and the number of rows."""
    found: dict[str, JSON] = {"rows": len(columns["labels"])}
    for name, values in columns.items():
        found[name] = _digest(values)
    found["lengths"] = _digest([sum(mask) for mask in columns["attention_mask"]])
    return found


def tokenizer(what: Any) -> dict[str, JSON]:
    """Class, size and digest of the vocabulary, special tokens and the steps around them.

    What the tokenizer makes of text is in the digests of the ids; here is by what. "Fast" is no part
    of the class: transformers 5 dropped it from the names.
    """
    backend = json.loads(what.backend_tokenizer.to_str()) if hasattr(what, "backend_tokenizer") else {}
    return {
        "class": type(what).__name__.removesuffix("Fast"),
        "vocabulary": _digest(sorted(what.get_vocab().items())),
        "size": len(what),
        "special": {name: str(token) for name, token in sorted(what.special_tokens_map.items())},
        "padding_side": what.padding_side,
        "truncation_side": what.truncation_side,
        "model_max_length": min(what.model_max_length, 2**31),
        "normalizer": backend.get("normalizer"),
        "pre_tokenizer": backend.get("pre_tokenizer"),
        "post_processor": _digest(backend.get("post_processor")),
    }


def _digest(value: JSON) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def padding(masks: list[list[int]]) -> float:
    """Share of positions that are padding, over all rows."""
    total = sum(len(mask) for mask in masks)
    return round(1 - sum(map(sum, masks)) / total, 6)


METER = InputMeter
