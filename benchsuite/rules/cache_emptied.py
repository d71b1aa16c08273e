"""The allocator's cache is emptied during training: every step allocates anew."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.rules._effects import TRAIN_TIME
from benchsuite.rules._looks import first

ARGUMENTS, OPTION = "trainer.arguments", "torch_empty_cache_steps"
RESERVED, PEAK = "vram.reserved.train", "vram.peak.train"


def find(seen: Evidence) -> Clue | None:
    """The Trainer is told to, or less is reserved for the same peak while a step takes longer."""
    moved = first(seen, ARGUMENTS)
    if moved and all(isinstance(side, Mapping) for side in moved[1:]) and moved[1].get(OPTION) != moved[2].get(OPTION):
        words = f"the allocator's cache is emptied in training: {OPTION} is {moved[2].get(OPTION)}"
        return Clue(words=f"{words}, was {moved[1].get(OPTION)}", parts=(ARGUMENTS,))
    reserved, slower = seen.number_moved(RESERVED), seen.like("time.step", "time.train")
    if reserved is None or reserved[1] >= reserved[0] or seen.moved(PEAK) or not slower:
        return None
    return Clue(words="less VRAM is reserved for the same peak: the allocator's cache is emptied in training")


RULE = Rule(
    name="cache_emptied",
    rank=41,
    find=find,
    effects={
        **TRAIN_TIME,
        "vram.reserved.*": -1,
        "count.python_calls.step": 1,
        "python_calls.*": 0,
        "count.c_calls.step": 1,
        "c_calls.*": 0,
        "count.cuda_calls.step": 1,
        "cuda_calls.*": 0,
    },
    packages=("transformers", "accelerate"),
)
