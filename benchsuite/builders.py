"""Builds tokenizers, data sets, models and Trainers from a plan: the same for the worker and for fixtures.

torch, transformers and peft are imported inside the functions; nothing here measures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from . import architecture, compat
from .collating import Collator
from .nouns import JSON, Plan, Setting, Split, SuiteError, Transform
from .plans import total_steps, warmup_steps
from .scene import Scene


def load_tokenizer(folder: str, setting: Setting) -> Any:
    """The checkpoint's fast tokenizer, with the model spec's pad token where the checkpoint has none."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, trust_remote_code=False)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = setting.model.pad_token or tokenizer.eos_token
    if tokenizer.pad_token is None:
        raise SuiteError(
            f"the tokenizer of {setting.model.id} has neither a pad token nor one for the end of a text. "
            + architecture.line(setting.model, "pad_token", tokenizer.unk_token or "[PAD]")
        )
    return tokenizer


def tokenise(tokenizer: Any, split: Split, plan: Plan) -> Any:
    """A `datasets.Dataset` with input_ids, attention_mask, (token_type_ids) and labels, in the split's order."""
    import datasets

    raw = datasets.Dataset.from_dict({"text": list(split.texts), "labels": list(split.labels)})
    padding = "max_length" if plan.padding == "fixed" else "do_not_pad"
    encode = partial(_encode, tokenizer, padding, plan.max_length)
    quiet = datasets.utils.logging.is_progress_bar_enabled()
    datasets.utils.logging.disable_progress_bar()
    try:
        return raw.map(encode, batched=True, remove_columns=["text"], new_fingerprint="benchsuite")
    finally:
        if quiet:
            datasets.utils.logging.enable_progress_bar()


def _encode(tokenizer: Any, padding: str, max_length: int, rows: Mapping[str, list[str]]) -> Any:
    return tokenizer(rows["text"], padding=padding, truncation=True, max_length=max_length)


def resolve(setting: Setting, folder: str, *, quantised: bool, adapted: bool) -> Setting:
    """Fill in what the model spec leaves to the architecture: the head is what stands beside the base model.

    Args:
        setting: The case's setting.
        folder: The checkpoint's.
        quantised: Whether the head must be named, to be kept out of quantisation.
        adapted: Whether layers must be known that adapters go to.

    Raises:
        SuiteError: the architecture tells neither; names the line of configuration that does.
    """
    model = setting.model
    if (model.unquantised or not quantised) and (model.lora_targets or not adapted):
        return setting
    shape = architecture.shape(folder, model)
    if adapted and not model.lora_targets:
        architecture.check_targets(shape, model)
    return replace(setting, model=replace(model, unquantised=model.unquantised or architecture.heads(shape, model)))


def load_model(
    folder: str, *, plan: Plan, setting: Setting, transforms: Iterable[Transform], labels: Sequence[str], device: str
) -> Any:
    """The checkpoint in `folder` as a sequence classifier on `device`, as the plan says.

    The seed is set first: a head that the checkpoint lacks is drawn here.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, BitsAndBytesConfig, set_seed

    set_seed(setting.seed)
    kwargs: dict[str, Any] = {
        "num_labels": len(labels),
        "use_safetensors": True,
        "trust_remote_code": False,
        "attn_implementation": "sdpa",
        **compat.dtype_argument(getattr(torch, plan.dtype)),
    }
    if plan.quantisation:
        config = {k: _torch_value(k, v) for k, v in plan.quantisation.items()}
        kwargs["quantization_config"] = BitsAndBytesConfig(**config)
        kwargs["device_map"] = {"": device}
    model = AutoModelForSequenceClassification.from_pretrained(folder, **kwargs)
    config = model.config.get_text_config()
    if config.pad_token_id is None:
        # A decoder looks for a text's last token by it, and refuses batches without.
        config.pad_token_id = load_tokenizer(folder, setting).pad_token_id
    if not plan.quantisation:
        model = model.to(device)
    for transform in transforms:
        model = transform.loaded(model, setting)
    return model


def _torch_value(name: str, value: JSON) -> Any:
    import torch

    return getattr(torch, value) if name.endswith("dtype") else value


def prepare_model(model: Any, *, setting: Setting, transforms: Iterable[Transform]) -> Any:
    """A loaded model made ready for training. The seed is set first: adapters are drawn here."""
    from transformers import set_seed

    set_seed(setting.seed)
    for transform in transforms:
        try:
            model = transform.prepare(model, setting)
        except ValueError as error:
            advice = architecture.targets_line(model, setting.model) if transform.adapter else ""
            raise SuiteError(
                f"{type(transform).__name__} cannot prepare {setting.model.id}: {str(error).rstrip('.')}. {advice}"
            ) from error
    return model


def restore_model(model: Any, folder: str, *, setting: Setting, transforms: Iterable[Transform]) -> Any:
    """A freshly loaded base with the adapter of `folder` on it."""
    for transform in transforms:
        if transform.adapter:
            model = transform.restore(model, folder, setting)
    return model


def make_trainer(scene: Scene, callbacks: Sequence[Any], *, looked_into: bool = False, **overrides: Any) -> Any:
    """A Trainer for the scene's model and rows; `overrides` are further `TrainingArguments`.

    One that is looked into runs every step in Python, whatever its transforms would make of it.
    """
    from transformers import Trainer

    kind = Trainer
    for transform in scene.transforms:
        if not (looked_into and transform.sealed):
            kind = transform.trainer(kind, scene.setting)
    return kind(
        model=scene.model,
        args=training_arguments(scene, **overrides),
        train_dataset=scene.rows["train"],
        eval_dataset=scene.rows["validation"],
        data_collator=collator(scene),
        processing_class=scene.tokenizer,
        compute_metrics=accuracy,
        callbacks=list(callbacks),
    )


def collator(scene: Scene) -> Any:
    """What puts rows together into a batch, as the plan pads them."""
    from transformers import DataCollatorWithPadding, default_data_collator

    if scene.plan.widths:
        return Collator.of(scene.tokenizer, scene.plan.widths)
    return default_data_collator if scene.plan.padding == "fixed" else DataCollatorWithPadding(scene.tokenizer)


def training_arguments(scene: Scene, **overrides: Any) -> Any:
    """`TrainingArguments` of the scene's plan, with warm-up as whole steps."""
    from transformers import TrainingArguments

    fields: dict[str, Any] = {**scene.plan.arguments, **overrides}
    steps = total_steps(scene.case.profile, len(scene.rows["train"]))
    fields["warmup_steps"] = warmup_steps(float(fields.pop("warmup_share", 0.0)), steps)
    return TrainingArguments(output_dir=f"{scene.work}/trainer", use_cpu=scene.device == "cpu", **fields)


def accuracy(predicted: Any) -> dict[str, float]:
    """Share of rows whose largest logit is their label."""
    logits, labels = predicted
    return {"accuracy": float((logits.argmax(-1) == labels).mean())}
