"""Little checkpoints of other architectures than BERT, and a little SST-2, as people would bring their own."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from benchsuite.tasks.toy import TASK

SPECIAL = ("<unk>", "<s>", "</s>", "<pad>")
WIDTH, LAYERS = 64, 2


def data(folder: Path, train: int = 64, validation: int = 48) -> Path:
    """Sentences of the toy in GLUE's layout of SST-2."""
    folder.mkdir(parents=True)
    rows = TASK.load("", train)
    for name, split, count in (("train", rows.train, train), ("dev", rows.validation, validation)):
        pairs = list(zip(split.texts, split.labels, strict=True))[:count]
        lines = "".join(f"{text}\t{label}\n" for text, label in pairs)
        (folder / f"{name}.tsv").write_text(f"sentence\tlabel\n{lines}", encoding="utf-8")
    return folder


def tokenizer(folder: Path, **special: str) -> int:
    """Saves a fast tokenizer that knows whole words; how many. Its special tokens stand first."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = [*SPECIAL, *dict.fromkeys(chain.from_iterable(text.split() for text in TASK.load("", 200).train.texts))]
    whole = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token=SPECIAL[0]))
    whole.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=whole, unk_token=SPECIAL[0], **special).save_pretrained(folder)
    return len(words)


def llama(folder: Path) -> Path:
    """A decoder with weights in safetensors, and neither a head nor a pad token."""
    import torch
    from transformers import LlamaConfig, LlamaModel

    torch.manual_seed(0)
    words = tokenizer(folder, bos_token="<s>", eos_token="</s>")
    config = LlamaConfig(
        vocab_size=words, hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=LAYERS,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    LlamaModel(config).save_pretrained(folder)
    return folder


def modernbert(folder: Path) -> Path:
    """A shape alone: configuration and tokenizer, for random weights."""
    from transformers import ModernBertConfig

    words = tokenizer(folder, pad_token="<pad>", cls_token="<s>", sep_token="</s>")
    ModernBertConfig(
        vocab_size=words, hidden_size=WIDTH, intermediate_size=96, num_hidden_layers=LAYERS, num_attention_heads=4,
        max_position_embeddings=64, global_attn_every_n_layers=2, local_attention=16, pad_token_id=3, bos_token_id=1,
        eos_token_id=2, cls_token_id=1, sep_token_id=2,
    ).save_pretrained(folder)  # fmt: skip
    return folder
