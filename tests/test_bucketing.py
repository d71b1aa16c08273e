"""Buckets: every row once an epoch, rows of like length together, the same order under the same seed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite import bucketing
from benchsuite.bucketing import Sampler
from benchsuite.collating import Collator

WIDTHS = (16, 32, 64, 128)
LENGTHS = st.lists(st.integers(1, 128), max_size=200)
SEEDS, BATCHES = st.integers(0, 2**32), st.integers(1, 20)


def batches(rows: list[int], size: int) -> list[list[int]]:
    """An order, cut as a `DataLoader` cuts it."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


@given(LENGTHS, BATCHES, SEEDS)
def test_every_row_comes_once_an_epoch(lengths: list[int], batch: int, seed: int) -> None:
    """An order is a permutation, whatever the lengths."""
    assert sorted(bucketing.order(lengths, widths=WIDTHS, batch=batch, seed=seed)) == list(range(len(lengths)))


@given(LENGTHS, BATCHES, SEEDS)
def test_the_same_seed_is_the_same_order(lengths: list[int], batch: int, seed: int) -> None:
    """Nothing but the seed is drawn from."""
    first, second = (bucketing.order(lengths, widths=WIDTHS, batch=batch, seed=seed) for _ in range(2))
    assert first == second


@given(LENGTHS, BATCHES, SEEDS)
def test_batches_hold_rows_of_like_width(lengths: list[int], batch: int, seed: int) -> None:
    """At most one batch at each border between widths holds rows of two sides of it."""
    order = bucketing.order(lengths, widths=WIDTHS, batch=batch, seed=seed)
    needs = [{bucketing.width_of(lengths[row], WIDTHS) for row in rows} for rows in batches(order, batch)]
    assert sum(len(widths) - 1 for widths in needs) <= len(WIDTHS) - 1


def test_batches_come_in_no_order_of_length() -> None:
    """Short rows are not all trained on first, nor the same ones together each epoch."""
    lengths = [5 + 100 * (row % 2) for row in range(320)]
    first, second = ([*Sampler(lengths, WIDTHS, 16, 42, epoch)] for epoch in (0, 1))
    needs = [lengths[rows[0]] for rows in batches(first, 16)]
    assert needs not in (sorted(needs), sorted(needs, reverse=True))
    assert {frozenset(rows) for rows in batches(first, 16)} != {frozenset(rows) for rows in batches(second, 16)}


def test_a_sampler_is_told_the_epoch() -> None:
    """As the Trainer tells it: another order, and the first one again for the first epoch."""
    sampler = Sampler(lengths=list(range(1, 100)), widths=WIDTHS, batch=8, seed=42)
    first = [*sampler]
    sampler.set_epoch(1)
    assert [*sampler] != first
    sampler.set_epoch(0)
    assert [*sampler] == first
    assert len(sampler) == 99


@pytest.mark.parametrize(("length", "width"), [(1, 16), (16, 16), (17, 32), (128, 128), (129, 129)])
def test_a_row_gets_the_least_width_that_holds_it(length: int, width: int) -> None:
    """And its own length where none does."""
    assert bucketing.width_of(length, WIDTHS) == width


class Tokenizer:
    """As much of one as padding asks for."""

    pad_token_id, pad_token_type_id = 9, 3

    def __init__(self, side: str) -> None:
        self.padding_side = side


@pytest.mark.parametrize(
    ("side", "ids", "mask"),
    [("right", [[1, 2, 9, 9], [4, 5, 6, 9]], [[1, 1, 0, 0], [1, 1, 1, 0]]),
     ("left", [[9, 9, 1, 2], [9, 4, 5, 6]], [[0, 0, 1, 1], [0, 1, 1, 1]])],
)  # fmt: skip
def test_a_batch_is_padded_as_its_tokenizer_pads(side: str, ids: Any, mask: Any) -> None:
    """Each column with its own filling, on the tokenizer's side; labels are one number a row."""
    rows = [
        {"input_ids": [1, 2], "attention_mask": [1, 1], "token_type_ids": [0, 0], "labels": 1},
        {"input_ids": [4, 5, 6], "attention_mask": [1, 1, 1], "token_type_ids": [0, 0, 0], "labels": 0},
    ]
    batch = Collator.of(Tokenizer(side), (4, 8))(rows)
    assert batch["input_ids"].tolist() == ids
    assert batch["attention_mask"].tolist() == mask
    assert batch["token_type_ids"].tolist()[0].count(3) == 2
    assert batch["labels"].tolist() == [1, 0]
