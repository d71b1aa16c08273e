"""Batches of rows of like length, padded to one of a few widths: pure, and the same under the same seed.

Rows are shuffled, sorted by the width they need, cut into batches, and the batches shuffled. Every row comes once
an epoch, a batch is as wide as its longest row needs, and an epoch has as many batches as without.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

WIDTHS = (16, 32, 48, 64, 96)
"""Tokens that batches are padded to, below the longest that is allowed."""


def widths_below(limit: int) -> tuple[int, ...]:
    """The widths that batches of rows of at most `limit` tokens may have, ascending, `limit` the last."""
    return (*(width for width in WIDTHS if width < limit), limit)


def width_of(length: int, widths: Sequence[int]) -> int:
    """The least width that holds `length` tokens; the length itself where none does."""
    return next((width for width in widths if width >= length), length)


def order(lengths: Sequence[int], *, widths: Sequence[int], batch: int, seed: int) -> list[int]:
    """Row numbers in the order in which to train on them, `batch` after `batch`; a batch that is not full is last."""
    draw = Random(seed)  # noqa: S311 - an order, no secret
    rows = list(range(len(lengths)))
    draw.shuffle(rows)
    rows.sort(key=lambda row: width_of(lengths[row], widths))
    batches = [rows[start : start + batch] for start in range(0, len(rows), batch)]
    rest = batches.pop() if batches and len(batches[-1]) < batch else []
    draw.shuffle(batches)
    return [row for each in [*batches, rest] for row in each]


@dataclass
class Sampler:
    """What a `DataLoader` draws its rows by: another order each epoch, the same for the same seed."""

    lengths: Sequence[int]
    widths: Sequence[int]
    batch: int
    """Rows that are to be alike: those of one optimizer step."""
    seed: int
    epoch: int = 0

    def set_epoch(self, epoch: int) -> None:
        """Told by the Trainer when an epoch begins, counted from 0."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        # A seed of an epoch must be no other epoch's of a neighbouring seed.
        seed = self.seed * 1_000_003 + self.epoch
        return iter(order(self.lengths, widths=self.widths, batch=self.batch, seed=seed))

    def __len__(self) -> int:
        return len(self.lengths)


def padded(values: Sequence[int], *, width: int, pad: int, left: bool) -> list[int]:
    """A row's values with as many of `pad` as are missing."""
    more = [pad] * (width - len(values))
    return [*more, *values] if left else [*values, *more]
