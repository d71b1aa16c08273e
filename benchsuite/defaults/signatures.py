"""Every default value of the functions and classes that a fine-tuning script calls without saying more.

Of a class that rewrites its arguments it is what an instance holds that was told nothing: releases
write one default now as `False`, now as `None` or a factory, and what takes effect stays as it was.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..meters._probing import crash
from ..meters.arguments import PLACES, plain
from ..nouns import JSON

ELSEWHERE = PLACES | {"peft_version"}
"""Defaults that say where to write or who wrote, not what is done; `stack.packages` has the versions."""


def table(work: str) -> dict[str, JSON]:
    """Defaults as they take effect by parameter, by name of what was asked; a crash where asking crashed.

    Args:
        work: A folder that `TrainingArguments` may be told to write to.
    """
    signatures = {name: _tried(_asked, get) for name, get in ASKED.items() if name not in MADE}
    return signatures | {f"{name}()": _tried(made, work) for name, made in MADE.items()}


def written() -> dict[str, JSON]:
    """Defaults as they are written in the signature of what `table` makes an instance of."""
    return {name: _tried(_asked, ASKED[name]) for name in MADE}


def _asked(get: Callable[[], Any]) -> JSON:
    return defaults(get())


def _tried(ask: Callable[[Any], JSON], argument: Any) -> JSON:
    try:
        return ask(argument)
    except Exception as error:  # noqa: BLE001 - a stack whose defaults crash is a finding
        return crash(error)


def defaults(what: Any) -> dict[str, JSON]:
    """Default value by parameter; parameters without one are left out."""
    found = {name: p.default for name, p in inspect.signature(what).parameters.items() if p.default is not p.empty}
    return {name: value(sub) for name, sub in (found | _factories(what)).items() if name not in ELSEWHERE}


def _factories(what: Any) -> dict[str, Any]:
    """What a dataclass's factories make, whose signature says no more than that there are some."""
    fields = dataclasses.fields(what) if dataclasses.is_dataclass(what) else ()
    made = {field.name: field.default_factory for field in fields if field.init}
    return {name: factory() for name, factory in made.items() if factory is not dataclasses.MISSING}


def value(thing: Any) -> JSON:
    """A default as data; what is no plain value is told by its name or text, without memory addresses."""
    if isinstance(thing, bool | int | float | str | None):
        return str(getattr(thing, "value", thing)) if isinstance(thing, str) else thing
    if isinstance(thing, list | tuple | set | frozenset | Mapping):
        return plain(thing)
    if inspect.isclass(thing) or inspect.isroutine(thing):
        return str(thing.__qualname__)
    return re.sub(r" at 0x[0-9a-f]+", "", str(thing))


def names(*tables: Mapping[str, JSON]) -> dict[str, JSON]:
    """The parameters' names by what was asked, in any of the tables."""
    found = {name: sub for table in tables for name, sub in table.items()}
    return {name: sorted(sub) if isinstance(sub, Mapping) else [] for name, sub in found.items()}


def _transformers(name: str) -> Callable[[], Any]:
    def get() -> Any:
        import transformers

        return getattr(transformers, name)

    return get


def _peft(name: str) -> Callable[[], Any]:
    def get() -> Any:
        import peft

        return getattr(peft, name)

    return get


def _from_pretrained() -> Any:
    from transformers import PreTrainedModel

    return PreTrainedModel.from_pretrained


def _adapter_from_pretrained() -> Any:
    from peft import PeftModel

    return PeftModel.from_pretrained


def _save_pretrained() -> Any:
    from transformers import PreTrainedModel

    return PreTrainedModel.save_pretrained


def _clip() -> Any:
    import torch

    return torch.nn.utils.clip_grad_norm_


def _adamw() -> Any:
    import torch

    return torch.optim.AdamW


def _linear4bit() -> Any:
    import bitsandbytes

    return bitsandbytes.nn.Linear4bit


def _quantise() -> Any:
    import bitsandbytes

    return bitsandbytes.functional.quantize_4bit


def _accelerator() -> Any:
    import accelerate

    return accelerate.Accelerator


ASKED: Mapping[str, Callable[[], Any]] = {
    "TrainingArguments": _transformers("TrainingArguments"),
    "Trainer": _transformers("Trainer"),
    "BitsAndBytesConfig": _transformers("BitsAndBytesConfig"),
    "DataCollatorWithPadding": _transformers("DataCollatorWithPadding"),
    "get_linear_schedule_with_warmup": _transformers("get_linear_schedule_with_warmup"),
    "from_pretrained": _from_pretrained,
    "save_pretrained": _save_pretrained,
    "LoraConfig": _peft("LoraConfig"),
    "get_peft_model": _peft("get_peft_model"),
    "prepare_model_for_kbit_training": _peft("prepare_model_for_kbit_training"),
    "PeftModel.from_pretrained": _adapter_from_pretrained,
    "AdamW": _adamw,
    "clip_grad_norm_": _clip,
    "Linear4bit": _linear4bit,
    "quantize_4bit": _quantise,
    "Accelerator": _accelerator,
}


def _training_arguments(work: str) -> JSON:
    from transformers import TrainingArguments

    return _held(TrainingArguments(output_dir=work))


def _lora(_: str) -> JSON:
    from peft import LoraConfig

    return _held(LoraConfig())


def _bitsandbytes(_: str) -> JSON:
    from transformers import BitsAndBytesConfig

    return _held(BitsAndBytesConfig(load_in_4bit=True))


def _held(made: Any) -> JSON:
    return {name: value(sub) for name, sub in sorted(made.to_dict().items()) if name not in ELSEWHERE}


MADE: Mapping[str, Callable[[str], JSON]] = {
    "TrainingArguments": _training_arguments,
    "LoraConfig": _lora,
    "BitsAndBytesConfig": _bitsandbytes,
}
