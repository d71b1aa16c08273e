"""Faults of the forward pass: attention, dropout, activations, norms."""

from __future__ import annotations

import math
from typing import Any

from benchsuite.faults._fault import BOTH, FP32, Around, after, fault, of, with_arguments, wrap

LOGITS = ("function.logits_*", "function.trained_bits")


def _attention(around: Around) -> None:
    import torch

    wrap(torch.nn.functional, "scaled_dot_product_attention", around)


@fault(
    "the attention mask is ignored: padding is attended to",
    listed="attention mask ignored", libraries=("transformers", "torch"), regimes=BOTH,
    seen_by=("function.padding_drift",), word="padd",
)  # fmt: skip
def attention_mask_ignored() -> None:
    """Drop it at the door of the attention function."""

    def around(call: Around, query: Any, key: Any, value: Any, attn_mask: Any = None, *args: Any, **kwargs: Any) -> Any:
        del attn_mask
        return call(query, key, value, None, *args, **kwargs)

    _attention(around)


@fault(
    "a call without an attention mask is answered otherwise",
    libraries=("transformers",), regimes=BOTH, seen_by=("function.maskless_drift",), word="without an attention mask",
)  # fmt: skip
def mask_needed() -> None:
    """Halve what the pooler says of it."""
    from transformers.models.bert.modeling_bert import BertModel

    def around(call: Around, model: Any, *args: Any, **kwargs: Any) -> Any:
        output = call(model, *args, **kwargs)
        mask = kwargs.get("attention_mask", *args[1:2])
        if mask is None and output.pooler_output is not None:
            output.pooler_output = output.pooler_output * 0.5
        return output

    wrap(BertModel, "forward", around)


@fault(
    "the mask is ignored for full-length inputs only",
    libraries=("torch", "transformers"), regimes=BOTH, seen_by=("function.exact",), word="as dealt",
)  # fmt: skip
def attention_mask_ignored_when_long() -> None:
    """Drop it where there are as many tokens as a batch may have under `tiny`."""
    longest = 32

    def around(call: Around, query: Any, key: Any, value: Any, attn_mask: Any = None, *args: Any, **kwargs: Any) -> Any:
        mask = None if key.shape[-2] == longest else attn_mask
        return call(query, key, value, mask, *args, **kwargs)

    _attention(around)


@fault(
    "positions count from one",
    libraries=("transformers",), regimes=BOTH, seen_by=("function.exact", *LOGITS), word="64 bits",
)  # fmt: skip
def positions_shifted() -> None:
    """Move them all by one."""
    from transformers.models.bert.modeling_bert import BertEmbeddings

    def around(call: Around, layer: Any, input_ids: Any = None, **kwargs: Any) -> Any:
        last = layer.position_ids.shape[-1] - 1
        kwargs["position_ids"] = (layer.position_ids[:, : input_ids.shape[1]] + 1).clamp(max=last)
        return call(layer, input_ids=input_ids, **kwargs)

    wrap(BertEmbeddings, "forward", around)


@fault(
    "dropout drops half as much as its modules say",
    libraries=("torch",), regimes=BOTH, seen_by=("model.dropout.drawn",), word="dropout is drawn",
)  # fmt: skip
def dropout_halved() -> None:
    """Halve the share in each call."""
    import torch

    def around(_: Around, layer: Any, inputs: Any) -> Any:
        return torch.nn.functional.dropout(inputs, layer.p / 2, layer.training)

    wrap(torch.nn.Dropout, "forward", around)


@fault(
    "attention runs as plain matrix products under the fast backend's name",
    listed="attention backend swapped", threads=("transformers#28802", "pytorch#175274"),
    libraries=("transformers", "torch"), regimes=BOTH, word="attention",
    seen_by=("model.attention*", "count.*", "vram.peak.*", "memory.saved_for_backward"),
)  # fmt: skip
def attention_eager() -> None:
    """Write the function out."""
    import torch

    def around(_: Around, query: Any, key: Any, value: Any, attn_mask: Any = None, **how: Any) -> Any:
        scores = query @ key.transpose(-2, -1) * (how.get("scale") or 1 / math.sqrt(query.shape[-1]))
        if attn_mask is not None:
            scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype is torch.bool else scores + attn_mask
        return torch.nn.functional.dropout(scores.softmax(-1), how.get("dropout_p", 0.0)) @ value

    _attention(around)


@fault(
    "attention weights are no longer dropped out",
    libraries=("transformers", "torch"), regimes=BOTH, word="dropout is drawn",
    seen_by=("model.dropout.drawn", "seeds.rng", "count.*", "function.logits_trained"),
)  # fmt: skip
def attention_dropout_lost() -> None:
    """Ask the attention function for none."""
    import torch

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        return call(*args, **{**kwargs, "dropout_p": 0.0})

    wrap(torch.nn.functional, "scaled_dot_product_attention", around)


@fault(
    "attention does not make up for the weights it drops",
    libraries=("torch",), regimes=BOTH, seen_by=("model.dropout.attention",), word="attention with dropout",
)  # fmt: skip
def attention_dropout_unscaled() -> None:
    """Take back what it multiplies by."""

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        return call(*args, **kwargs) * (1 - kwargs.get("dropout_p", 0.0))

    _attention(around)


@fault(
    "dropout goes on in evaluation",
    libraries=("torch", "transformers"), regimes=BOTH, seen_by=("function.repeat_drift",), word="evaluation",
)  # fmt: skip
def dropout_always() -> None:
    """Let every dropout train."""
    import torch

    wrap(torch.nn.Dropout, "forward", lambda _call, layer, inputs: torch.nn.functional.dropout(inputs, layer.p))


@fault(
    "eval() leaves the model in training mode",
    libraries=("torch", "transformers", "peft"), regimes=BOTH, seen_by=("function.repeat_drift",), word="evaluation",
)  # fmt: skip
def evaluation_in_training_mode() -> None:
    """Return the model as it is."""
    import torch
    from transformers import PreTrainedModel

    for owner in (torch.nn.Module, PreTrainedModel):
        wrap(owner, "eval", lambda _call, module: module)


@fault(
    "the LayerNorms' epsilon is torch's default, not the checkpoint's",
    libraries=("transformers",), regimes=BOTH, seen_by=("model.modules", *LOGITS), word="eps",
)  # fmt: skip
def layernorm_epsilon() -> None:
    """Set it after each is made."""
    import torch

    def turn(norm: Any) -> None:
        norm.eps = 1e-5

    after(torch.nn.LayerNorm, "__init__", turn, on_result=False)


@fault(
    "GELU is the tanh approximation",
    libraries=("transformers", "torch"), regimes=BOTH, seen_by=("function.activations", "function.exact", *LOGITS),
    word="GELUActivation",
)  # fmt: skip
def gelu_approximate() -> None:
    """Ask for it in every call."""
    import torch

    with_arguments(torch.nn.functional, "gelu", approximate="tanh")


@fault(
    "the pooler has no activation",
    libraries=("transformers",), regimes=BOTH, seen_by=("model.layers", "function.exact", *LOGITS), word="Tanh",
)  # fmt: skip
def pooler_activation_dropped() -> None:
    """Make it the identity."""
    import torch
    from transformers.models.bert.modeling_bert import BertPooler

    def turn(pooler: Any) -> None:
        pooler.activation = torch.nn.Identity()

    after(BertPooler, "__init__", turn, on_result=False)


@fault(
    "gradient checkpointing is on without anybody's asking",
    listed="gradient checkpointing switched on", threads=("peft#1142",), libraries=("peft", "transformers"),
    regimes=("fp32", "qlora-nogc"), seen_by=("model.checkpointing", "memory.saved_for_backward", "count.*"),
    word="checkpoint",
)  # fmt: skip
def checkpointing_on() -> None:
    """Switch it on in every model that a Trainer gets."""
    from transformers import Trainer

    from benchsuite.compat import enable_checkpointing

    after(Trainer, "__init__", lambda trainer: enable_checkpointing(trainer.model, reentrant=False), on_result=False)


@fault(
    "the float32 weights are saved in half precision",
    libraries=("transformers", "accelerate"), regimes=FP32, seen_by=("saved.tensors",), word="F16",
)  # fmt: skip
def saved_in_half() -> None:
    """Turn the model before it is written."""
    from transformers import PreTrainedModel

    def around(call: Around, model: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("state_dict", None)
        return call(model.half(), *args, **kwargs)

    wrap(PreTrainedModel, "save_pretrained", around)


FAULTS = of(vars())
