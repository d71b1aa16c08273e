"""Which trials were made in one go: by when they began and how long they took. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from .nouns import Record

GAP = timedelta(hours=1)
"""Between the end of a trial and the start of the next: longer, and another sitting begins."""


def sittings(records: Sequence[Record]) -> tuple[int, ...]:
    """The number of each record's sitting, from 0 in time, in the order of the records.

    Whatever run it is of: runs made one after the other are one sitting, and a baseline that was pooled
    of two nights is two. Where a start cannot be read, all are taken for one.
    """
    starts = [_start(record.started) for record in records]
    if any(start is None for start in starts):
        return (0,) * len(records)
    found, number, end = {}, -1, None
    for start, i in sorted((start, i) for i, start in enumerate(starts) if start is not None):
        number += end is None or start - end > GAP
        found[i] = number
        finish = start + timedelta(seconds=min(max(records[i].seconds, 0.0), GAP.total_seconds() * 24))
        end = finish if end is None else max(end, finish)
    return tuple(found[i] for i in range(len(records)))


def _start(text: str) -> datetime | None:
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        return None
    return start if start.tzinfo else start.replace(tzinfo=UTC)
