"""What the Trainer counts in its log is not what was done: steps, epochs, rates and operations."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._looks import first, number, some

COUNTS, OPERATIONS = "trainer.log.counts", "trainer.log.operations"
FIGURES = {
    "step": ("the logged step number (step)", "the steps done"),
    "epoch": ("the logged epoch (epoch)", "the epochs done"),
    "train_samples_per_second": ("train_samples_per_second x train_runtime", "the rows trained on"),
    "train_steps_per_second": ("train_steps_per_second x train_runtime", "the steps done"),
    "eval_samples_per_second": ("eval_samples_per_second x eval_runtime", "the rows evaluated"),
    "eval_steps_per_second": ("eval_steps_per_second x eval_runtime", "the batches evaluated"),
    "total_flos": ("the logged number of operations (total_flos)", "the sum over the steps' batches"),
}


def find(seen: Evidence) -> Clue | None:
    """A count's share moved, or is no longer told."""
    found = [moved for metric in (COUNTS, OPERATIONS) if (moved := first(seen, metric))]
    told = [words for _, old, new in found for words in _told(old, new)]
    return Clue(words=some(told, 3), parts=tuple(metric for metric, _, _ in found)) if told else None


def _told(old: JSON, new: JSON) -> Iterator[str]:
    for key, (subject, what) in FIGURES.items():
        was, now = number(old, key), number(new, key)
        if now is None and was is not None:
            yield f"{subject} is not told, or means nothing"
        elif now is not None and now != was:
            yield f"{subject} is {now:.3g} times {what}" + ("" if was in {None, 1.0} else f" (was {was:.3g})")


RULE = Rule(
    name="logged_counts",
    rank=28,
    find=find,
    effects={},
    packages=("transformers", "accelerate"),
)
