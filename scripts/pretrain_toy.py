"""Makes the toy BERT that ships with the package: `python scripts/pretrain_toy.py [FOLDER]`, under a minute on a CPU.

Two objectives on sentences that the task never shows: masked words, and polarity through a head
that is thrown away. What is written has the layout of bert-base-uncased's checkpoint, in files
that old and new transformers both read; that is why they are written by hand. Run it only to make
another checkpoint: weights differ from machine to machine, so baselines must be remade with them.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from torch import nn
from transformers import BertConfig, BertForPreTraining

from benchsuite.tasks.toy import SPECIAL, TASK, sentences

FOLDER = Path(__file__).resolve().parent.parent / "benchsuite" / "tasks" / "toy_bert"
SEED, ROWS, STEPS, BATCH, LENGTH, PEAK_LR = 7, 24_000, 1000, 64, 32, 2e-3
MASKED = 0.15
IGNORED = -100
PAD, _, CLS, SEP, MASK = range(len(SPECIAL))
CONFIG = {
    "architectures": ["BertForMaskedLM"],
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 64,
    "initializer_range": 0.02,
    "intermediate_size": 128,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 64,
    "model_type": "bert",
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "pad_token_id": PAD,
    "position_embedding_type": "absolute",
    "type_vocab_size": 2,
    "vocab_size": len(TASK.vocabulary()),
}
SPECIAL_NAMES = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL, strict=True))
TOKENIZER_CONFIG = {
    "do_lower_case": True,
    "model_max_length": CONFIG["max_position_embeddings"],
    "strip_accents": None,
    "tokenize_chinese_chars": True,
    "tokenizer_class": "BertTokenizer",
    **SPECIAL_NAMES,
}


def tokenizer() -> Tokenizer:
    """BERT's own pipeline over the toy's vocabulary."""
    vocabulary = {piece: number for number, piece in enumerate(TASK.vocabulary())}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))  # noqa: S106  # a word
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)],
    )
    made.decoder = decoders.WordPiece(prefix="##")
    made.add_special_tokens(list(SPECIAL))
    return made


def rows(made: Tokenizer) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids, ROWS x LENGTH, and true labels, of sentences that are not in the task's validation."""
    hidden = frozenset(TASK.load("", 1).validation.texts)
    drawn = list(islice(sentences(SEED, without=hidden), ROWS))
    made.enable_padding(length=LENGTH, pad_id=PAD)
    ids = [encoding.ids for encoding in made.encode_batch([text for text, _, _ in drawn])]
    made.no_padding()
    return torch.tensor(ids), torch.tensor([label for _, label, _ in drawn])


def masked(ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids with some words hidden, and what was there (IGNORED elsewhere)."""
    chosen = (torch.rand(ids.shape) < MASKED) & (ids >= len(SPECIAL))
    return ids.masked_fill(chosen, MASK), ids.masked_fill(~chosen, IGNORED)


def loss_of(model: Any, head: nn.Module, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Loss of both objectives on one batch.

    The polarity head reads the mean over words, not the pooler: a pooler that already knew the
    answer would leave fine-tuning nothing to do.
    """
    inputs, words = masked(ids)
    states, pooled = model.bert(input_ids=inputs, attention_mask=(ids != PAD).long())[:2]
    guesses = model.cls(states, pooled)[0]
    spoken = (ids >= len(SPECIAL)).unsqueeze(-1)
    polarity = head((states * spoken).sum(1) / spoken.sum(1))
    language = nn.functional.cross_entropy(guesses.transpose(1, 2), words, ignore_index=IGNORED)
    return language + nn.functional.cross_entropy(polarity, labels)


def pretrain(made: Tokenizer) -> Any:
    """The trained encoder, in float32."""
    torch.set_num_threads(1)  # 64 wide is too little for two threads: they wait for one another
    torch.manual_seed(SEED)
    model, head = BertForPreTraining(BertConfig(**CONFIG)), nn.Linear(CONFIG["hidden_size"], 2)
    ids, labels = rows(made)
    optimizer = torch.optim.AdamW([*model.parameters(), *head.parameters()], lr=PEAK_LR, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_LR, total_steps=STEPS)
    for step in range(STEPS):
        chosen = torch.randint(ROWS, (BATCH,))
        loss = loss_of(model, head, ids[chosen], labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 0 or step == STEPS - 1:
            sys.stderr.write(f"step {step}: loss {loss.item():.3f}\n")
    return model.bert


def write(folder: Path, made: Tokenizer, encoder: Any) -> None:
    """All files of the checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"bert.{name}": tensor.half().contiguous() for name, tensor in encoder.state_dict().items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    made.save(str(folder / "tokenizer.json"))
    (folder / "vocab.txt").write_text("".join(piece + "\n" for piece in TASK.vocabulary()), encoding="utf-8")
    for name, what in (
        ("config.json", CONFIG),
        ("tokenizer_config.json", TOKENIZER_CONFIG),
        ("special_tokens_map.json", SPECIAL_NAMES),
    ):
        (folder / name).write_text(json.dumps(what, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Make the checkpoint and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    made = tokenizer()
    write(parser.parse_args().folder, made, pretrain(made))


if __name__ == "__main__":
    main()
