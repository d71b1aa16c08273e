"""A trial died of something that is known."""

from __future__ import annotations

import re

from benchsuite.evidence import Clue, Evidence, Rule

KNOWN = {
    r"signal 9\b": "the system killed the trial: memory ran out, or a limit was reached",
    r"out of memory": "the device's memory did not suffice: somebody else may hold some of it",
    r"AssertionError in (train|evaluate|reload)|quant_state": "a module is quantised that should not be, as a head "
    "that the skip list no longer covers",
    r"Target module .* is not supported": "an adapter meets a layer that it cannot wrap, as a quantised head",
    r"KeyError in reload|in reload: .*(size mismatch|lora_)": "the saved file lacks what reloading it asks for",
    r"modified by an inplace operation": "weights were repacked in place by an evaluation before training",
    r"(must|to) have the same dtype|expected scalar type": "modules compute in different dtypes: what one hands on "
    "the next does not take",
    r"training diverged": "training diverged: loss or gradients left the numbers",
    r"unexpected keyword argument|has no attribute|cannot import name": "a name that the suite calls is "
    "gone from a library",
}
"""What a problem says -> what is behind it."""


def find(seen: Evidence) -> Clue | None:
    """The problem of a failed trial matches a known one."""
    for trial in seen.failed:
        for pattern, words in KNOWN.items():
            if re.search(pattern, trial.problem):
                return Clue(words=words, parts=("trial",))
    return None


RULE = Rule(
    name="failed_trial", rank=5, find=find, packages=("transformers", "peft", "bitsandbytes", "torch", "accelerate")
)
