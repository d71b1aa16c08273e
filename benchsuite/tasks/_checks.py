"""What every task needs: the digest over rows, and the check that rows can be trained on.

Covers rows that were already read. Where they come from, and what a missing file means to a
person, is each task's own business.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from benchsuite.nouns import Examples, Split, SuiteError

Rows = Sequence[tuple[Any, Any]]
"""Pairs of text and label, as read: not yet checked."""


def digest_of(train: Split, validation: Split) -> str:
    """SHA-256, in hex, over text and label of every row, in order; the two splits cannot run together."""
    whole = hashlib.sha256()
    for name, split in (("train", train), ("validation", validation)):
        whole.update(f"{name} {len(split.texts)}\n".encode())
        for row in zip(split.texts, split.labels, strict=True):
            whole.update(json.dumps(row, ensure_ascii=True).encode() + b"\n")
    return whole.hexdigest()


def examples(train: Split, validation: Split, provenance: str) -> Examples:
    """Two checked splits as a task's data, with their digest."""
    return Examples(train=train, validation=validation, provenance=provenance, digest=digest_of(train, validation))


def checked(rows: Rows, classes: int, where: str) -> Split:
    """Rows as a split; `where` names their source in messages, rows count from 0.

    Raises:
        SuiteError: no rows, a text that is empty or no text, or a label that is not in 0..classes-1.
    """
    if not rows:
        raise SuiteError(f"{where} has zero rows; at least one is needed")
    for number, (text, label) in enumerate(rows):
        _check_row(text, label, classes, f"{where}, row {number} (counted from 0)")
    return Split(texts=tuple(text for text, _ in rows), labels=tuple(int(label) for _, label in rows))


def _check_row(text: Any, label: Any, classes: int, where: str) -> None:
    if not isinstance(text, str) or not text.strip():
        seen = "an empty text" if isinstance(text, str) else f"no text but {text!r}"
        raise SuiteError(f"{where}: {seen}; remove the row or mend its sentence")
    if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < classes:
        known = " or ".join(str(n) for n in range(classes))
        raise SuiteError(f"{where}: the label is {label!r}, not {known}; a split without labels (test) cannot be used")
