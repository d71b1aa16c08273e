"""What an item says of itself to programs: properties, as `--junitxml` and other reporters write them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from .nouns import JSON, Verdict

PREFIX = "benchsuite"


def note_case(item: pytest.Item, slug: str) -> None:
    """Names the case that an item looks at."""
    _note(item, "case", slug)


def note_verdicts(item: pytest.Item, verdicts: Iterable[Verdict]) -> None:
    """What is said of each metric that an item judges: outcome, value and baseline, in the metric's base unit."""
    for verdict in verdicts:
        found = {"outcome": verdict.outcome.value, "value": verdict.new, "baseline": verdict.old, "unit": verdict.unit}
        for name, value in found.items():
            _note(item, f"{verdict.metric}.{name}", value)


def _note(item: pytest.Item, name: str, value: JSON) -> None:
    if value not in (None, ""):
        item.user_properties.append((f"{PREFIX}.{name}", value))
