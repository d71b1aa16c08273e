"""Faults of input: what the tokenizer says, which rows come when, and what a batch holds."""

from __future__ import annotations

from typing import Any

from benchsuite.faults._fault import BOTH, Around, after, fault, of, with_arguments, wrap


@fault(
    "texts are cut after 12 tokens",
    listed="truncation shortened", threads=("transformers#45812",), libraries=("transformers", "tokenizers"),
    regimes=BOTH, seen_by=("input.digests",), word="token ids",
)  # fmt: skip
def truncation_shortened() -> None:
    """Overrule the length asked for."""
    from transformers import PreTrainedTokenizerBase

    with_arguments(PreTrainedTokenizerBase, "__call__", max_length=12)


@fault(
    "the rows of an epoch come in another order under the same seed",
    listed="sampler order changed", threads=("accelerate#2208", "accelerate#2319"), libraries=("accelerate",),
    regimes=BOTH, seen_by=("input.order",), word="order", reduced=True,
)  # fmt: skip
def sampler_order() -> None:
    """Seed the sampler with the next number, whichever of the two kinds the versions use."""
    import torch
    from accelerate.data_loader import SeedableRandomSampler
    from torch.utils.data import RandomSampler

    def reseed(call: Around, sampler: Any) -> Any:
        sampler.generator = torch.Generator().manual_seed(43)
        return call(sampler)

    def shift(call: Around, sampler: Any) -> Any:
        sampler.initial_seed += 1
        return call(sampler)

    wrap(RandomSampler, "__iter__", reseed)
    wrap(SeedableRandomSampler, "__iter__", shift)


@fault(
    "training rows are not shuffled",
    libraries=("transformers", "accelerate"), regimes=BOTH, seen_by=("input.order",), word="order",
)  # fmt: skip
def shuffle_lost() -> None:
    """Go through them one after the other."""
    from torch.utils.data import SequentialSampler
    from transformers import Trainer

    wrap(Trainer, "_get_train_sampler", lambda _call, trainer, *_: SequentialSampler(trainer.train_dataset))


def _loaded_tokenizer(turn: Any) -> None:
    from transformers import AutoTokenizer

    after(AutoTokenizer, "from_pretrained", turn, on_result=True)


@fault(
    "the tokenizer no longer lower-cases",
    libraries=("transformers", "tokenizers"), regimes=BOTH, seen_by=("input.tokenizer",), word="normali",
)  # fmt: skip
def lowercase_off() -> None:
    """Put another normaliser in: texts that are lower-case already come out as before."""
    from tokenizers.normalizers import BertNormalizer

    def turn(tokenizer: Any) -> None:
        tokenizer.backend_tokenizer.normalizer = BertNormalizer(lowercase=False)

    _loaded_tokenizer(turn)


@fault(
    "the tokenizer returns no token types",
    libraries=("transformers",), regimes=BOTH, seen_by=("input.digests",), word="token types",
)  # fmt: skip
def token_types_missing() -> None:
    """Take them off its list of model inputs."""

    def turn(tokenizer: Any) -> None:
        tokenizer.model_input_names = [name for name in tokenizer.model_input_names if name != "token_type_ids"]

    _loaded_tokenizer(turn)


@fault(
    "padding stands on the left",
    libraries=("transformers", "tokenizers"), regimes=BOTH, seen_by=("input.digests",), word="token ids",
)  # fmt: skip
def padding_left() -> None:
    """Turn the tokenizer's side."""

    def turn(tokenizer: Any) -> None:
        tokenizer.padding_side = "left"

    _loaded_tokenizer(turn)


@fault(
    "[CLS] and [SEP] are not added",
    libraries=("transformers", "tokenizers"), regimes=BOTH, seen_by=("input.digests",), word="token ids",
)  # fmt: skip
def special_tokens_missing() -> None:
    """Ask for none."""
    from transformers import PreTrainedTokenizerBase

    with_arguments(PreTrainedTokenizerBase, "__call__", add_special_tokens=False)


@fault(
    "within a batch, each text carries its neighbour's label",
    libraries=("transformers",), regimes=BOTH, seen_by=("input.content", "input.received"), word="label",
)  # fmt: skip
def labels_shifted() -> None:
    """Roll the labels of every batch that the collator makes."""
    from transformers.data import data_collator

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        batch = call(*args, **kwargs)
        return {**batch, "labels": batch["labels"].roll(1)}

    wrap(data_collator, "default_data_collator", around)


@fault(
    "every batch's attention mask is all ones",
    libraries=("transformers",), regimes=BOTH, seen_by=("input.content", "input.received"), word="attention masks",
)  # fmt: skip
def collated_masks_full() -> None:
    """Fill it in every batch that the collator makes."""
    import torch
    from transformers.data import data_collator

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        batch = call(*args, **kwargs)
        return {**batch, "attention_mask": torch.ones_like(batch["attention_mask"])}

    wrap(data_collator, "default_data_collator", around)


@fault(
    "evaluation during training sees only the first hundred rows",
    libraries=("transformers",), regimes=BOTH, seen_by=("input.evaluation",), word="rows",
)  # fmt: skip
def evaluation_rows_cut() -> None:
    """Cut the data set at the door of the evaluation loader."""
    from transformers import Trainer

    def around(call: Around, trainer: Any, eval_dataset: Any = None) -> Any:
        whole = trainer.eval_dataset if eval_dataset is None else eval_dataset
        return call(trainer, whole.select(range(min(100, len(whole)))))

    wrap(Trainer, "get_eval_dataloader", around)


@fault(
    "the second epoch repeats the order of the first: nobody tells the sampler of it",
    libraries=("transformers", "accelerate"), regimes=BOTH, seen_by=("input.fed",), word="that of epoch 1 again",
)  # fmt: skip
def epoch_not_told() -> None:
    """While a Trainer trains, begin each epoch's draw where the first began, whichever of the two kinds draws."""
    import torch
    from accelerate.data_loader import SeedableRandomSampler
    from transformers import Trainer

    states: dict[int, Any] = {}
    inside: list[bool] = []

    def train(call: Around, *args: Any, **kwargs: Any) -> Any:
        states.clear()
        inside.append(True)
        try:
            return call(*args, **kwargs)
        finally:
            inside.pop()

    def draw(call: Around, sampler: Any) -> Any:
        generator = sampler.generator
        if inside and generator is not None:
            generator.set_state(states.setdefault(id(sampler), generator.get_state()))
        return call(sampler)

    wrap(Trainer, "train", train)
    wrap(torch.utils.data.RandomSampler, "__iter__", draw)
    wrap(SeedableRandomSampler, "set_epoch", lambda call, self, epoch: call(self, 0 if inside else epoch))


@fault(
    "the names of special tokens in a text are taken for words",
    libraries=("transformers", "tokenizers"), regimes=BOTH, seen_by=("input.tokenizer.odd",),
    word="unlike the task's",
)  # fmt: skip
def special_tokens_split() -> None:
    """Have every tokenizer split them."""

    def turn(tokenizer: Any) -> None:
        tokenizer.split_special_tokens = True

    _loaded_tokenizer(turn)


FAULTS = of(vars())
