"""What a model's architecture tells of its head and its layers; where it tells nothing, the line that does.

Looks at modules and their names; builds a model without storage, and loads no weights.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from .nouns import Model, SuiteError

ATTENTION = re.compile(r"w?qkv|q|v|query|value|(q|v|qkv|query|value)_(proj|lin)|query_key_value", re.IGNORECASE)
"""Names of the layers that adapters usually go to: queries and values."""


def shape(folder: str, model: Model) -> Any:
    """The checkpoint's classifier with modules and names, and no storage.

    Raises:
        SuiteError: the architecture has no classifier of texts.
    """
    from accelerate import init_empty_weights
    from transformers import AutoConfig, AutoModelForSequenceClassification

    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    try:
        with init_empty_weights():
            return AutoModelForSequenceClassification.from_config(config)
    except ValueError as error:
        raise SuiteError(
            f"{model.id} is of the architecture {config.model_type!r}, which has no sequence classifier in this "
            "transformers. Choose a model that AutoModelForSequenceClassification can load."
        ) from error


def heads(shape: Any, model: Model) -> tuple[str, ...]:
    """Names of the modules beside the base model that hold parameters.

    Raises:
        SuiteError: the base model cannot be told from its head.
    """
    children = [name for name, module in shape.named_children() if any(True for _ in module.parameters())]
    found = tuple(name for name in children if name != shape.base_model_prefix)
    if not found or len(found) == len(children):
        raise SuiteError(
            f"which of {model.id}'s modules is its head cannot be told: it has {', '.join(children) or 'none'}, "
            f"and none beside a base model called {shape.base_model_prefix!r}. "
            + line(model, "unquantised", found[-1:] or ["classifier"])
        )
    return found


def check_targets(shape: Any, model: Model) -> None:
    """See that peft knows by itself to which layers of this architecture adapters go.

    Raises:
        SuiteError: it does not.
    """
    from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as KNOWN

    kind = shape.config.model_type
    if not KNOWN.get(kind):
        raise SuiteError(
            f"peft does not know to which layers of {model.id}, of the architecture {kind!r}, adapters go. "
            + targets_line(shape, model)
        )


def targets_line(shape: Any, model: Model) -> str:
    """The line that names layers for adapters, with those of the model that are likeliest."""
    names = linears(shape)
    likely = [name for name in names if ATTENTION.fullmatch(name)]
    return f"{line(model, 'lora_targets', likely or names)} Its linear layers: {', '.join(names) or 'none'}."


def linears(shape: Any) -> list[str]:
    """Last parts of the names of the base model's linear layers, once each, sorted."""
    base = getattr(shape, shape.base_model_prefix, shape)
    return sorted(
        {name.rpartition(".")[2] for name, module in base.named_modules() if "Linear" in type(module).__name__}
    )


def line(model: Model, key: str, value: str | Sequence[str]) -> str:
    """What to write into pyproject.toml, in one sentence."""
    told = json.dumps(value if isinstance(value, str) else list(value))
    return (
        f"Add to pyproject.toml, under [[tool.benchsuite.case]] with model = {json.dumps(model.id)} (its folder, if it "
        f"has one), the line: {key} = {told}."
    )
