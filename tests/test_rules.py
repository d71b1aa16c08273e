"""Each rule on a small pair of records: what it says, of which metrics, and that it is silent elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from explaining import CASE, judged, side, told
from judging import gpu_record

from benchsuite.evidence import Rule, evidence
from benchsuite.nouns import Status
from benchsuite.registry import metrics, rules
from benchsuite.rules._multiples import times

Parts = Mapping[str, Any]
MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class Example:
    """One rule's cause planted."""

    rule: str
    old: Parts
    new: Parts
    says: str
    """The cause's beginning."""
    of: tuple[str, ...]
    """Metrics that have it as their first cause."""

    def __str__(self) -> str:
        """The test's id."""
        return self.rule


def module(kind="Linear", dtype="float16", *, trains=False, **more):
    """A module map's entry."""
    return {"class": kind, "dtype": dtype, "trains": trains, **more}


def packed(**more):
    """A quantised module's entry."""
    return module("Linear4bit", "uint8", quant="nf4", compute="float16", **more)


SAME_TOKENS = {"texts": 14, "other_ids": 0, "differs": {}}
QUERY, HEAD, NORM = "bert.encoder.layer.0.attention.self.query", "classifier", "bert.embeddings.LayerNorm"
ADAPTER = f"{QUERY}.lora_A.default"
MAP = {
    QUERY: packed(),
    NORM: module("LayerNorm"),
    HEAD: module(trains=True),
    ADAPTER: module(trains=True, scaling={"default": 2.0}),
    "drop": {"class": "Dropout", "dropout": 0.1},
}
GROUPS = {
    "class": "AdamW",
    "groups": [
        {"tensors": 24, "lr": 1e-3, "weight_decay": 0.01, "fused": None, "eps": 1e-8},
        {"tensors": 15, "lr": 1e-3, "weight_decay": 0.0, "fused": None, "eps": 1e-8},
    ],
}
LR = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
DIGESTS = {"train": {"input_ids": "0123456789abcdef", "labels": "fedcba9876543210"}}
OTHER = "f" * 16
STOOD = "where it stood a step before"
SIZES = {"optimizer.backward.exact": {"all": [2.0], "a": [0.8, 0.4], "b": [0.6, -0.2], "c": [1e-13, 0.0]}}
"""Gradients by norm and direction."""
SOUND = {"parts": None, "left_out": 0, "again": 0, "other_labels": 0, "unknown": 0}
FED = {"epoch 1": {"content": DIGESTS["train"], **SOUND}, "epoch 2": {"content": {"input_ids": OTHER}, **SOUND}}
LOG = dict.fromkeys(("loss", "learning_rate", "train_loss", "grad_norm", "eval_loss"), 1.0)
COUNTS = dict.fromkeys(("step", "epoch", "train_steps_per_second"), 1.0)
LOADED = {"tensors": 39, "differing": [], "missing": [], "not_in_file": []}
THROUGH = {"tensors": 2, "not_as_trained": [], "not_as_saved": []}
SLOW = {"device.kernel_time.step": 0.0138}
FAST = {"device.kernel_time.step": 0.0096}


def groups(**more):
    """The optimizer's groups with the first one's settings replaced."""
    first, second = GROUPS["groups"]
    return {"class": "AdamW", "groups": [first | more, second]}


def modules(**more):
    """The map with entries replaced; two underscores are a dot."""
    return MAP | {name.replace("__", "."): entry for name, entry in more.items()}


def built(stage: str = "loaded", **entries: str):
    """`defaults.modules` of one scenario at one stage."""
    return {"head, float16, 4 bits": {stage: {"checkpointing": False, "modules": entries}}}


EXAMPLES = (
    Example(
        rule="unquantised_dtype",
        old={"model.modules": MAP, "model.dtypes": {"uint8": 9, "float16": 24_000_000}, "vram.after_load": 90 * MIB},
        new={
            "model.modules": MAP | {NORM: module("LayerNorm", "float32"), HEAD: module(dtype="float32", trains=True)},
            "model.dtypes": {"uint8": 9, "float32": 24_000_000},
            "vram.after_load": 136 * MIB,
        },
        says="24.0 M elements of unquantised modules are float32, were float16 (LayerNorm, classifier)",
        of=("model.modules", "model.dtypes", "vram.after_load"),
    ),
    Example(
        rule="unquantised_dtype",
        old={"model.dtypes.loaded": {"uint8": 9, "float16": 5000}},
        new={"model.dtypes.loaded": {"uint8": 9, "float32": 5000}},
        says="5,000 elements of unquantised modules are float32, were float16",
        of=("model.dtypes.loaded",),
    ),
    Example(
        rule="unquantised_dtype",
        old={"defaults.modules": built(classifier="Linear float16, trains", query="Linear4bit uint8 nf4")},
        new={"defaults.modules": built(classifier="Linear float32, trains", query="Linear4bit uint8 nf4")},
        says="with nothing pinned (head, float16, 4 bits, loaded), 1 unquantised modules are float32, were float16",
        of=("defaults.modules",),
    ),
    Example(
        rule="quantised_set",
        old={"model.modules": MAP, "params.trainable": 99, "function.logits_init": [0.0, 1.0]},
        new={"model.modules": MAP | {HEAD: packed()}, "params.trainable": 9, "function.logits_init": [0.5, 1.0]},
        says="the head (classifier) is quantised, was not",
        of=("model.modules", "params.trainable", "function.logits_init"),
    ),
    Example(
        rule="quantised_set",
        old={"model.modules": MAP | {"bert.pooler.dense": module()}},
        new={"model.modules": MAP | {"bert.pooler.dense": packed()}},
        says="bert.pooler.dense is quantised, was not: a skip list that names it is not honoured",
        of=("model.modules",),
    ),
    Example(
        rule="quantised_set",
        old={"defaults.modules": built(classifier="Linear float32, trains")},
        new={"defaults.modules": built(classifier="Linear4bit uint8 nf4")},
        says="with nothing pinned (head, float16, 4 bits, loaded), the head (classifier) is quantised, was not",
        of=("defaults.modules",),
    ),
    Example(
        rule="quantisation_format",
        old={"model.modules": MAP} | FAST,
        new={"model.modules": MAP | {QUERY: packed() | {"compute": "float32"}}} | SLOW,
        says="1 quantised modules are computing in float32, were float16",
        of=("model.modules", "device.kernel_time.step"),
    ),
    Example(
        rule="double_quantisation",
        old={"model.quantised_bytes": {"absmax": MIB, "nested": 16_384}, "vram.after_load": 90 * MIB},
        new={"model.quantised_bytes": {"absmax": 4 * MIB, "nested": 0}, "vram.after_load": 93 * MIB},
        says="double quantisation is off, was on: absmax 1.00 MB -> 4.00 MB, nested 16.0 kB -> 0 B",
        of=("model.quantised_bytes", "vram.after_load"),
    ),
    Example(
        rule="trainable_set",
        old={"model.modules": MAP, "params.trainable": 99},
        new={"model.modules": MAP | {HEAD: module()}, "params.trainable": 90},
        says="the head (classifier) is no longer trained",
        of=("model.modules", "params.trainable"),
    ),
    Example(
        rule="adapter",
        old={"model.modules": MAP},
        new={"model.modules": MAP | {"drop": {"class": "Dropout", "dropout": 0.0}}},
        says="dropout of 1 modules is 0.0, was 0.1",
        of=("model.modules",),
    ),
    Example(
        rule="module_classes",
        old={"model.modules": MAP, "params.total": 10},
        new={"model.modules": MAP | {"bert.extra": module()}, "params.total": 12},
        says="1 modules are new (bert.extra)",
        of=("model.modules", "params.total"),
    ),
    Example(
        rule="checkpointing",
        old={"model.checkpointing": 0, "vram.peak.train": 1218 * MIB, "memory.saved_for_backward": 9 * MIB} | FAST,
        new={"model.checkpointing": 1, "vram.peak.train": 431 * MIB, "memory.saved_for_backward": MIB} | SLOW,
        says="gradient checkpointing is on, was off",
        of=("model.checkpointing", "vram.peak.train", "memory.saved_for_backward", "device.kernel_time.step"),
    ),
    Example(
        rule="checkpointing",
        old={"defaults.checkpointing": {"prepared": True}},
        new={"defaults.checkpointing": {"prepared": False}},
        says="with nothing pinned, gradient checkpointing is not what it was",
        of=("defaults.checkpointing",),
    ),
    Example(
        rule="checkpointing",
        old={"model.checkpointing.layers": 12, "memory.saved_for_backward": MIB},
        new={"model.checkpointing.layers": 6, "memory.saved_for_backward": 5 * MIB},
        says="gradient checkpoints are made by 6 layers, were by 12",
        of=("model.checkpointing.layers", "memory.saved_for_backward"),
    ),
    Example(
        rule="attention",
        old={"kernels.by_name": {"fmha_cutlassF_f32": 12, "gemm": 9}, "vram.peak.train": 1370 * MIB},
        new={"kernels.by_name": {"softmax": 12, "gemm": 33}, "vram.peak.train": 2124 * MIB},
        says="attention is computed by another backend (fmha_cutlassF_f32 is gone)",
        of=("kernels.by_name", "vram.peak.train"),
    ),
    Example(
        rule="attention",
        old={"model.attention": "sdpa", "count.operators.step": 700},
        new={"model.attention": "eager", "count.operators.step": 790},
        says="attention is eager, was sdpa",
        of=("model.attention", "count.operators.step"),
    ),
    Example(
        rule="precision_flags",
        old={"model.precision_flags": {"float32_matmul_precision": "highest"}} | SLOW,
        new={"model.precision_flags": {"float32_matmul_precision": "high"}} | FAST,
        says="precision flags of torch: float32_matmul_precision highest -> high",
        of=("model.precision_flags", "device.kernel_time.step"),
    ),
    Example(
        rule="process",
        old={"trainer.process": {"threads": ["a"], "collects": True}, "time.host.step": 0.01},
        new={"trainer.process": {"threads": ["a", "poll"], "collects": False}, "time.host.step": 0.02},
        says="training leaves the process otherwise: threads run on that did not: poll; garbage collection is on: true "
        "-> false",
        of=("trainer.process", "time.host.step"),
    ),
    Example(
        rule="unasked_files",
        old={"saved.unasked": {}, "saved.packed": {"training_args.bin": 0}},
        new={"saved.unasked": {"checkpoint-200": 9}, "saved.packed": {"training_args.bin": 5 * MIB}},
        says="training leaves checkpoint-200 (9 files) that nobody asked for, training_args.bin, packed, has 5.00 MB",
        of=("saved.unasked", "saved.packed"),
    ),
    Example(
        rule="threads",
        old={"model.threads": "as torch started"} | SLOW,
        new={"model.threads": "1 -> 2"} | FAST,
        says="torch's threads are set in the process: as torch started, now 1 -> 2",
        of=("model.threads", "device.kernel_time.step"),
    ),
    Example(
        rule="optimizer_class",
        old={"optimizer.groups": groups(), "quality.loss": [1.0, 0.5]},
        new={"optimizer.groups": groups(fused=True), "quality.loss": [1.0, 0.9]},
        says="the optimizer is AdamW (fused), was AdamW",
        of=("optimizer.groups", "quality.loss"),
    ),
    Example(
        rule="optimizer_class",
        old={"defaults.optimizer": {"class": "AdamW"}},
        new={"defaults.optimizer": {"class": "Adafactor"}},
        says="with nothing pinned, the optimizer is Adafactor, was AdamW",
        of=("defaults.optimizer",),
    ),
    Example(
        rule="device_copies",
        old={
            "kernels.by_name": {"Memcpy HtoD (Pageable -> Device)": 4.0, "gemm": 300},
            "count.copies.step": 124.2,
            "operators.by_name": {"aten._to_copy.default": 1},
            "count.operators.step": 1788,
        },
        new={
            "kernels.by_name": {
                "Memcpy HtoD (Pageable -> Device)": 8.0,
                "Memcpy DtoH (Device -> Pageable)": 4.0,
                "gemm": 300,
            },
            "count.copies.step": 132.2,
            "operators.by_name": {"aten._to_copy.default": 9},
            "count.operators.step": 1796,
        },
        says="device copies and fills a step: 124 -> 132 (Memcpy",
        of=("count.copies.step", "count.operators.step"),
    ),
    Example(
        rule="waits",
        old={
            "count.syncs.step": 1,
            "count.operators.step": 1788,
            "operators.by_name": {"aten._local_scalar_dense.default": 1, "aten.mm.default": 300},
        },
        new={
            "count.syncs.step": 2,
            "count.operators.step": 1789,
            "operators.by_name": {"aten._local_scalar_dense.default": 2, "aten.mm.default": 300},
        },
        says="the host waits for the device: 1 -> 2 times a step (",
        of=("count.syncs.step", "count.operators.step"),
    ),
    Example(
        rule="fourbit_path",
        old={"count.kernels.step": 2328, "kernels.by_name": {"void kDequantizeBlockwise<float>": 145, "gemm": 300}}
        | FAST,
        new={"count.kernels.step": 2473, "kernels.by_name": {"void kDequantizeBlockwise<float>": 290, "gemm": 300}}
        | SLOW,
        says="the 4-bit path does more: 145 -> 290 kernels that dequantise weights in a step",
        of=("count.kernels.step", "device.kernel_time.step"),
    ),
    Example(
        rule="optimizer_groups",
        old={"optimizer.groups": groups()},
        new={"optimizer.groups": groups(tensors=39)},
        says="optimizer groups: weight decay 0.01 reaches 39 tensors, did 24",
        of=("optimizer.groups",),
    ),
    Example(
        rule="learning_rate",
        old={"optimizer.lr": LR, "quality.loss": [1.0, 0.5]},
        new={"optimizer.lr": [max(2 * v - 1, 0.0) for v in LR], "quality.loss": [1.0, 0.9]},
        says="the learning rate takes another course: from step 2 on it is 0.8, was 0.9, it ends at 0, did at 0.1",
        of=("optimizer.lr", "quality.loss"),
    ),
    Example(
        rule="updates",
        old={"optimizer.updates": 200, "optimizer.lr": LR},
        new={"optimizer.updates": 100, "optimizer.lr": LR},
        says="training makes 100 updates, made 200",
        of=("optimizer.updates",),
    ),
    Example(
        rule="clipping",
        old={"optimizer.clipping": {"limit": 1.0, "held": 1.0}},
        new={"optimizer.clipping": {"limit": 1.0, "held": 250.0}},
        says="gradients are clipped otherwise: norm over limit 1.0 -> 250.0",
        of=("optimizer.clipping",),
    ),
    Example(
        rule="accumulation",
        old={"defaults.accumulation": {"loss_ratio": 1.0, "grad_norm_ratio": 1.0}},
        new={"defaults.accumulation": {"loss_ratio": 4.0, "grad_norm_ratio": 4.0}},
        says="with nothing pinned, gradient accumulation multiplies the loss by 4.00 (was 1.00) and the gradient norm",
        of=("defaults.accumulation",),
    ),
    Example(
        rule="accumulation",
        old={"defaults.accumulation.tail": {"loss_ratio": 1.0, "grad_norm_ratio": 1.0}},
        new={"defaults.accumulation.tail": {"loss_ratio": 0.5, "grad_norm_ratio": 0.5}},
        says="with nothing pinned, in a last group that is not full, gradient accumulation multiplies the loss by 0.50 "
        "(was 1.00) and the gradient norm by 0.50 (was 1.00)",
        of=("defaults.accumulation.tail",),
    ),
    Example(
        rule="tokens",
        old={
            "input.digests": DIGESTS,
            "input.batches": {"input_ids int64 16x32": 100},
            "function.logits_init": [1.0],
            "count.flops.step": 1e9,
        },
        new={
            "input.digests": {"train": DIGESTS["train"] | {"input_ids": OTHER}},
            "input.batches": {"input_ids int64 16x12": 100},
            "function.logits_init": [2.0],
            "count.flops.step": 4e8,
        },
        says="other input: token ids differ; batches: input_ids int64 16x32 -> input_ids int64 16x12",
        of=("input.digests", "input.batches", "function.logits_init", "count.flops.step"),
    ),
    Example(
        rule="tokens",
        old={"input.tokenizer": {"class": "BertTokenizer", "size": 100}},
        new={"input.tokenizer": {"class": "BertTokenizer", "size": 101}},
        says="other input: the tokenizer is another (size 100 -> 101)",
        of=("input.tokenizer",),
    ),
    Example(
        rule="tokens",
        old={"input.tokenizer": {"size": 9}, "input.tokenizer.odd": {"texts": {'"[SEP]"': [2, 3, 3]}}},
        new={"input.tokenizer": {"size": 8}, "input.tokenizer.odd": {"texts": {'"[SEP]"': [2, 9, 3]}}},
        says='other input: the tokenizer is another (size 9 -> 8); texts unlike the task\'s too ("[SEP]"[1] 3 -> 9)',
        of=("input.tokenizer", "input.tokenizer.odd"),
    ),
    Example(
        rule="odd_texts",
        old={"input.tokenizer.odd": {"texts": {'"[SEP]"': [2, 3, 3]}, "with nothing said": {"lengths": [4, 9]}}},
        new={"input.tokenizer.odd": {"texts": {'"[SEP]"': [2, 9, 3]}, "with nothing said": {"lengths": [64, 64]}}},
        says='the tokenizer gives other tokens to texts unlike the task\'s: "[SEP]"[1] 3 -> 9, '
        "with nothing said.lengths[0] 4 -> 64, with nothing said.lengths[1] 9 -> 64",
        of=("input.tokenizer.odd",),
    ),
    Example(
        rule="order",
        old={"input.order": {"digest": OTHER}, "quality.loss": [1.05]},
        new={"input.order": {"digest": "0" * 16}, "quality.loss": [1.69]},
        says="training sees the rows in another order",
        of=("input.order", "quality.loss"),
    ),
    Example(
        rule="weights",
        old={"weights.loaded": LOADED, "function.logits_init": [1.0]},
        new={"weights.loaded": LOADED | {"differing": ["bert.pooler.dense.weight"]}, "function.logits_init": [2.0]},
        says="loaded weights are not the checkpoint's: bert.pooler.dense.weight (other values than in the file)",
        of=("weights.loaded", "function.logits_init"),
    ),
    Example(
        rule="quantised_weights",
        old={"weights.quantised": {QUERY: OTHER}, "function.exact": {"hidden 0": [1.0]}, "function.logits_init": [1.0]},
        new={
            "weights.quantised": {QUERY: "0" * 16},
            "function.exact": {"hidden 0": [1.1]},
            "function.logits_init": [3.0],
        },
        says="1 of 1 quantised weights, or the constants that unpack them, hold other values: bert.encoder.layer.0",
        of=("weights.quantised", "function.exact", "function.logits_init"),
    ),
    Example(
        rule="log_entries",
        old={"quality.loss": [0.5, 0.4], "quality.grad_norm": [1.0, 2.0], "optimizer.updates": 20},
        new={"quality.loss": [0.5] * 20, "quality.grad_norm": [1.0] * 20, "optimizer.updates": 20},
        says="the log of training has 20 entries of the loss, was 2 (every step, was every 10 steps)",
        of=("quality.loss", "quality.grad_norm"),
    ),
    Example(
        rule="initialisation",
        old={"weights.spread": {"classifier.weight": [0.0, 0.02]}},
        new={"weights.spread": {"classifier.weight": [0.0, 0.5]}},
        says="drawn weights come out otherwise under the same seed: classifier.weight",
        of=("weights.spread",),
    ),
    Example(
        rule="reload",
        old={
            "function.reload_drift": 0.0,
            "saved.tensors": {"base_model.model.lora_A": "F32", "base_model.model.b": "F32"},
        },
        new={"function.reload_drift": 2.3, "saved.tensors": {"base_model.model.b": "F32"}},
        says="what was trained is lost on reload: logits differ by 2.3 from those before saving (was 0); not in",
        of=("function.reload_drift", "saved.tensors"),
    ),
    Example(
        rule="reload",
        old={"function.reload_drift": 0.001, "saved.values": THROUGH},
        new={"function.reload_drift": 0.5, "saved.values": THROUGH},
        says="every saved value is the one that was trained, and reloaded: what the file does not hold, as the weights "
        "under an adapter, moved in the live model as it trained, or is loaded otherwise; logits differ by 0.5 from",
        of=("function.reload_drift",),
    ),
    Example(
        rule="saved_config",
        old={
            "saved.config": {"adapter_config": {"lora_alpha": 32, "r": 16}},
            "saved.written": {"adapter_config.json": {"lora_alpha": 32}},
            "model.modules.reloaded": MAP,
            "function.reload_drift": 0.0,
        },
        new={
            "saved.config": {"adapter_config": {"lora_alpha": 28, "r": 16}},
            "saved.written": {"adapter_config.json": {"lora_alpha": 28}},
            "model.modules.reloaded": MAP | {ADAPTER: module(trains=True, scaling={"default": 1.75})},
            "function.reload_drift": 0.4,
        },
        says="the saved configuration says otherwise: adapter_config.lora_alpha 32 -> 28; transformers",
        of=("saved.config", "saved.written", "model.modules.reloaded", "function.reload_drift"),
    ),
    Example(
        rule="reloaded_model",
        old={"model.modules.reloaded": MAP | {HEAD: module()}, "model.modules": MAP},
        new={"model.modules.reloaded": MAP, "model.modules": MAP},
        says="the reloaded model is another: trains false -> true of 1 modules (classifier)",
        of=("model.modules.reloaded",),
    ),
    Example(
        rule="reloaded_model",
        old={"model.modules.reloaded": MAP, "function.reload_drift": 0.0},
        new={
            "model.modules.reloaded": MAP | {ADAPTER: module(trains=True, scaling={"default": 1.0})},
            "function.reload_drift": 0.7,
        },
        says=f"the reloaded model is another: scaling.default 2.0 -> 1.0 of 1 modules ({ADAPTER})",
        of=("model.modules.reloaded", "function.reload_drift"),
    ),
    Example(
        rule="saved_tokenizer",
        old={"saved.tokenizer": SAME_TOKENS, "saved.files": {"a.safetensors": MIB, "tokenizer.json": 9, "v.txt": 9}},
        new={
            "saved.tokenizer": {"texts": 14, "other_ids": 3, "differs": {"padding_side": ["right", "left"]}},
            "saved.files": {"a.safetensors": MIB, "v.txt": 9},
        },
        says="the saved tokenizer is not the one that was used: 3 of 14 texts get other ids, padding_side right -> "
        "left; gone from the folder: tokenizer.json;",
        of=("saved.tokenizer", "saved.files"),
    ),
    Example(
        rule="saved_tokenizer",
        old={"saved.tokenizer": SAME_TOKENS},
        new={"saved.tokenizer": "crash: OSError: no tokenizer in SAVED"},
        says="the saved tokenizer is not the one that was used: it cannot be read (OSError: no tokenizer in SAVED);",
        of=("saved.tokenizer",),
    ),
    Example(
        rule="saved_files",
        old={"saved.files": {"model.safetensors": 8 * MIB}, "saved.bytes": 8 * MIB},
        new={"saved.files": {"model.safetensors": 8 * MIB, "pytorch_model.bin": 8 * MIB}, "saved.bytes": 16 * MIB},
        says="the saved folder holds other files: pytorch_model.bin (8.00 MB) is new",
        of=("saved.files", "saved.bytes"),
    ),
    Example(
        rule="saved_files",
        old={"saved.written": {"generation_config.json": {"do_sample": False}}},
        new={"saved.written": {"generation_config.json": {"do_sample": True}}},
        says="saved files say something else: generation_config.json.do_sample false -> true",
        of=("saved.written",),
    ),
    Example(
        rule="saved_file",
        old={"saved.tensors": {"a": "F16 2x2"}, "saved.bytes": 8 * MIB},
        new={"saved.tensors": {"a": "F32 2x2"}, "saved.bytes": 16 * MIB},
        says="the saved file differs: 1 are of another dtype or shape (a F16 2x2 -> F32 2x2)",
        of=("saved.tensors", "saved.bytes"),
    ),
    Example(
        rule="mask_ignored",
        old={"function.padding_drift": 1e-7, "function.logits_init": [1.0]},
        new={"function.padding_drift": 3.0, "function.logits_init": [1.5]},
        says="the attention mask is ignored: padding moves logits by 3",
        of=("function.padding_drift", "function.logits_init"),
    ),
    Example(
        rule="mask_ignored",
        old={"function.maskless_drift": 0.0, "function.logits_init": [1.0]},
        new={"function.maskless_drift": 0.5, "function.logits_init": [1.5]},
        says="without an attention mask the model answers otherwise than with a full one: logits are 0.5 apart "
        "(were 0)",
        of=("function.maskless_drift", "function.logits_init"),
    ),
    Example(
        rule="evaluation_random",
        old={"function.repeat_drift": 0.0},
        new={"function.repeat_drift": 0.25},
        says="evaluation is left to chance: two forwards differ by 0.25",
        of=("function.repeat_drift",),
    ),
    Example(
        rule="merge",
        old={"function.merge_drift": 1e-6},
        new={"function.merge_drift": 0.7},
        says="merging the adapter moves logits by 0.7",
        of=("function.merge_drift",),
    ),
    Example(
        rule="clocks",
        old={"nvml.sm_clock": 1980, "nvml.throttle_reasons": 1} | FAST,
        new={"nvml.sm_clock": 1410, "nvml.throttle_reasons": 5} | SLOW,
        says="the GPU ran slower: SM clock 1980 -> 1410 MHz, throttle reasons 0x4",
        of=("device.kernel_time.step",),
    ),
    Example(
        rule="cache_emptied",
        old={"trainer.arguments": {"torch_empty_cache_steps": None}, "vram.reserved.train": 9 * MIB},
        new={"trainer.arguments": {"torch_empty_cache_steps": 1}, "vram.reserved.train": 5 * MIB},
        says="the allocator's cache is emptied in training: torch_empty_cache_steps is 1, was None",
        of=("trainer.arguments", "vram.reserved.train"),
    ),
    Example(
        rule="arguments",
        old={"trainer.arguments": {"max_grad_norm": 1.0}},
        new={"trainer.arguments": {"max_grad_norm": 0.0, "new_name": 1}},
        says="the Trainer's arguments: max_grad_norm 1.0 -> 0.0;",
        of=("trainer.arguments",),
    ),
    Example(
        rule="default_values",
        old={"defaults.signatures": {"TrainingArguments": {"optim": "adamw_torch", "gone": 1}}},
        new={"defaults.signatures": {"TrainingArguments": {"optim": "adamw_torch_fused"}}},
        says="a default value changed: TrainingArguments.optim adamw_torch -> adamw_torch_fused;",
        of=("defaults.signatures",),
    ),
    Example(
        rule="default_crash",
        old={"defaults.modules": {"head, float32, plain": {"run": "ran"}}},
        new={"defaults.modules": {"head, float32, plain": {"run": "crash: ValueError: no"}}},
        says="crashes, and did not: head, float32, plain.run (ValueError: no)",
        of=("defaults.modules",),
    ),
    Example(
        rule="more_work",
        old={"count.kernels.step": 1678, "kernels.by_name": {"dequantise": 96, "gemm": 300}} | FAST,
        new={"count.kernels.step": 1774, "kernels.by_name": {"dequantise": 192, "gemm": 300}} | SLOW,
        says="kernels a step: 1,678 -> 1,774 (dequantise 96 -> 192)",
        of=("count.kernels.step", "device.kernel_time.step"),
    ),
    Example(
        rule="conversions",
        old={"operators.by_name": {"aten._to_copy.default": 77, "aten.mm": 9}, "count.operators.step": 809},
        new={"operators.by_name": {"aten._to_copy.default": 99, "aten.mm": 9}, "count.operators.step": 831},
        says="99 conversions between dtypes a step, 77 before",
        of=("count.operators.step", "operators.by_name"),
    ),
    Example(
        rule="optimizer_groups",
        old={"optimizer.groups": groups(), "defaults.optimizer": groups()},
        new={"optimizer.groups": groups(eps=1e-6), "defaults.optimizer": groups(eps=1e-6)},
        says="optimizer groups: eps is 1e-06, 1e-08, was 1e-08",
        of=("optimizer.groups", "defaults.optimizer"),
    ),
    Example(
        rule="quantisation_format",
        old={"model.modules": {QUERY: packed(blocksize=64)}, "weights.loaded": LOADED},
        new={"model.modules": {QUERY: packed(blocksize=128)}, "weights.loaded": LOADED | {"differing": ["x"]}},
        says="1 quantised modules are in blocks of 128, were 64",
        of=("model.modules", "weights.loaded"),
    ),
    Example(
        rule="slower_kernels",
        old={"count.kernels.step": 868, "kernels.times": {"void gemm<float>": 0.008, "tanh": 0.001}} | FAST,
        new={"count.kernels.step": 868, "kernels.times": {"void gemm<float>": 0.012, "tanh": 0.001}} | SLOW,
        says="the same number of kernels is slower by +44 %: gemm 8.0 -> 12.0 ms (+50 %)",
        of=("device.kernel_time.step",),
    ),
    Example(
        rule="slower_kernels",
        old={"count.kernels.step": 868, "kernels.times": {"gemm": 0.009}} | FAST,
        new={
            "count.kernels.step": 869,
            "kernels.times": {"gemm": 0.0091, "at::cuda::(anonymous namespace)::spin_kernel(long)": 0.0039},
        }
        | SLOW,
        says="nearly the same number of kernels (868 -> 869 a step) is slower by +44 %: "
        "at::cuda::spin_kernel(long) is new (3.90 ms), "
        "gemm 9.00 -> 9.10 ms (+1.1 %)",
        of=("device.kernel_time.step",),
    ),
    Example(
        rule="host_path",
        old={"count.python_calls.step": 896, "python_calls.by_package": {"peft": 100, "torch": 796}},
        new={"count.python_calls.step": 1132, "python_calls.by_package": {"peft": 336, "torch": 796}},
        says="on the host, python calls a step 896 -> 1,132 (peft 100 -> 336)",
        of=("count.python_calls.step", "python_calls.by_package"),
    ),
    Example(
        rule="host_path",
        old={"count.c_calls.step": 2974, "c_calls.by_name": {"builtins.id": 289}},
        new={"count.c_calls.step": 2975, "c_calls.by_name": {"builtins.id": 289, "builtins.sorted": 1}},
        says="on the host, C calls a step 2,974 -> 2,975 (builtins.sorted 0 -> 1)",
        of=("count.c_calls.step", "c_calls.by_name"),
    ),
    Example(
        rule="host_path",
        old={
            "count.python_calls.between": 157,
            "python_calls.between": {"datasets": 46},
            "count.syncs.between": 0,
            "count.c_calls.between": 127,
            "c_calls.between": {"builtins.len": 6},
        },
        new={
            "count.python_calls.between": 2157,
            "python_calls.between": {"datasets": 46, "transformers": 2000},
            "count.syncs.between": 1,
            "count.c_calls.between": 128,
            "c_calls.between": {"builtins.len": 6, "gc.collect": 1},
        },
        says="on the host, waits for the device between steps 0 -> 1, "
        "python calls between steps 157 -> 2,157 (transformers 0 -> 2000), "
        "C calls between steps 127 -> 128 (gc.collect 0 -> 1)",
        of=("count.python_calls.between", "count.syncs.between", "count.c_calls.between", "c_calls.between"),
    ),
    Example(
        rule="phase_work",
        old={
            "count.python_calls.train": 15124,
            "count.python_calls.reload": 38968,
            "count.python_calls.tokenizer": 6817,
        },
        new={
            "count.python_calls.train": 25124,
            "count.python_calls.reload": 48968,
            "count.python_calls.tokenizer": 9817,
        },
        says="loading the tokenizer does more work in Python: 6,817 -> 9,817 calls; "
        "training, beside its steps, does more work in Python: 15,124 -> 25,124 calls; "
        "reloading the model does more work in Python: 38,968 -> 48,968 calls; ",
        of=("count.python_calls.train", "count.python_calls.reload", "count.python_calls.tokenizer"),
    ),
    Example(
        rule="phase_work",
        old={
            "count.python_calls.load": 12345,
            "count.python_calls.save": 900,
            "python_calls.by_phase": {"load": {"re.search": 300, "dict.get": 400, "copy.copy": 70}, "save": {}},
        },
        new={
            "count.python_calls.load": 45678,
            "count.python_calls.save": 450,
            "python_calls.by_phase": {"load": {"re.search": 3300, "dict.get": 30000, "re._compile": 3000}, "save": {}},
        },
        says="loading the model does more work in Python: 12,345 -> 45,678 calls (most: re.search 300 -> 3,300, "
        "re._compile few -> 3,000, copy.copy 70 -> few and 1 more); "
        "saving the model does less work in Python: 900 -> 450 calls; ",
        of=("count.python_calls.load", "count.python_calls.save", "python_calls.by_phase"),
    ),
    Example(
        rule="host_path",
        old={"count.cuda_calls.step": 900, "cuda_calls.by_name": {"cudaLaunchKernel": 868, "cudaMemcpyAsync": 32}},
        new={"count.cuda_calls.step": 932, "cuda_calls.by_name": {"cudaLaunchKernel": 868, "cudaMemcpyAsync": 64}},
        says="on the host, CUDA API calls a step 900 -> 932 (cudaMemcpyAsync 32 -> 64)",
        of=("count.cuda_calls.step", "cuda_calls.by_name"),
    ),
    Example(
        rule="resumed",
        old={"defaults.resumed": {"loss": 0.0, "learning_rate": 0.0, "grad_norm": 0.0, "weights": 0.0}},
        new={"defaults.resumed": {"loss": 0.024, "learning_rate": 0.0, "grad_norm": 0.31, "weights": 0.002}},
        says="a training resumed from its checkpoint parts from one that was not cut off: the loss by 2.4 %, "
        "the gradient norm by 31 %, the weights by 0.2 %",
        of=("defaults.resumed",),
    ),
    Example(
        rule="activations",
        old={"memory.saved_for_backward": 100 * MIB, "vram.peak.train": 400 * MIB},
        new={"memory.saved_for_backward": 300 * MIB, "vram.peak.train": 600 * MIB},
        says="more is kept for the backward pass: 100.0 MB -> 300.0 MB a step",
        of=("memory.saved_for_backward", "vram.peak.train"),
    ),
    Example(
        rule="phase_memory",
        old={"vram.peak.train": 400 * MIB, "vram.peak.evaluate": 200 * MIB},
        new={"vram.peak.train": 500 * MIB, "vram.peak.evaluate": 200 * MIB},
        says="memory grew in train by 100.0 MB; not in evaluate",
        of=("vram.peak.train",),
    ),
    Example(
        rule="retained",
        old={"memory.live_trainers": 0, "memory.live_modules": 0, "vram.left": 0},
        new={"memory.live_trainers": 1, "memory.live_modules": 38, "vram.left": 256 * MIB},
        says="alive after tear-down: 1 Trainers (were 0), 38 modules (were 0), 256.0 MB of VRAM (were 0 B)",
        of=("memory.live_trainers", "memory.live_modules", "vram.left"),
    ),
    Example(
        rule="import_growth",
        old={"stack.modules": {"transformers": 900, "torch": 1500}},
        new={"stack.modules": {"transformers": 1500, "torch": 1541}},
        says="641 more modules are imported (transformers 900 -> 1500, torch 1500 -> 1541)",
        of=("stack.modules",),
    ),
    Example(
        rule="variables",
        old={"stack.variables": {"OMP_NUM_THREADS": "1"}, "function.logits_init": [0.0]},
        new={"stack.variables": {"OMP_NUM_THREADS": "4"}, "function.logits_init": [0.5]},
        says="environment variables: OMP_NUM_THREADS 1 -> 4",
        of=("stack.variables", "function.logits_init"),
    ),
    Example(
        rule="torch_build",
        old={"stack.torch": {"BLAS_INFO": "mkl"}},
        new={"stack.torch": {"BLAS_INFO": "open"}},
        says="torch was built otherwise: BLAS_INFO mkl -> open",
        of=("stack.torch",),
    ),
    Example(
        rule="evaluation_rows",
        old={"input.evaluation": {"rows": 872, "batches": 28}, "quality.validation_loss": [0.15]},
        new={"input.evaluation": {"rows": 100, "batches": 4}, "quality.validation_loss": [0.45]},
        says="evaluation sees other rows: rows 872 -> 100, batches 28 -> 4",
        of=("input.evaluation", "quality.validation_loss"),
    ),
    Example(
        rule="evaluation_rows",
        old={"input.evaluation": {"rows": 9, "content": {"input_ids": OTHER, "labels": OTHER}}},
        new={"input.evaluation": {"rows": 9, "content": {"input_ids": OTHER, "labels": "0" * 16}}},
        says="evaluation sees other rows: labels differ",
        of=("input.evaluation",),
    ),
    Example(
        rule="fed",
        old={"input.fed": FED, "quality.loss": [1.05]},
        new={"input.fed": FED | {"epoch 2": FED["epoch 1"] | {"parts": 0}}, "quality.loss": [1.69]},
        says="the Trainer feeds other than its sampler deals: epoch 2 is in another order from batch 0 on, that of "
        "epoch 1 again",
        of=("input.fed", "quality.loss"),
    ),
    Example(
        rule="fed",
        old={"input.fed": FED},
        new={"input.fed": FED | {"epoch 2": FED["epoch 2"] | {"parts": 3, "other_labels": 100, "left_out": 100}}},
        says="the Trainer feeds other than its sampler deals: in epoch 2 from batch 3 on, 100 rows come with labels "
        "that are not theirs, 100 rows do not come",
        of=("input.fed",),
    ),
    Example(
        rule="logged",
        old={"trainer.log": LOG, "quality.loss": [1.0]},
        new={"trainer.log": LOG | {"loss": 0.9091}, "quality.loss": [0.5]},
        says="the logged loss is 0.909 of what the steps returned",
        of=("trainer.log", "quality.loss"),
    ),
    Example(
        rule="logged",
        old={"trainer.log": LOG | {"grad_norm": 0.5}},
        new={"trainer.log": LOG | {"eval_loss": None}},
        says="the logged gradient norm is 1 of the norm before clipping (was 0.5), the logged validation loss "
        "(eval_loss) is not told, or means nothing",
        of=("trainer.log",),
    ),
    Example(
        rule="left_by_step",
        old={"memory.left_by_step": 0.0, "memory.live_tensors": 8_000},
        new={"memory.left_by_step": 4.0, "memory.live_tensors": 80_000},
        says="each training step leaves 4 tensors in memory (left 0)",
        of=("memory.left_by_step",),
    ),
    Example(
        rule="left_by_step",
        old={"memory.heap_left_by_step": 1024.0, "ram.peak": 9e8},
        new={"memory.heap_left_by_step": 51 * 1024.0, "ram.peak": 12e8},
        says="each training step leaves 51.0 kB of Python's memory (left 1.00 kB)",
        of=("memory.heap_left_by_step", "ram.peak"),
    ),
    Example(
        rule="shared_storage",
        old={"model.shared": {"loaded": [], "prepared": []}, "quality.loss": [0.5]},
        new={
            "model.shared": {"loaded": [], "prepared": [["head.copy.weight", "head.own.weight"]]},
            "quality.loss": [0.9],
        },
        says="head.copy.weight and head.own.weight share memory, and did not",
        of=("model.shared", "quality.loss"),
    ),
    Example(
        rule="shared_storage",
        old={"model.shared": {"loaded": [["embedding.weight", "head.weight"]]}, "params.stored": 10},
        new={"model.shared": {"loaded": []}, "params.stored": 20},
        says="embedding.weight and head.weight share memory no longer",
        of=("model.shared", "params.stored"),
    ),
    Example(
        rule="kept_by_batch",
        old={"memory.kept_by_batch": 640.0},
        new={"memory.kept_by_batch": 262_784.0},
        says="an evaluation keeps 256.6 kB of tensors of each batch until it is over (kept 640 B)",
        of=("memory.kept_by_batch",),
    ),
    Example(
        rule="system_calls",
        old={"count.system_calls.step": {}},
        new={"count.system_calls.step": {"gc.collect": 1}},
        says="a training step calls the system: gc.collect 0 -> 1 times",
        of=("count.system_calls.step",),
    ),
    Example(
        rule="built",
        old={"model.built": {"BertModel": 1}},
        new={"model.built": {"BertModel": 2}},
        says="one loading builds its model BertModel 1 -> 2 times",
        of=("model.built",),
    ),
    Example(
        rule="received",
        old={
            "input.content": DIGESTS["train"],
            "input.received": {"training": DIGESTS["train"]},
            "function.trained_bits": OTHER,
        },
        new={
            "input.content": DIGESTS["train"] | {"labels": OTHER},
            "input.received": {"training": DIGESTS["train"] | {"labels": OTHER}},
            "function.trained_bits": "0" * 16,
        },
        says="the batches that the collator makes are not their rows: labels differ",
        of=("input.content", "input.received", "function.trained_bits"),
    ),
    Example(
        rule="received",
        old={"input.received": {"training": DIGESTS["train"]}},
        new={"input.received": {"training": DIGESTS["train"] | {"input_ids": OTHER}}},
        says="the batches that the model is given are not their rows: token ids differ",
        of=("input.received",),
    ),
    Example(
        rule="modes",
        old={"model.modes": {"evaluation": {"trains": False}}, "function.evaluation": {"loss": 1.0}},
        new={"model.modes": {"evaluation": {"trains": True}}, "function.evaluation": {"loss": 1.2}},
        says="the model runs in another mode: in evaluation, the model's own training mode is false -> true",
        of=("model.modes", "function.evaluation"),
    ),
    Example(
        rule="modes",
        old={"model.modes.loaded": {"loaded": "evaluation"}, "defaults.modes": {"plain": {"loaded": "evaluation"}}},
        new={"model.modes.loaded": {"loaded": "training"}, "defaults.modes": {"plain": {"loaded": "training"}}},
        says="a model is handed over in another mode: loaded evaluation -> training, with nothing pinned, "
        "plain.loaded evaluation -> training",
        of=("model.modes.loaded", "defaults.modes"),
    ),
    Example(
        rule="dropout_drawn",
        old={"model.dropout.drawn": {"training": {"0.1": 22}, "evaluation": {}}},
        new={"model.dropout.drawn": {"training": {"0.05": 22}, "evaluation": {}}},
        says="dropout is drawn otherwise: in training 0.05 22 times, was 0.1 22 times",
        of=("model.dropout.drawn",),
    ),
    Example(
        rule="passes",
        old={"model.dropout.drawn": {"training": {"0.1": 8}, "evaluation": {}}, "count.flops.step": 3_000_000},
        new={"model.dropout.drawn": {"training": {"0.1": 16}, "evaluation": {}}, "count.flops.step": 4_000_000},
        says="the model runs 2 times as often in a training step: FLOPs ",
        of=("model.dropout.drawn", "count.flops.step"),
    ),
    Example(
        rule="epsilon",
        old={"model.modules": MAP | {NORM: module("LayerNorm", eps=1e-12)}, "function.exact": {"logits": [0.1]}},
        new={"model.modules": MAP | {NORM: module("LayerNorm", eps=1e-5)}, "function.exact": {"logits": [0.2]}},
        says="eps of 1 norms is 1e-05, was 1e-12 (LayerNorm)",
        of=("model.modules", "function.exact"),
    ),
    Example(
        rule="activation_function",
        old={"function.activations": {"GELU": [0.1, 0.2]}, "function.exact": {"logits": [0.1]}},
        new={"function.activations": {"GELU": [0.1, 0.3]}, "function.exact": {"logits": [0.2]}},
        says="activations and other layers without parameters: GELU answers the same input otherwise",
        of=("function.activations", "function.exact"),
    ),
    Example(
        rule="activation_function",
        old={"model.layers": {"Dropout": 9, "Tanh": 1}},
        new={"model.layers": {"Dropout": 9, "Identity": 1}},
        says="activations and other layers without parameters: 1 -> 0 Tanh, 0 -> 1 Identity",
        of=("model.layers",),
    ),
    Example(
        rule="forward_formula",
        old={"function.exact": {"hidden 0": [1.0, 2.0], "logits": [0.1]}, "function.logits_trained": [[1.0]]},
        new={"function.exact": {"hidden 0": [1.0, 2.0], "logits": [0.2]}, "function.logits_trained": [[3.0]]},
        says="the forward pass is another function: in 64 bits and with the same weights it differs, first in logits",
        of=("function.exact", "function.logits_trained"),
    ),
    Example(
        rule="gradient",
        old={"optimizer.gradient": {"loss": 1.0, "gradient": 1.0, "rest": 0.0}, "quality.loss": [0.5]},
        new={"optimizer.gradient": {"loss": 1.1, "gradient": 0.9, "rest": 0.05}, "quality.loss": [0.7]},
        says="what trains is not plain cross-entropy: the loss is x1.1; its gradient is x0.9; 5.0% of the gradient is "
        "of something else",
        of=("optimizer.gradient", "quality.loss"),
    ),
    Example(
        rule="gradient",
        old={"optimizer.gradient": {"loss": 1.0, "gradient": 1.0, "rest": 0.0}, "quality.loss": [0.5]},
        new={"optimizer.gradient": {"loss": 1.0, "gradient": 1.005, "rest": 0.0017}, "quality.loss": [0.7]},
        says="what trains is not plain cross-entropy: its gradient is x1.005; 0.2% of the gradient is of something "
        "else",
        of=("optimizer.gradient", "quality.loss"),
    ),
    Example(
        rule="backward",
        old={"optimizer.backward": {"largest": 0.01, "tensors": 10}, "function.trained_bits": OTHER},
        new={"optimizer.backward": {"largest": 0.5, "tensors": 10}, "function.trained_bits": "0" * 16},
        says="gradients are not those of the model in 64 bits: off by up to 50.0%, were by 1.0%",
        of=("optimizer.backward", "function.trained_bits"),
    ),
    Example(
        rule="backward",
        old={"optimizer.backward.own": {"largest": 5e-6, "typical": 1e-6}, "optimizer.backward.off": {}} | SIZES,
        new={
            "optimizer.backward.own": {"largest": 0.5, "typical": 1e-6},
            "optimizer.backward.off": {"bert.encoder.a.weight": [0.5, 0.5], "bert.encoder.b.weight": [0.501, 0.499]},
        }
        | SIZES,
        says="gradients of 2 of 3 tensors are half of what 64-bit arithmetic gives, first bert.encoder.a.weight",
        of=("optimizer.backward.own",),
    ),
    Example(
        rule="forward_training",
        old={"function.exact.training": {"hidden 0": [1.0, 2.0], "logits": [0.1]}, **SIZES},
        new={
            "function.exact.training": {"hidden 0": [1.1, 2.0], "logits": [0.2]},
            "optimizer.backward.exact": {"all": [3.0], "a": [0.8, 0.4], "b": [0.6, -0.2], "c": [1e-13, 0.0]},
        },
        says="in training the forward pass is another function: in 64 bits, with the same weights and fixed masks in "
        "the place of dropout's it differs, first in hidden 0",
        of=("function.exact.training", "optimizer.backward.exact"),
    ),
    Example(
        rule="backward_formula",
        old={**SIZES, "function.logits_trained": [[1.0]]},
        new={
            "optimizer.backward.exact": {"all": [2.0], "a": [0.4, 0.2], "b": [0.6, -0.2], "c": [1e-12, 0.0]},
            "function.logits_trained": [[3.0]],
        },
        says="the backward pass, or what runs in training alone, is another function: in 64 bits gradients of 1 of 2 "
        "tensors are half of what they were, first a",
        of=("optimizer.backward.exact", "function.logits_trained"),
    ),
    Example(
        rule="backward_formula",
        old=SIZES,
        new={"optimizer.backward.exact": {"all": [2.0], "a": [0.5, 0.4], "b": [0.6, -0.3], "c": [1e-12, 0.0]}},
        says="the backward pass, or what runs in training alone, is another function: in 64 bits gradients of 2 of 2 "
        "tensors differ, first a",
        of=("optimizer.backward.exact",),
    ),
    Example(
        rule="rounding",
        old={
            "function.rounding": {"hidden 0": 6e-8, "hidden 1": 1.4e-7, "logits": 6e-7},
            "optimizer.backward.own": {"largest": 5e-6, "typical": 1e-6},
        },
        new={
            "function.rounding": {"hidden 0": 6e-8, "hidden 1": 2e-4, "logits": 9e-4},
            "optimizer.backward.own": {"largest": 5e-3, "typical": 1e-3},
        },
        says="against the same model in 64 bits it rounds more than it did, or is another function in this precision "
        "alone, off by 0.0002 in hidden 1, was by 1.4e-07",
        of=("function.rounding", "optimizer.backward.own"),
    ),
    Example(
        rule="recomputed",
        old={"optimizer.backward.recomputed": {"largest": 0.0}, "quality.loss": [0.5], "function.merge_drift": 0.01},
        new={"optimizer.backward.recomputed": {"largest": 0.4}, "quality.loss": [0.7], "function.merge_drift": 0.1},
        says="checkpoints recompute something else than was computed, such as other masks of dropout: under one seed "
        "gradients with and without them differ by 40%",
        of=("optimizer.backward.recomputed", "quality.loss", "function.merge_drift"),
    ),
    Example(
        rule="dropout_scale",
        old={"model.dropout.attention": {"ones": 1.0002, "half": 0.9998}, "quality.loss": [0.5]},
        new={"model.dropout.attention": {"ones": 0.9, "half": 1.06}, "quality.loss": [0.7]},
        says="attention with dropout does not answer in the mean as it does without: the sum of its weights is x0.9 of "
        "what is due, was x1; what one half of the keys gets is x1.06 of what is due, was x1",
        of=("model.dropout.attention", "quality.loss"),
    ),
    Example(
        rule="dropout_scale",
        old={"model.dropout.scale": {"mean": 1.0, "largest": 1.0}, "quality.loss": [0.5]},
        new={"model.dropout.scale": {"mean": 0.9, "largest": 0.9}, "quality.loss": [0.7]},
        says="dropout scales otherwise: ones that went through it have mean 0.9, had 1, and what it keeps is x0.9 of "
        "1 / (1 - p), was x1",
        of=("model.dropout.scale", "quality.loss"),
    ),
    Example(
        rule="gradients_changed",
        old={"optimizer.gradients.kept": {"times": 1.0, "rest": 0.0}, "quality.loss": [0.5]},
        new={"optimizer.gradients.kept": {"times": 3.0, "rest": 0.01}, "quality.loss": [0.7]},
        says="gradients do not reach the update as the backward pass left them, under a limit that never bites: they "
        "are x3; 1.00% of them is of something else",
        of=("optimizer.gradients.kept", "quality.loss"),
    ),
    Example(
        rule="update_late",
        old={"optimizer.formula.late": {"largest": 0.0}, "function.trained_bits": OTHER},
        new={"optimizer.formula.late": {"largest": 3.0}, "function.trained_bits": "0" * 16},
        says="late in training an update is not AdamW's, such as by its bias correction: off by 300.00% after 5000",
        of=("optimizer.formula.late", "function.trained_bits"),
    ),
    Example(
        rule="moments",
        old={"optimizer.formula.moments": {"largest": 0.0}, "function.trained_bits": OTHER},
        new={"optimizer.formula.moments": {"largest": 0.0019}, "function.trained_bits": "0" * 16},
        says="AdamW's moments are not what its formula makes of them: off by 0.19% of the largest, as if rounded",
        of=("optimizer.formula.moments", "function.trained_bits"),
    ),
    Example(
        rule="optimizer_state",
        old={"optimizer.state": {"bytes": 800, "exp_avg": {"float32": 2}}, "vram.peak.train": 90 * MIB},
        new={
            "optimizer.state": {"bytes": 900, "exp_avg": {"float32": 2}, "master": {"float32": 2}},
            "vram.peak.train": 99 * MIB,
        },
        says="the optimizer keeps something else of its tensors: ",
        of=("optimizer.state", "vram.peak.train"),
    ),
    Example(
        rule="update_formula",
        old={
            "optimizer.formula": {"group 0": 0.0, "group 1": 0.0},
            "optimizer.formula.off": [],
            "optimizer.formula.late": {"largest": 0.0},
        },
        new={
            "optimizer.formula": {"group 0": 0.0, "group 1": 1.0},
            "optimizer.formula.off": ["classifier.bias"],
            "optimizer.formula.late": {"largest": 1.0},
        },
        says="an update is not AdamW's: off in group 1 by 100.00%, 1 tensors, first classifier.bias",
        of=("optimizer.formula", "optimizer.formula.late"),
    ),
    Example(
        rule="gradients",
        old={"optimizer.gradients": {"at_begin": ["none"], "at_update": {"float32": 10}}},
        new={"optimizer.gradients": {"at_begin": ["none", "left over"], "at_update": {"float16": 9, "none": 1}}},
        says="when a step begins gradients are none or left over, were none; at an update they are float16 in 9 "
        "tensors, none in 1 tensors, were float32 in 10 tensors",
        of=("optimizer.gradients",),
    ),
    Example(
        rule="updates",
        old={"optimizer.updates": 200, "optimizer.applied": {"200": 10}, "function.trained_bits": OTHER},
        new={"optimizer.updates": 200, "optimizer.applied": {"175": 10}, "function.trained_bits": "0" * 16},
        says="not every step updates every tensor: 10 tensors got 175 updates in 200 steps",
        of=("optimizer.applied", "function.trained_bits"),
    ),
    Example(
        rule="update_formula",
        old={"optimizer.formula": {"group 0": 0.0, "group 1": 0.0}},
        new={"optimizer.formula": {"group 0": 0.25, "group 1": 0.0}},
        says="an update is not AdamW's: off in group 0 by 25.00%",
        of=("optimizer.formula",),
    ),
    Example(
        rule="optimizer_groups",
        old={"optimizer.groups": GROUPS, "optimizer.groups.after": GROUPS},
        new={"optimizer.groups": GROUPS, "optimizer.groups.after": groups(eps=1e-6)},
        says="after training, optimizer groups: eps is 1e-06, 1e-08, was 1e-08",
        of=("optimizer.groups.after",),
    ),
    Example(
        rule="saved_values",
        old={"saved.values": {"tensors": 2, "not_as_trained": [], "not_as_saved": []}},
        new={"saved.values": {"tensors": 2, "not_as_trained": ["base_model.model.a"], "not_as_saved": []}},
        says="values change on their way through the file: the file does not hold what was trained: a",
        of=("saved.values",),
    ),
    Example(
        rule="evaluation_figures",
        old={"function.evaluation": {"accuracy": 0.0, "loss": 1.0}},
        new={"function.evaluation": {"accuracy": -0.4, "loss": 1.0}},
        says="the Trainer's evaluation does not agree with the model's answers: accuracy 0.0 -> -0.4",
        of=("function.evaluation",),
    ),
    Example(
        rule="compute_dtypes",
        old={"model.products": {"training": {"float16": 0.9, "float32": 0.1}}} | FAST,
        new={"model.products": {"training": {"float32": 1.0}}} | SLOW,
        says="the model computes in other dtypes: training.float16 removed (was 0.9), training.float32 0.1 -> 1.0",
        of=("model.products", "device.kernel_time.step"),
    ),
    Example(
        rule="attention",
        old={"model.attention.dispatched": {"training": [], "evaluation": ["aten._flash.default"]}},
        new={"model.attention.dispatched": {"training": [], "evaluation": []}},
        says="attention is computed by another backend (in evaluation: removed aten._flash.default)",
        of=("model.attention.dispatched",),
    ),
    Example(
        rule="group_rates",
        old={"optimizer.lr.groups": {"group 1": {"otherwise": 0}}, "quality.loss": [0.5]},
        new={
            "optimizer.lr.groups": {"group 1": {"otherwise": 9, "from": 2, "rate": 0.005, "begun": 0.001}},
            "quality.loss": [0.9],
        },
        says="updates obey another learning rate than the schedule's: that of group 1 is 0.005 at step 2, "
        "which began with 0.001 (in 9 steps)",
        of=("optimizer.lr.groups", "quality.loss"),
    ),
    Example(
        rule="written_beside",
        old={"optimizer.writes": {"found": 0}, "quality.loss": [0.5]},
        new={
            "optimizer.writes": {"found": 1, "first": "as an epoch begins", "updates": 100},
            "quality.loss": [0.9],
        },
        says="weights or the optimizer's state are written beside its updates: found once, first as an epoch begins, "
        "after 100 updates",
        of=("optimizer.writes", "quality.loss"),
    ),
    Example(
        rule="written_beside",
        old={"optimizer.across": {"found": 0}, "quality.loss": [0.5]},
        new={"optimizer.across": {"found": 2, "updates": 100, "weights": 41}, "quality.loss": [0.9]},
        says="an evaluation, a save or an epoch's end leaves the training otherwise: 2 times, first after 100 updates "
        "(41 tensors of its weights)",
        of=("optimizer.across", "quality.loss"),
    ),
    Example(
        rule="written_beside",
        old={"optimizer.across": {"found": 1, "updates": 100, "weights": 41, "state": 2}},
        new={"optimizer.across": {"found": 0}},
        says="weights and the optimizer's state come unchanged through evaluations",
        of=("optimizer.across",),
    ),
    Example(
        rule="draws_repeated",
        old={"seeds.steps": {"python": STOOD, "torch": "new at each step"}, "quality.loss": [0.5]},
        new={"seeds.steps": {"python": STOOD, "torch": STOOD}, "quality.loss": [0.9]},
        says="random generators in training steps: torch's is where it stood a step before, was new at each step",
        of=("seeds.steps", "quality.loss"),
    ),
    Example(
        rule="written_beside",
        old={"optimizer.gradients.writes": {"otherwise": 0}, "quality.loss": [0.5]},
        new={"optimizer.gradients.writes": {"otherwise": 13, "first": 15}, "quality.loss": [0.9]},
        says="gradients are written in another way before 13 updates: first before update 15",
        of=("optimizer.gradients.writes", "quality.loss"),
    ),
    Example(
        rule="left_by_training",
        old={"model.after_training": {"model.dtypes float16": "None -> 960"}, "quality.loss": [0.5]},
        new={
            "model.after_training": {"model.dtypes float16": "None -> 960", "hooks": "1 -> 401"},
            "quality.loss": [0.9],
        },
        says="training leaves the model otherwise than it found it: hooks 1 -> 401",
        of=("model.after_training", "quality.loss"),
    ),
    Example(
        rule="forwards",
        old={"model.forwards": {"training": 200, "evaluation": 56}, "time.train": 2.0},
        new={"model.forwards": {"training": 200, "evaluation": 102}, "time.train": 3.0},
        says="forward passes of the whole training: in evaluation mode 56 -> 102",
        of=("model.forwards", "time.train"),
    ),
    Example(
        rule="held",
        old={"memory.held.train": 150_000, "memory.peak.step": 300_000},
        new={"memory.held.train": 460_000, "memory.peak.step": 610_000},
        says="tensors that are kept: once training has returned 146.5 kB -> 449.2 kB",
        of=("memory.held.train", "memory.peak.step"),
    ),
    Example(
        rule="modes_late",
        old={"model.modes.steps": ["train x 200"], "trainer.log.bits": "a", "function.trained_bits": "b"},
        new={"model.modes.steps": ["train x 100", "eval x 100"], "trainer.log.bits": "c", "function.trained_bits": "d"},
        says="training does not stay in its mode: steps 101 to 200 run in evaluation mode; all were in training mode",
        of=("trainer.log.bits", "function.trained_bits"),
    ),
    Example(
        rule="log_alone",
        old={"trainer.log.bits": "a", "function.trained_bits": "b", "quality.loss": [0.5, 0.4]},
        new={"trainer.log.bits": "c", "function.trained_bits": "b", "quality.loss": [0.5, 0.6]},
        says="the log is wrong, not the training: 1 of 2 losses are others",
        of=("trainer.log.bits", "quality.loss"),
    ),
    Example(
        rule="log_alone",
        old={"trainer.log.bits": "a", "function.trained_bits": "b", "quality.loss": [0.5, 0.4123]},
        new={"trainer.log.bits": "c", "function.trained_bits": "b", "quality.loss": [0.5, 0.41234]},
        says="the log has other digits, the training is the same: 1 of 2 losses are others",
        of=("trainer.log.bits",),
    ),
    Example(
        rule="log_alone",
        old={"trainer.log.bits": "a", "function.trained_bits": "b", "optimizer.lr": [1e-5, 0.00002]},
        new={"trainer.log.bits": "c", "function.trained_bits": "b", "optimizer.lr": [1e-5, 0.00004]},
        says="the log is wrong, not the training: 1 of 2 learning rates are others",
        of=("trainer.log.bits",),
    ),
    Example(
        rule="log_alone",
        old={"trainer.log.figures": {"otherwise": 0}},
        new={"trainer.log.figures": {"otherwise": 1, "first": "accuracy: 1.0, computed as 0.95"}},
        says="the log is wrong, not the training: an evaluation's accuracy: 1.0, computed as 0.95",
        of=("trainer.log.figures",),
    ),
    Example(
        rule="evaluated",
        old={"input.evaluated.labels": ["the data set's", "the data set's"]},
        new={"input.evaluated.labels": ["the data set's", "7 are others"]},
        says="evaluations in training are computed over other rows: labels are not the data set's (in the second 7 are",
        of=("input.evaluated.labels",),
    ),
    Example(
        rule="modes_late",
        old={"model.modes.steps": ["train x 200"], "quality.loss": [0.5]},
        new={"model.modes.steps": ["train x 100", "eval x 100"], "quality.loss": [0.9]},
        says="training does not stay in its mode: steps 101 to 200 run in evaluation mode; all were in training mode",
        of=("model.modes.steps", "quality.loss"),
    ),
    Example(
        rule="evaluated",
        old={"input.evaluated": [872, 872]},
        new={"input.evaluated": [872, 869]},
        says="evaluations in training are computed over other rows: the second over 869 rows, was 872",
        of=("input.evaluated",),
    ),
    Example(
        rule="evaluated",
        old={"input.evaluated": [872, 872]},
        new={"input.evaluated": [872]},
        says="training evaluates 1 times, did 2",
        of=("input.evaluated",),
    ),
    Example(
        rule="logged_counts",
        old={"trainer.log.counts": COUNTS, "trainer.log.operations": {"total_flos": 1.0}},
        new={"trainer.log.counts": COUNTS | {"epoch": 11.0}, "trainer.log.operations": {"total_flos": 3.0}},
        says="the logged epoch (epoch) is 11 times the epochs done, the logged number of operations (total_flos) is 3 ",
        of=("trainer.log.counts", "trainer.log.operations"),
    ),
    Example(
        rule="untrained",
        old={"optimizer.applied": {"200": 10}, "model.dropout.drawn": {"training": {"0.1": 22}}},
        new={"optimizer.applied": {"0": 8, "200": 2}, "model.dropout.drawn": {"training": {"0.1": 12}}},
        says="8 tensors that shall train get no update, each had some",
        of=("optimizer.applied", "model.dropout.drawn"),
    ),
    Example(
        rule="evaluation_passes",
        old={"count.operators.evaluation": 40, "operators.evaluation": {"aten.addmm.default": 13, "aten.mm": 1}},
        new={"count.operators.evaluation": 75, "operators.evaluation": {"aten.addmm.default": 26, "aten.mm": 1}},
        says="evaluation runs the model 2 times as often for each batch: operators 40 -> 75",
        of=("operators.evaluation",),
    ),
    Example(
        rule="evaluation_dtype",
        old={"function.evaluation.dtype": "float32"},
        new={"function.evaluation.dtype": "float16"},
        says="evaluation hands its logits on in float16, did in float32",
        of=("function.evaluation.dtype",),
    ),
    Example(
        rule="checkpointing",
        old={"model.checkpointing.kind": ["checkpoint use_reentrant=True"]},
        new={"model.checkpointing.kind": ["checkpoint use_reentrant=False"]},
        says="checkpoints are made otherwise: by checkpoint use_reentrant=False, were by checkpoint use_reentrant=True",
        of=("model.checkpointing.kind",),
    ),
    Example(
        rule="parts_late",
        old={"optimizer.updates": 40, "quality.loss": [0.9, 0.8, 0.4, 0.3], "quality.validation_loss": [0.8, 0.3]},
        new={"optimizer.updates": 40, "quality.loss": [0.9, 0.8, 0.7, 0.5], "quality.validation_loss": [0.8, 0.5]},
        says="training goes as before until step 20 (the end of epoch 1) and parts from there: loss 0.4 -> 0.7 at step",
        of=("quality.loss", "quality.validation_loss"),
    ),
)


def ids(example: Example) -> str:
    """Rule and the first metric that it explains."""
    return f"{example.rule}-{example.of[0]}"


@pytest.mark.parametrize("example", EXAMPLES, ids=ids)
def test_a_rule_names_its_cause(example):
    """The planted cause is the first that each metric it moves is told to have, with the versions behind it."""
    found = told(example.old, example.new)
    for metric in example.of:
        first = found[metric].cause.splitlines()[0]
        assert first.startswith(example.says), (metric, found[metric].cause, found[metric].outcome)
        assert first.endswith("transformers 4.57.6 -> 5.23.0"), first


@pytest.mark.parametrize("example", EXAMPLES, ids=ids)
def test_it_is_that_rule_that_speaks(example):
    """The rule of the example finds it by itself."""
    a, b = side(example.old), side(example.new)
    clue = rules()[example.rule].find(evidence(CASE, a, b, judged(a, b)))
    assert clue is not None
    assert example.says.startswith(clue.words[: len(example.says)]) or clue.words.startswith(example.says[:-1])


@pytest.mark.parametrize("example", EXAMPLES, ids=ids)
@pytest.mark.parametrize("which", ["old", "new"])
def test_no_rule_speaks_of_what_did_not_move(example, which):
    """The same values on both sides give no clue, whatever they are."""
    same = side(getattr(example, which))
    seen = evidence(CASE, same, same, judged(same, same))
    assert [rule.name for rule in rules().values() if rule.find(seen)] == []


def test_a_merge_is_no_cause_where_the_training_was_another():
    """Other weights merge with another drift: what moved the training explains it, or nothing does."""
    old = {"function.merge_drift": 0.01, "function.logits_trained": [[1.0]]}
    new = {"function.merge_drift": 0.1, "function.logits_trained": [[3.0]]}
    assert told(old, new)["function.merge_drift"].cause.startswith("no known cause")
    assert told(old, new | {"function.logits_trained": [[1.0]]})["function.merge_drift"].cause.startswith("merging")


def test_gradients_that_no_update_reached_are_not_said_to_have_changed():
    """Where a scaler skips the step there is nothing to compare, and that is another cause's to tell."""
    old, new = ({"optimizer.gradients.kept": {"times": t, "rest": r}} for t, r in ((1.0, 0.0), (None, None)))
    assert told(old, new)["optimizer.gradients.kept"].cause.startswith("no known cause")


@pytest.mark.parametrize(
    ("multiples", "words"),
    [
        ([0.5, 0.501], "half of"), ([2.0], "twice"), ([0.3, 0.3], "0.3 times"), ([0.0], "nothing of"),
        ([0.5, 0.25], ""), ([0.5, None], ""), ([], ""), ([math.nan], ""),
    ],
)  # fmt: skip
def test_multiples_are_told_as_one_where_they_agree(multiples, words):
    """In words where there are any; not at all where one is another, or none."""
    assert times(multiples) == words


def test_variables_that_a_library_sets_for_itself_are_no_cause():
    """What accelerate exports came with its version; a value that moved was somebody's will."""
    old, new = {"ACCELERATE_USE_IPEX": "false"}, {}
    found = told({"stack.variables": old, "vram.left": 1}, {"stack.variables": new, "vram.left": 2 * MIB})
    assert found["stack.variables"].cause == ""
    changed = told({"stack.variables": {"ACCELERATE_X": "0"}}, {"stack.variables": {"ACCELERATE_X": "1"}})
    assert changed["stack.variables"].cause.startswith("environment variables: ACCELERATE_X 0 -> 1")


def test_what_shows_with_nothing_pinned_explains_nothing_pinned():
    """A default that moved is no cause of what the suite's own build does, which pins it."""
    old = {"defaults.modules": built(classifier="Linear float16, trains"), "vram.after_load": 90 * MIB}
    new = {"defaults.modules": built(classifier="Linear float32, trains"), "vram.after_load": 99 * MIB}
    found = told(old, new)
    assert found["defaults.modules"].cause.startswith("with nothing pinned")
    assert found["vram.after_load"].cause.startswith("no known cause")


def test_accumulation_explains_a_curve_only_where_the_case_accumulates():
    """The probe accumulates by itself: a run that does not is moved by something else."""
    ratios = [{"loss_ratio": r, "grad_norm_ratio": r} for r in (1.0, 4.0)]

    def cause(steps):
        sides = [
            {"optimizer.accumulation": ratio, "quality.loss": [loss],
             "trainer.arguments": {"gradient_accumulation_steps": steps}}
            for ratio, loss in zip(ratios, (0.5, 2.0), strict=True)
        ]  # fmt: skip
        found = told(*sides)
        assert found["optimizer.accumulation"].cause.startswith("gradient accumulation multiplies the loss by 4.00")
        return found["quality.loss"].cause

    assert cause(4).startswith("gradient accumulation multiplies")
    assert cause(1).startswith("no known cause")


@pytest.mark.parametrize(("draws", "flops"), [(2, 2_990_000), (12, 4_000_000), (16, 3_000_030)])
def test_dropout_that_came_or_went_is_no_other_number_of_passes(draws, flops):
    """Another pass draws a whole multiple as often and costs a pass's arithmetic."""
    old = {"model.dropout.drawn": {"training": {"0.1": 8}, "evaluation": {}}, "count.flops.step": 3_000_000}
    new = {"model.dropout.drawn": {"training": {"0.1": draws}, "evaluation": {}}, "count.flops.step": flops}
    assert told(old, new)["model.dropout.drawn"].cause.startswith("dropout is drawn otherwise")


@pytest.mark.parametrize(
    ("old", "new"),
    [([0.5, 0.4], [0.6, 0.4]), ([0.5, 0.4], [0.5]), ([0.5, 0.4], [0.5, 0.4])],
    ids=["from the first", "of another length", "nowhere"],
)
def test_a_course_that_does_not_part_on_its_way_is_not_said_to(old, new):
    """Nor one whose old trials part among themselves, where bits say nothing."""
    rule = rules()["parts_late"]
    sides = [side({"optimizer.updates": 20, "quality.loss": s, "quality.logits": [len(s)]}) for s in (old, new)]
    assert rule.find(evidence(CASE, *sides, judged(*sides))) is None
    parts = [side({"optimizer.updates": 20, "quality.loss": s}) for s in ([0.5, 0.4], [0.5, 0.9])]
    mixed = (parts[0][0], parts[1][0])
    assert rule.find(evidence(CASE, *parts, judged(*parts))) is not None
    assert rule.find(evidence(CASE, mixed, parts[1], judged(*parts))) is None


def test_more_work_in_evaluation_is_told_by_name():
    """On one stack: another counts otherwise."""
    old = {"count.operators.evaluation": 40, "operators.evaluation": {"aten.clone.default": 1}}
    new = {"count.operators.evaluation": 79, "operators.evaluation": {"aten.clone.default": 40}}
    found = told(old, new, packages=side({})[0].environment.packages)["count.operators.evaluation"]
    assert found.cause.startswith("operators an evaluation: 40 -> 79 (clone 1 -> 40)")


def test_what_became_what_is_told_of_each_direction():
    """One release widens some builds and narrows others: each is told by its first, with elements and bytes."""

    def build(dtype, size, *, four=True):
        more = {"query": "Linear4bit uint8 nf4"} if four else {}
        maps = {"loaded": {"modules": {"classifier": f"Linear {dtype}, trains", **more}}}
        return maps, f"{size} bytes: 5000 {dtype}"

    def side(*builds):
        names = ("a, 4 bits", "b, 4 bits", "c, plain")
        return {
            "defaults.modules": {name: made[0] for name, made in zip(names, builds, strict=True)},
            "defaults.loaded": {name: made[1] for name, made in zip(names, builds, strict=True)},
        }

    old = side(build("float16", 2000), build("float16", 2000), build("float32", 4000, four=False))
    new = side(build("float32", 3000), build("float32", 3000), build("float16", 2000, four=False))
    found = told(old, new)
    assert found["defaults.modules"].cause == found["defaults.loaded"].cause
    assert found["defaults.loaded"].cause.startswith(
        "with nothing pinned (a, 4 bits, loaded), 5,000 elements of unquantised modules are float32, were float16 "
        "(classifier), after load 1.95 -> 2.93 kB (+50 %), and in 1 more such builds; "
        "with nothing pinned (c, plain, loaded), 5,000 elements of modules are float16, were float32 "
        "(classifier), after load 3.91 -> 1.95 kB (-50 %)"
    )


def test_a_nearer_cause_silences_what_it_brings_along():
    """An adapter that is gone is one cause, not four: its file, groups and draws follow from it."""
    adapter = ADAPTER
    old = {"model.modules": MAP, "saved.tensors": {adapter: "F32"}, "weights.initialised": {adapter: [0.1]}}
    new = {
        "model.modules": {k: v for k, v in MAP.items() if k != adapter},
        "saved.tensors": {},
        "weights.initialised": {},
    }
    found = told(old, new)
    assert {v.cause.split(";")[0] for v in found.values()} == {f"1 adapter layers ({adapter}) are no longer trained"}


def test_a_lost_tensor_is_told_beside_a_configuration_that_moved():
    """What the file says otherwise explains a drift only where nothing is missing in it."""
    old = {
        "saved.config": {"config": {"a": 1}},
        "saved.tensors": {"a": "F32", "b": "F32"},
        "function.reload_drift": 0.0,
    }
    new = {"saved.config": {"config": {"a": 2}}, "saved.tensors": {"b": "F32"}, "function.reload_drift": 1.0}
    said = told(old, new)["function.reload_drift"].cause.splitlines()
    assert [line.split(":")[0] for line in said] == [
        "the saved configuration says otherwise", "what was trained is lost on reload"
    ]  # fmt: skip


def test_labels_in_a_file_explain_no_drift():
    """Names of classes move no logit: what else is lost on reload keeps its own cause."""
    old = {"saved.config": {"config": {"id2label": {"0": "bad"}}}, "function.reload_drift": 0.0}
    new = {"saved.config": {"config": {"id2label": {"0": "LABEL_0"}}}, "function.reload_drift": 1.0}
    found = told(old, new)
    assert found["saved.config"].cause.startswith("the saved configuration says otherwise: config.id2label.0 bad ->")
    assert found["function.reload_drift"].cause.startswith("what was trained is lost on reload")


def test_what_trains_otherwise_is_reloaded_otherwise():
    """An adapter that trains no more is one cause, and the reloaded map follows from it."""
    gone = {name: entry for name, entry in MAP.items() if name != ADAPTER}
    frozen = MAP | {ADAPTER: module(scaling={"default": 2.0})}
    old = {"model.modules": MAP, "model.modules.reloaded": frozen}
    new = {"model.modules": gone, "model.modules.reloaded": gone}
    found = told(old, new)
    assert {v.cause.split(";")[0] for v in found.values()} == {f"1 adapter layers ({ADAPTER}) are no longer trained"}


def test_seeds_are_told_on_one_stack():
    """A generator's state is a gate on the same versions only; then its rule names the border."""
    old = {"seeds.rng": {"load": {"torch": OTHER}, "train": {"torch": OTHER}}}
    new = {"seeds.rng": {"load": {"torch": OTHER}, "train": {"torch": "0" * 16}}}
    found = told(old, new, packages=side({})[0].environment.packages)["seeds.rng"]
    assert found.fails
    assert found.cause == "random generators stand elsewhere, first at train.torch; no package differs"


PROBLEMS = {
    "the worker died of signal 9 (out of memory?)": "the system killed the trial",
    "out of memory in train: CUDA out of memory.": "the device's memory did not suffice",
    "AssertionError in train: no message": "a module is quantised that should not be",
    "ValueError in prepare: Target module Linear4bit(...) is not supported": "an adapter meets a layer",
    "TypeError in train: got an unexpected keyword argument 'tokenizer'": "a name that the suite calls is gone",
    "training diverged: the loss is nan": "training diverged",
    "RuntimeError in train: mat1 and mat2 must have the same dtype, but got Half and Float": "modules compute in",
    "RuntimeError in load: expected scalar type Half but found Float": "modules compute in different dtypes",
    "RuntimeError in train: something nobody has met": "no known cause",
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_known_deaths_of_a_trial_are_told(problem):
    """A failed trial's problem is explained where it is of a known kind."""
    failed = told({}, {}, status=Status.FAILED, problem=problem)["trial"]
    assert failed.cause.startswith(PROBLEMS[problem])
    assert failed.cause.endswith("transformers 4.57.6 -> 5.23.0")


def test_a_crash_that_a_quantised_head_brings_is_no_cause_of_its_own():
    """Head quantised and the forward that dies of it are one cause."""
    good = {"4 bits": {"loaded": {"modules": {HEAD: "Linear float32, trains"}}, "run": "ran"}}
    bad = {"4 bits": {"loaded": {"modules": {HEAD: "Linear4bit uint8 nf4"}}, "run": "crash: AssertionError: x"}}
    cause = told({"defaults.modules": good}, {"defaults.modules": bad})["defaults.modules"].cause
    said = (
        "with nothing pinned (4 bits, loaded), the head (classifier) is quantised, was not, "
        "and it crashes when trained (AssertionError: x)"
    )
    assert cause == f"{said}; transformers 4.57.6 -> 5.23.0"


@pytest.mark.parametrize("entry", ["Linear4bit uint8 nf4", "Linear float16"])
def test_the_modes_of_a_model_that_crashes_as_it_is_made_are_no_cause_of_their_own(entry):
    """It has none: whatever tells the crash tells that, a quantised head or the crash itself."""
    good = {"loaded": {"modules": {HEAD: "Linear float16"}}, "adapted": {"modules": {}}}
    bad = {"loaded": {"modules": {HEAD: entry}}, "adapted": "crash: RuntimeError: x"}
    old = {"defaults.modules": {"4 bits": good}, "defaults.modes": {"4 bits": {"loaded": "off", "adapted": "on"}}}
    new = {"defaults.modules": {"4 bits": bad}, "defaults.modes": {"4 bits": {"loaded": "off"}}}
    verdicts = told(old, new)
    assert "RuntimeError: x" in verdicts["defaults.modes"].cause
    assert verdicts["defaults.modes"].cause == verdicts["defaults.modules"].cause


def test_a_probe_that_crashes_is_told_so():
    """A value that became a crash is explained as one."""
    cause = told({"weights.loaded": LOADED}, {"weights.loaded": "crash: KeyError: 'x'"})["weights.loaded"].cause
    assert cause.splitlines()[0].startswith("crashes, and did not: weights.loaded (KeyError: 'x')")


ODD = ("crash: E: x", "text", [1, "a"], {"a": {"b": [None]}}, {}, [], {"modules": 3, "class": []})


@pytest.fixture(scope="module")
def odd():
    """Evidence in which every part moved from one odd shape to another."""
    parts = sorted({*metrics(), *(part for example in EXAMPLES for part in example.old)})
    template = told({"model.attention": "a"}, {"model.attention": "b"})["model.attention"]
    moved = [replace(template, metric=part) for part in parts]
    sides = [side(dict.fromkeys(parts, shape)) for shape in ODD]
    return [evidence(CASE, a, b, moved) for a in sides for b in sides]


@pytest.mark.parametrize("name", sorted(rules()))
def test_rules_survive_any_shape(name, odd):
    """A part of another shape than a rule expects gives a clue of one line or none, never an exception."""
    rule: Rule = rules()[name]
    for seen in odd:
        clue = rule.find(seen)
        assert clue is None or len(clue.words.splitlines()) == 1


def test_every_rule_has_an_example():
    """No rule is without a test."""
    tested = {example.rule for example in EXAMPLES} | {"seeds", "failed_trial"}
    assert tested == rules().keys()


def test_what_rules_read_is_what_meters_declare():
    """The parts in the examples are those of real meters: a renamed metric would leave its rule blind."""
    parts = {part for example in EXAMPLES for part in example.old}
    assert parts - metrics().keys() <= {"model.dtypes.loaded"}
    assert gpu_record(CASE).case == CASE
