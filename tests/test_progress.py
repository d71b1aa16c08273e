"""Progress: a live line where the terminal is one, one line a trial elsewhere, whatever a model is called."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from benchsuite import progress


def written(events: list[dict[str, Any]], label: str = "fp32 tiny", *, terminal: bool) -> str:
    """What is written while a trial tells these events."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=80, soft_wrap=True)
    with progress.shown(console, label) as tell:
        for event in events:
            tell(event)
    return file.getvalue()


def test_one_line_a_trial_where_there_is_no_terminal() -> None:
    """A log holds the label and the seconds, and no control codes."""
    text = written([{"phase": "train"}, {"step": 1, "of": 2}], terminal=False)
    assert text.startswith("fp32 tiny: ")
    assert text.endswith(" s\n")
    assert text.count("\n") == 1
    assert "\x1b" not in text


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("label", ["fp32 (model[/bold])", "x [red] y", "[/]"])
def test_a_name_is_no_markup(label: str, terminal: bool) -> None:
    """Brackets in a model's name are shown, and break nothing."""
    assert f"{label}: " in written([{"phase": "[/train]"}], label, terminal=terminal)


def test_the_last_words_stay_where_an_event_says_nothing() -> None:
    """An event of another kind changes nothing, and nothing piles up."""
    told: list[str] = []
    tell = progress._teller(told.append, "label")
    for event in ({"other": 1}, {"phase": "train"}, {"other": 1}, {"error": "x"}, {"step": 3, "of": 9}):
        tell(event)
    assert told == ["label", "label: train", "label: train", "label: train", "label: train, step 3 of 9"]


def test_a_trial_that_raises_is_not_told_as_done() -> None:
    """The seconds are those of a trial that ended."""
    file = io.StringIO()
    with pytest.raises(RuntimeError, match="died"), progress.shown(Console(file=file), "label"):
        raise RuntimeError("died")
    assert file.getvalue() == ""


@pytest.mark.parametrize(
    ("event", "before", "words"),
    [
        ({"phase": "load"}, "", "load"),
        ({"step": 10, "of": 200}, "train", "train, step 10 of 200"),
        ({"case": "x", "phase": "save"}, "train", "save"),
        ({}, "train", "train"),
    ],
)
def test_events_in_words(event: dict[str, Any], before: str, words: str) -> None:
    """Phases and steps."""
    assert progress.describe(event, before) == words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (24.4, "24 s"),
        (89, "89 s"),
        (90, "2 min"),
        (600, "10 min"),
        (5399, "90 min"),
        (5400, "1.5 h"),
        (36000, "10.0 h"),
    ],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    """Seconds, then minutes, then hours."""
    assert progress.duration(seconds) == text
