"""What the Trainer feeds, logs and leaves behind: pure accounts, and the hooks that look, on small things."""

from __future__ import annotations

import math
import random
import tracemalloc
import types
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.meters import _aside, built, evaluation_memory, fed, trainer_log

ROWS = [(bytes([i]), i % 2) for i in range(8)]
DRAWN = [[0, 1, 2, 3], [4, 5, 6, 7]]


def epoch(*batches):
    """An epoch that was fed these rows, by number or as they are."""
    return fed.Epoch(batches=[[ROWS[row] if isinstance(row, int) else row for row in batch] for batch in batches])


def account(*batches):
    """What is said of it, without what is always the same."""
    found = fed.account(epoch(*batches), ROWS, DRAWN)
    del found["content"], found["batches"], found["rows"]
    return {name: value for name, value in found.items() if value or name == "parts"}


# ---------------------------------------------------------------- what is fed


def test_an_epoch_fed_as_it_is_drawn_has_nothing_to_tell():
    """Every row once, and no place where it parts."""
    assert account(*DRAWN) == {"parts": None}


def test_an_epoch_that_is_cut_short_parts_nowhere():
    """Rows that were not fed are counted."""
    assert account(DRAWN[0]) == {"parts": None, "left_out": 4}


def test_a_batch_fed_again_takes_the_place_of_another():
    """Its rows come again, others not at all, from that batch on."""
    assert account(DRAWN[0], DRAWN[0]) == {"parts": 1, "again": 4, "left_out": 4}
    assert account(*DRAWN, DRAWN[0]) == {"parts": 2, "again": 4}


def test_a_row_with_anothers_label_is_told_from_a_row_that_nobody_knows():
    """By its tokens."""
    assert account([(ROWS[0][0], 1), 1, 2, 3], DRAWN[1]) == {"parts": 0, "left_out": 1, "other_labels": 1}
    assert account([(b"?", 1), 1, 2, 3], DRAWN[1]) == {"parts": 0, "left_out": 1, "unknown": 1}


def test_rows_that_are_alike_may_change_places():
    """Nobody can tell them apart."""
    assert fed.parts([[ROWS[0], ROWS[0]]], [[ROWS[0], ROWS[0]]]) is None
    assert fed.balance(Counter([ROWS[0]] * 2), Counter([ROWS[0]] * 2))["again"] == 0


@given(st.permutations(range(8)), st.integers(1, 8))
def test_another_order_loses_no_row(rows, size):
    """Whatever the order and the batches, it is told by the first batch that is another, if any is."""
    batches = [rows[i : i + size] for i in range(0, 8, size)]
    found = fed.account(epoch(*batches), ROWS, [sorted(rows)[i : i + size] for i in range(0, 8, size)])
    first = next(
        (i for i, batch in enumerate(batches) if batch != list(range(i * size, (i + 1) * size))[: len(batch)]), None
    )
    assert found["parts"] == first
    assert {found[name] for name in ("left_out", "again", "other_labels", "unknown")} == {0}


@given(st.lists(st.sampled_from(ROWS), max_size=12), st.lists(st.sampled_from(ROWS), max_size=12))
def test_what_was_fed_and_what_was_left_out_add_up(rows, given_rows):
    """Rows of the data set, less those left out, more those fed again or known to nobody, are what was fed."""
    told = fed.balance(Counter(rows), Counter(given_rows))
    assert len(rows) - told["left_out"] + told["again"] + told["other_labels"] + told["unknown"] == len(given_rows)


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_makes_no_other_row(side):
    """A row's key is the same in the data set, without padding, and in a batch, with it on either side."""
    bare = {"input_ids": [[5, 6]], "attention_mask": [[1, 1]], "labels": [1]}
    pad, mask = ([0, 5, 6], [0, 1, 1]) if side == "left" else ([5, 6, 0], [1, 1, 0])
    padded = {"input_ids": np.array([pad]), "attention_mask": np.array([mask]), "labels": np.array([1])}
    assert fed.keys(bare) == fed.keys(padded)


def test_what_batches_hold_is_digested_column_by_column():
    """Over all batches of an epoch; numbers that belong to no row are none."""
    batch = {"input_ids": torch.ones(2, 3), "attention_mask": torch.ones(2, 3), "labels": torch.tensor([0, 1])}
    epochs = fed.Epoch(), fed.Epoch()
    epochs[0].take({**batch, "items": torch.tensor(2)})
    epochs[1].take({**batch, "labels": torch.tensor([1, 1])})
    digests = [{name: digest.hexdigest() for name, digest in e.digests.items()} for e in epochs]
    assert {name for name in digests[0] if digests[0][name] != digests[1][name]} == {"labels"}
    assert list(digests[0]) == ["attention_mask", "input_ids", "labels"]


def test_the_sampler_is_told_of_each_epoch():
    """And asked for its batches, one epoch after the other."""

    class Loader:
        epoch = -1

        def set_epoch(self, number):
            self.epoch = number

        @property
        def batch_sampler(self):
            return [[self.epoch, 7]]

    trainer = types.SimpleNamespace(get_train_dataloader=Loader)
    assert list(fed.redrawn(trainer, 42, 2)) == [[[0, 7]], [[1, 7]]]


# ---------------------------------------------------------------- what is logged


def seen(losses):
    """Steps with these losses, of a falling rate and a growing norm."""
    steps = range(len(losses))
    return trainer_log.Seen(
        losses=dict(enumerate(losses)), norms={i: 2.0 + i for i in steps}, rates={i: 1.0 / (1 + i) for i in steps}
    )


def history(losses, **factors):
    """What a sound Trainer logs of them each third step, and of them all; each key times its factor."""
    steps, entries = seen(losses), []
    for end in range(3, len(losses) + 1, 3):
        entry = {"loss": sum(losses[end - 3 : end]) / 3, "learning_rate": steps.rates[end - 1],
                 "grad_norm": steps.norms[end - 1]}  # fmt: skip
        entries.append({**{k: v * factors.get(k, 1.0) for k, v in entry.items()}, "step": end})
    last = sum(losses) / len(losses) * factors.get("train_loss", 1.0)
    return [*entries, {"train_loss": last, "step": len(losses)}]


LOSSES = st.lists(st.floats(0.05, 20), min_size=3, max_size=12)
KEYS = ("loss", "learning_rate", "train_loss", "grad_norm")


@given(LOSSES)
def test_a_sound_log_is_what_was_seen(losses):
    """Whatever the losses, every share is 1."""
    assert trainer_log.shares(history(losses), seen(losses)) == dict.fromkeys(KEYS, 1.0)


@given(LOSSES, st.sampled_from(KEYS), st.sampled_from([0.5, 10 / 11, 2.0]))
def test_a_figure_logged_otherwise_shows_its_factor(losses, key, factor):
    """And no other figure does."""
    wrong = trainer_log.shares(history(losses, **{key: factor}), seen(losses))
    assert wrong[key] == pytest.approx(factor, abs=1e-4)
    assert {value for name, value in wrong.items() if name != key} == {1.0}


def test_what_is_rounded_to_four_digits_is_within_the_tolerance():
    """As versions before 5 log the loss."""
    losses = [0.05123456, 0.05045678, 0.0499]
    log = [{**entry, "loss": round(entry["loss"], 4)} if "loss" in entry else entry for entry in history(losses)]
    assert abs(trainer_log.shares(log, seen(losses))["loss"] - 1) < trainer_log.LOG.absolute / 5


def test_what_is_not_logged_has_no_share():
    """Nor what means nothing; a rate of 0 that is logged as 0 is right."""
    bare = [{name: entry[name] for name in entry if name != "grad_norm"} for entry in history([1.0] * 3)]
    assert trainer_log.shares(bare, seen([1.0] * 3))["grad_norm"] is None
    assert trainer_log.share([(math.nan, 1.0)]) is None
    assert trainer_log.share([(1.0, 0.0)]) is None
    assert trainer_log.share([]) is None
    assert trainer_log.share([(0.0, 0.0), (1.0, 1.0)]) == 1.0


@pytest.mark.parametrize(("told", "share"), [(120.0, 1.0), (360.0, 3.0), (None, None)])
def test_operations_are_told_as_a_share_of_their_sum(told, share):
    """Of those that the steps' batches are, by the model's own count; null where they are not logged."""
    log = [{"loss": 1.0}, {} if told is None else {"total_flos": told}]
    assert trainer_log.operations(log, trainer_log.Seen(operations=120.0)) == share


def test_of_scaled_gradients_no_norm_is_told():
    """None was seen, so that nothing is said of what is logged."""
    steps = seen([1.0] * 3)
    steps.norms.clear()
    assert "grad_norm" not in trainer_log.shares(history([1.0] * 3), steps)


def test_tensors_that_a_step_leaves_are_counted_each_step():
    """From counts of the first and the last; those that came and went are none."""
    assert trainer_log.left({2: 100, 6: 100}) == 0
    assert trainer_log.left({2: 100, 6: 116}) == 4
    kept = [torch.zeros(1)]
    before = trainer_log.tensors()
    kept.append(torch.zeros(1))
    torch.zeros(1)
    assert trainer_log.tensors() == before + 1


def test_memory_of_pythons_that_a_step_leaves_is_traced():
    """Lists and numpy's arrays; what was let go of is none, and nothing is traced afterwards."""
    with trainer_log._traced():
        kept = [[float(i) for i in range(1000)]]
        before = trainer_log.heap()
        kept.append([float(i) for i in range(1000)])
        np.zeros(10_000)
        lists = trainer_log.heap()
        kept.append(np.zeros(10_000))
        arrays = trainer_log.heap()
    assert lists - before == pytest.approx(32_000, rel=0.1)
    assert arrays - lists == pytest.approx(80_000, rel=0.1)
    assert not tracemalloc.is_tracing()


def test_who_traces_already_goes_on_tracing():
    """Tracing that is not ours does not end with us."""
    tracemalloc.start()
    try:
        with trainer_log._traced():
            pass
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_what_an_evaluation_keeps_is_what_a_batch_in_its_middle_added():
    """Whatever was alive before, whatever the first batch made once, and whatever the last one did."""
    meter = evaluation_memory.EvaluationMemoryMeter()
    assert meter.probe(None) == {}, "of one batch nothing is told"
    watching, kept = evaluation_memory._watching(meter.alive), []
    for size in (1000, 10, 16, 9):
        kept.append(torch.zeros(size))
        watching.on_prediction_step()
    assert meter.probe(None) == {"memory.kept_by_batch": 64}


# ---------------------------------------------------------------- how it is looked at


def test_what_is_done_aside_leaves_no_trace():
    """Weights, mode, forward, gradients and generators are as before, also after an error."""
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout())
    model.eval()
    scene = types.SimpleNamespace(model=model, on_cuda=False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    draws = [random.getstate(), torch.get_rng_state()]

    def train():
        model.train()
        model.forward = model.forward
        model(torch.rand(1, 2)).sum().backward()
        torch.optim.SGD(model.parameters(), lr=1.0).step()
        raise ValueError(f"drawn {random.random()}")

    with pytest.raises(ValueError, match="drawn"), _aside.aside(scene):
        train()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module.training for module in model.modules())
    assert all(p.grad is None for p in model.parameters())
    assert "forward" not in vars(model)
    assert random.getstate() == draws[0]
    assert torch.equal(torch.get_rng_state(), draws[1])


def test_models_built_are_counted_by_class_while_one_is_loaded():
    """Parts that are models too count; afterwards the constructor is the library's own."""

    class Base:
        def __init__(self, name):
            self.name = name

    class Part(Base):
        pass

    class Whole(Base):
        def __init__(self):
            super().__init__("whole")
            self.part = Part("part")

    own, calls = Base.__init__, Counter()
    with built.counting(Base, calls):
        assert Whole().part.name == "part"
    Whole()
    assert calls == {"Whole": 1, "Part": 1}
    assert Base.__init__ is own
