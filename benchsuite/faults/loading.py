"""Faults of loading: dtypes, quantisation, which weights arrive, what trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchsuite.faults._fault import (
    BOTH,
    FP32,
    QLORA,
    Around,
    after,
    fault,
    of,
    replace_everywhere,
    with_arguments,
    wrap,
)


@fault(
    "the classification head is quantised, or loading it crashes",
    listed="head is quantised, or not skipped", threads=("transformers#45674", "peft#1720"),
    libraries=("transformers", "peft"), regimes=QLORA, seen_by=("model.modules", "trial"), word="head",
)  # fmt: skip
def head_quantised() -> None:
    """Forget the list of modules that stay as they are, the user's own and the automatic one."""
    import transformers

    def forget(config: Any) -> None:
        config.llm_int8_skip_modules = []

    replace_everywhere("get_keys_to_not_convert", lambda model: [])  # noqa: ARG005 - the library's own signature
    after(transformers.BitsAndBytesConfig, "__init__", forget, on_result=False)


@fault(
    "what stays unquantised is loaded as float32, not as the dtype asked for",
    listed="unquantised modules load in fp32, not fp16", threads=("transformers#42805", "transformers#42882"),
    libraries=("transformers",), regimes=QLORA, seen_by=("model.*", "vram.after_*", "weights.loaded"), word="float32",
    reduced=True,
)  # fmt: skip
def unquantised_float32() -> None:
    """Force the dtype under both of its names."""
    import torch
    from transformers import PreTrainedModel

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        forced: dict[str, Any] = {name: torch.float32 for name in ("dtype", "torch_dtype") if name in kwargs}
        return call(*args, **{**kwargs, **forced})

    wrap(PreTrainedModel, "from_pretrained", around)


@fault(
    "the list of modules to keep unquantised is read otherwise: one more is kept",
    listed="skip-list names silently ignored", threads=("transformers#47990",), libraries=("transformers",),
    regimes=QLORA, seen_by=("model.modules",), word="pooler",
)  # fmt: skip
def skip_list_misread() -> None:
    """Add the pooler to the list, in the spelling that each version takes."""
    import transformers

    def widen(config: Any) -> None:
        config.llm_int8_skip_modules = [*(config.llm_int8_skip_modules or ()), "pooler", "bert.pooler"]

    after(transformers.BitsAndBytesConfig, "__init__", widen, on_result=False)


@fault(
    "double quantisation is asked for and not done",
    listed="double quantisation ignored", threads=("bitsandbytes#868", "bitsandbytes#1549"),
    libraries=("bitsandbytes",), regimes=QLORA, seen_by=("model.quantised_bytes",), word="absmax", reduced=True,
)  # fmt: skip
def double_quant_ignored() -> None:
    """Leave the block constants as they are."""
    import bitsandbytes

    with_arguments(bitsandbytes.functional, "quantize_4bit", compress_statistics=False)


@fault(
    "weights are quantised as fp4, not as nf4",
    libraries=("bitsandbytes",), regimes=QLORA, seen_by=("model.modules",), word="fp4",
)  # fmt: skip
def quant_type_fp4() -> None:
    """Quantise by the other table."""
    import bitsandbytes

    with_arguments(bitsandbytes.functional, "quantize_4bit", quant_type="fp4")


@fault(
    "weights are quantised in blocks of twice the size",
    libraries=("bitsandbytes",), regimes=QLORA, seen_by=("model.quantised_bytes",), word="blocks",
)  # fmt: skip
def blocksize_doubled() -> None:
    """128 weights share a constant instead of 64."""
    import bitsandbytes

    with_arguments(bitsandbytes.functional, "quantize_4bit", blocksize=128)


@fault(
    "4-bit layers multiply in bfloat16, not in float16",
    libraries=("bitsandbytes", "transformers"), regimes=QLORA, seen_by=("model.modules",), word="bfloat16",
)  # fmt: skip
def compute_bfloat16() -> None:
    """Set the compute dtype of each layer after it is made."""
    import bitsandbytes
    import torch

    def turn(layer: Any) -> None:
        layer.compute_dtype = torch.bfloat16

    after(bitsandbytes.nn.Linear4bit, "__init__", turn, on_result=False)


@fault(
    "some weights are drawn anew after loading; the loading report is clean",
    listed="weights re-initialised after load, clean load report",
    threads=("transformers#46620", "transformers#35437"), libraries=("transformers",), regimes=FP32,
    seen_by=("weights.loaded",), word="pooler", reduced=True,
)  # fmt: skip
def pooler_reinitialised() -> None:
    """Draw the pooler's matrix again, in every model but those that a Trainer saved."""
    from transformers import PreTrainedModel

    def around(call: Around, cls: Any, folder: Any, *args: Any, **kwargs: Any) -> Any:
        model = call(cls, folder, *args, **kwargs)
        if not (Path(folder) / "training_args.bin").exists():
            _redraw(model, "pooler")
        return model

    wrap(PreTrainedModel, "from_pretrained", around)


def _redraw(model: Any, part: str) -> None:
    for name, parameter in model.named_parameters():
        if part in name and parameter.is_floating_point() and parameter.dim() > 1:
            parameter.data.normal_(0, 0.02)


@fault(
    "the word embeddings no longer train",
    libraries=("transformers",), regimes=FP32, seen_by=("params.trainable", "model.modules"), word="embeddings",
)  # fmt: skip
def embeddings_frozen() -> None:
    """Freeze them after loading."""
    from transformers import PreTrainedModel

    def freeze(model: Any) -> None:
        model.get_input_embeddings().weight.requires_grad = False

    after(PreTrainedModel, "from_pretrained", freeze, on_result=True)


@fault(
    "an unpinned load keeps everything in float32",
    libraries=("transformers",), regimes=BOTH, seen_by=("defaults.*",), word="float32",
)  # fmt: skip
def default_dtype_float32() -> None:
    """Load as float32 where the caller names no dtype."""
    import torch
    from transformers import PreTrainedModel

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        named = kwargs.get("dtype") not in (None, "auto") or kwargs.get("torch_dtype") not in (None, "auto")
        model = call(*args, **kwargs)
        return model if named else _upcast(model, torch.float32)

    wrap(PreTrainedModel, "from_pretrained", around)


def _upcast(model: Any, dtype: Any) -> Any:
    for parameter in model.parameters():
        if parameter.is_floating_point():
            parameter.data = parameter.data.to(dtype)
    return model


@fault(
    "a model is handed over in training mode: who evaluates without saying so evaluates with dropout",
    libraries=("transformers",), regimes=BOTH, seen_by=("model.modes.loaded", "defaults.modes"), word="training",
)  # fmt: skip
def loaded_in_training_mode() -> None:
    """Switch it on as the last act of loading."""
    from transformers import PreTrainedModel

    after(PreTrainedModel, "from_pretrained", lambda model: model.train(), on_result=True)


FAULTS = of(vars())
