"""One callback in the place of many."""

from __future__ import annotations

import pytest

from benchsuite.relay import relay

transformers = pytest.importorskip("transformers")


class Watching(transformers.TrainerCallback):
    """Notes the events that it has methods for."""

    def __init__(self, name, seen):
        self.name, self.seen = name, seen

    def on_step_end(self, args, state, control, **kwargs):
        """See `TrainerCallback`."""
        self.seen.append((self.name, kwargs["model"]))
        return "not to be heeded"


class Logging(Watching):
    """One event more."""

    def on_log(self, *_, **__):
        """See `TrainerCallback`."""
        self.seen.append((self.name, "log"))


def test_events_reach_all_that_have_a_method_of_their_own():
    """And nobody else is called; nothing is returned where several are asked."""
    seen = []
    one = relay([Logging("a", seen), Watching("b", seen), transformers.TrainerCallback()])
    assert one.on_step_end(None, None, None, model="m") is None
    one.on_log(None, None, None)
    assert seen == [("b", "m"), ("a", "m"), ("a", "log")]
    assert one.on_epoch_begin.__func__ is transformers.TrainerCallback.on_epoch_begin


def test_a_step_ends_in_the_opposite_order_of_its_begin():
    """The last one's marks stand next to the step's own work."""

    class Both(Watching):
        """Notes a step's begin too."""

        def on_step_begin(self, *_, **__):
            """See `TrainerCallback`."""
            self.seen.append((self.name, "begin"))

    seen = []
    one = relay([Both("outer", seen), Both("inner", seen)])
    one.on_step_begin(None, None, None)
    one.on_step_end(None, None, None, model="end")
    assert seen == [("outer", "begin"), ("inner", "begin"), ("inner", "end"), ("outer", "end")]


def test_nobody_to_be_told_is_a_callback_that_does_nothing():
    """Of no meters."""
    assert relay([]).on_step_begin(None, None, None) is None
