"""Models loaded with nothing said: plain and in 4 bits, with a head in the checkpoint and without, fp32 and fp16.

Each in 4 bits is then prepared and given an adapter with nothing said either, and asked for one
forward and backward. What comes out of each stage is a look at the model, or a crash.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import compat
from ..meters import model_map
from ..meters._probing import crash
from ..nouns import JSON

HEADS = (False, True)
DTYPES = ("float32", "float16")
FILES = ("config.json", "vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


def checkpoints(source: Path, work: Path) -> Iterator[tuple[str, Path]]:
    """Four checkpoints of `source`'s weights, by name: "no head, float32" and so on, written to `work`."""
    for head in HEADS:
        for dtype in DTYPES:
            name = f"{'head' if head else 'no head'}, {dtype}"
            yield name, write(source, work / name.replace(", ", "-").replace(" ", "-"), head=head, dtype=dtype)


def write(source: Path, folder: Path, *, head: bool, dtype: str) -> Path:
    """A checkpoint of a BERT classifier: `source`'s encoder, and a head where asked for."""
    import torch
    from safetensors.torch import load_file, save_file

    folder.mkdir(parents=True)
    for file in FILES:
        shutil.copy(source / file, folder / file)
    tensors = {name: t for name, t in load_file(source / "model.safetensors").items() if name.startswith("bert.")}
    if head:
        width = tensors["bert.pooler.dense.weight"].shape[0]
        tensors["classifier.weight"] = torch.linspace(-0.1, 0.1, 2 * width).view(2, width)
        tensors["classifier.bias"] = torch.zeros(2)
    cast = {name: t.to(getattr(torch, dtype)).contiguous() for name, t in tensors.items()}
    save_file(cast, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a model is after a stage."""

    map: Mapping[str, JSON]
    """See `describe`."""
    stored: str
    """See `stored`."""
    mode: str
    """See `model_map.mode`."""


Scenario = Mapping[str, Look | str]
"""Stage by stage what the model was then, or the words of a run or a crash."""


def maps(found: Mapping[str, Scenario]) -> dict[str, JSON]:
    """The maps of all stages by scenario and stage."""
    return {
        name: {stage: look.map if isinstance(look, Look) else look for stage, look in scenario.items()}
        for name, scenario in found.items()
    }


def loaded(found: Mapping[str, Scenario]) -> dict[str, JSON]:
    """What is stored after loading, by scenario; a crash where that crashed."""
    looks = {name: scenario["loaded"] for name, scenario in found.items()}
    return {name: look.stored if isinstance(look, Look) else look for name, look in looks.items()}


def modes(found: Mapping[str, Scenario]) -> dict[str, JSON]:
    """The mode after each stage that was reached and leaves a model, by scenario and stage; crashes are in `maps`."""
    return {
        name: {stage: look.mode for stage, look in scenario.items() if isinstance(look, Look)}
        for name, scenario in found.items()
    }


def run(folders: Mapping[str, Path], device: str) -> dict[str, Scenario]:
    """Every scenario by name."""
    found: dict[str, Scenario] = {}
    for name, folder in folders.items():
        found[f"{name}, plain"] = stages(plain(folder))
        found[f"{name}, 4 bits"] = stages(quantised(folder, device))
    return found


Stage = tuple[str, Callable[[Any], Any]]
"""A stage's name, and what makes of the model before it the model after it."""


def stages(steps: tuple[Stage, ...]) -> Scenario:
    """A look after each stage, or the crash that ended them."""
    model: Any = None
    found: dict[str, Look | str] = {}
    for name, step in steps:
        try:
            model = step(model)
            found[name] = model if isinstance(model, str) else look(model)
        except Exception as error:  # noqa: BLE001 - a crash is what this stack does by default
            found[name] = crash(error)
            return found
    return found


def look(model: Any) -> Look:
    """What a model is now."""
    return Look(map=describe(model), stored=stored(model), mode=model_map.mode(model))


def plain(folder: Path) -> tuple[Stage, ...]:
    """Loaded, and run."""
    return ("loaded", lambda _: load(folder)), ("run", forward_backward)


def quantised(folder: Path, device: str) -> tuple[Stage, ...]:
    """Loaded in 4 bits, prepared, given an adapter, and run."""
    return (
        ("loaded", lambda _: load_quantised(folder, device)),
        ("prepared", prepare),
        ("adapted", adapt),
        ("run", forward_backward),
    )


def load(folder: Path, **more: Any) -> Any:
    """The checkpoint as a classifier of two classes."""
    from transformers import AutoModelForSequenceClassification, set_seed

    set_seed(0)
    return AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2, **more)


def load_quantised(folder: Path, device: str) -> Any:
    """The same in 4 bits; only that, and the kind of them, is said."""
    from transformers import BitsAndBytesConfig

    config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")
    return careful(load(folder, quantization_config=config, device_map={"": device}))


def careful(model: Any) -> Any:
    """`model` without the CPU path that repacks weights in place (see `regimes.nf4`): no default of this is judged."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
    return model


def prepare(model: Any) -> Any:
    """Prepare as peft does."""
    from peft import prepare_model_for_kbit_training

    return prepare_model_for_kbit_training(model)


def adapt(model: Any) -> Any:
    """A LoRA of peft's making; only the task is said."""
    from peft import LoraConfig, get_peft_model

    return get_peft_model(model, LoraConfig(task_type="SEQ_CLS"))


def forward_backward(model: Any) -> str:
    """Run one example through; says so, or crashes."""
    import torch

    device = next(model.parameters()).device
    ids = torch.tensor([[2, 5, 6, 3]], device=device)
    model.train()
    model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=torch.tensor([1], device=device)).loss.backward()
    return "ran"


def stored(model: Any) -> str:
    """Bytes of parameters and buffers, and elements by dtype, as "72580 bytes: 18370 float16, 34816 uint8"."""
    elements = ", ".join(f"{count} {dtype}" for dtype, count in model_map.dtypes(model).items())
    return f"{model_map.nbytes(model)} bytes: {elements}"


def describe(model: Any) -> dict[str, JSON]:
    """Checkpointing, attention backend, and {module: class, dtype, whether it trains} in few words."""
    return {
        "checkpointing": compat.is_checkpointing(model),
        "attention": getattr(model.config, "_attn_implementation", None),
        "modules": {name: _words(module) for name, module in model.named_modules() if _own(module)},
    }


def _own(module: Any) -> list[Any]:
    return list(module.parameters(recurse=False))


def _words(module: Any) -> str:
    parameters = _own(module)
    state = getattr(parameters[0], "quant_state", None)
    kind = f" {state.quant_type}" if state is not None else ""
    trains = ", trains" if all(p.requires_grad for p in parameters) else ""
    return f"{type(module).__name__} {str(parameters[0].dtype).removeprefix('torch.')}{kind}{trains}"
