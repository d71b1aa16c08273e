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
COLUMNS = ("input_ids", "attention_mask", "token_type_ids", "labels")


class InputMeter(Meter):
    """Reads the tokenised rows in the probe phase, where hashing them disturbs nothing."""

    name = "inputs"
    metrics = (DIGESTS, PADDING)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.PROBE:
            return {}
        rows = {split: {c: data[c][:] for c in COLUMNS if c in data.column_names} for split, data in scene.rows.items()}
        return {
            DIGESTS.name: Measured(value={split: digests(columns) for split, columns in rows.items()}),
            PADDING.name: Measured(value=padding(rows["train"]["attention_mask"])),
        }


def digests(columns: Mapping[str, Any]) -> dict[str, JSON]:
    """One digest a column, over its integers in order, and the number of rows."""
    found: dict[str, JSON] = {"rows": len(columns["labels"])}
    for name, values in columns.items():
        found[name] = hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]
    return found


def padding(masks: list[list[int]]) -> float:
    """Share of positions that are padding, over all rows."""
    total = sum(len(mask) for mask in masks)
    return round(1 - sum(map(sum, masks)) / total, 6)


METER = InputMeter
