"""Faults of work on the host: in phases beside the training step, and by one call of C in one."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

from benchsuite.faults._fault import BOTH, QLORA, Around, after, fault, of, wrap

NAMES = 3000
"""Calls that a fault of a few milliseconds makes."""


@fault(
    "the rows are tokenised twice",
    libraries=("datasets", "transformers"), regimes=BOTH, seen_by=("count.python_calls.tokenise",),
    word="tokenising does more work in Python",
)  # fmt: skip
def tokenised_twice() -> None:
    """Once for nothing."""
    from datasets import Dataset

    wrap(Dataset, "map", twice)


@fault(
    "the rows are tokenised one by one",
    libraries=("datasets", "transformers"), regimes=BOTH, seen_by=("count.python_calls.tokenise",),
    word="tokenising does more work in Python",
)  # fmt: skip
def tokenised_one_by_one() -> None:
    """In batches of one row."""
    from datasets import Dataset

    wrap(Dataset, "map", lambda call, *args, **kwargs: call(*args, **{**kwargs, "batch_size": 1}))


@fault(
    "loading looks for patterns in all names, again and again",
    libraries=("transformers",), regimes=BOTH, seen_by=("count.python_calls.load",),
    word="loading the model does more work in Python", reduced=True,
)  # fmt: skip
def load_python_work() -> None:
    """Of every layer there might be."""
    from transformers import PreTrainedModel

    def look(model: Any) -> None:
        for _ in range(100):
            for name, _ in model.named_parameters():
                re.search(r"layer\.\d+", name)

    after(PreTrainedModel, "from_pretrained", look, on_result=True)


@fault(
    "the Trainer copies the model for a moment",
    libraries=("transformers", "accelerate"), regimes=BOTH, seen_by=("count.python_calls.prepare",),
    word="preparing the training does more work in Python",
)  # fmt: skip
def trainer_init_copies() -> None:
    """As it is made."""
    from transformers import Trainer

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        copy.deepcopy(kwargs.get("model"))
        return call(*args, **kwargs)

    wrap(Trainer, "__init__", around)


@fault(
    "evaluation goes through every batch in Python",
    libraries=("transformers",), regimes=BOTH, seen_by=("count.python_calls.evaluation",),
    word="an evaluation does more work in Python",
)  # fmt: skip
def eval_python_work() -> None:
    """Number by number."""
    from transformers import Trainer

    def touch(number: int) -> int:
        return number

    def work(_: Any) -> None:
        for number in range(NAMES):
            touch(number)

    after(Trainer, "prediction_step", work, on_result=True)


@fault(
    "every entry of the log is written out with all that came before it",
    libraries=("transformers",), regimes=BOTH, seen_by=("count.python_calls.log",),
    word="logging does more work in Python",
)  # fmt: skip
def log_python_work() -> None:
    """As JSON of a copy."""
    from transformers import Trainer

    def write(trainer: Any) -> None:
        json.dumps(copy.deepcopy(trainer.state.log_history))

    after(Trainer, "log", write, on_result=False)


@fault(
    "the model is saved twice",
    libraries=("transformers",), regimes=BOTH, seen_by=("count.python_calls.save",),
    word="saving the model does more work in Python",
)  # fmt: skip
def save_twice() -> None:
    """Into one folder."""
    from transformers import Trainer

    wrap(Trainer, "save_model", twice)


@fault(
    "an adapter is looked for in all names as it is read, again and again",
    libraries=("peft",), regimes=QLORA, seen_by=("count.python_calls.reload",),
    word="reloading the model does more work in Python",
)  # fmt: skip
def adapter_reload_python_work() -> None:
    """Among all modules."""
    from peft import peft_model

    def around(call: Around, model: Any, *args: Any, **kwargs: Any) -> Any:
        for _ in range(60):
            for name, _ in model.named_modules():
                re.search(r"(lora_[AB]|modules_to_save)", name)
        return call(model, *args, **kwargs)

    wrap(peft_model, "set_peft_model_state_dict", around)


@fault(
    "a tokenizer's file is read and written out word by word before it is loaded",
    libraries=("transformers", "tokenizers"), regimes=BOTH, seen_by=("count.python_calls.tokenizer",),
    word="loading the tokenizer does more work in Python",
)  # fmt: skip
def tokenizer_load_slow() -> None:
    """As JSON."""
    from transformers import AutoTokenizer

    def around(call: Around, cls: Any, folder: str, *args: Any, **kwargs: Any) -> Any:
        whole = json.loads((Path(folder) / "tokenizer.json").read_text(encoding="utf-8"))
        for word in whole["model"]["vocab"]:
            json.dumps(word)
        return call(cls, folder, *args, **kwargs)

    wrap(AutoTokenizer, "from_pretrained", around)


@fault(
    "every training step sorts a long list",
    libraries=("transformers", "accelerate"), regimes=BOTH, seen_by=("count.c_calls.step",), word="builtins.sorted",
)  # fmt: skip
def c_work_in_step() -> None:
    """In one call of C."""
    from transformers import Trainer

    numbers = list(range(10**6, 0, -1))

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        sorted(numbers)
        return call(*args, **kwargs)

    wrap(Trainer, "training_step", around)


def twice(call: Around, *args: Any, **kwargs: Any) -> Any:
    """Do it once for nothing."""
    call(*args, **kwargs)
    return call(*args, **kwargs)


FAULTS = of(vars())
