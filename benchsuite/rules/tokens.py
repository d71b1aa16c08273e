"""The model is fed other tokens, masks or labels: another truncation, padding or tokenizer."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.nouns import JSON
from benchsuite.rules._effects import FUNCTION, RESIDENT, TIME, WORK, either
from benchsuite.rules._looks import columns, first, some

ODD = "input.tokenizer.odd"
DIGESTS, TOKENIZER, BATCHES, PADDING = "input.digests", "input.tokenizer", "input.batches", "input.padding"


def find(seen: Evidence) -> Clue | None:
    """Digests of the tokenised rows differ, or the tokenizer does."""
    digests, tokenizer = first(seen, DIGESTS), first(seen, TOKENIZER)
    if digests is None and tokenizer is None:
        return None
    told = [f"{some(columns(digests[1], digests[2]), 6)} differ"] if digests else []
    batches = first(seen, BATCHES)
    told += [_shapes(*batches[1:])] if batches else []
    padding = seen.number_moved(PADDING)
    told += [f"padding {padding[0]:.1%} -> {padding[1]:.1%}"] if padding else []
    moved = [f"{move.path} {move.words}" for move in moves(*tokenizer[1:])] if tokenizer else []
    told += [f"the tokenizer is another ({some(moved, 2)})"] if moved else []
    told += [f"texts unlike the task's too ({some(unlike, 1)})"] if (unlike := odd(seen)) else []
    return Clue(words="other input: " + "; ".join(told), parts=seen.like(DIGESTS, TOKENIZER, BATCHES, PADDING, ODD))


def odd(seen: Evidence) -> list[str]:
    """Texts that the task does not hold and that get other tokens, each with how."""
    moved = first(seen, ODD)
    return [f"{move.path.removeprefix('texts.')} {move.words}" for move in moves(moved[1], moved[2])] if moved else []


def _shapes(old: JSON, new: JSON) -> str:
    """How the commonest batch's tensors differ: "input_ids int64 16x32 -> input_ids int64 16x12"."""
    parts = [_commonest(value).split(", ") for value in (old, new)]
    gone, came = ([p for p in a if p not in b] for a, b in (parts, parts[::-1]))
    return f"batches: {some(gone, 1) or 'nothing'} -> {some(came, 1) or 'nothing'}"


def _commonest(value: JSON) -> str:
    if isinstance(value, Mapping) and value:
        return str(max(value, key=lambda k: value[k] if isinstance(value[k], int) else 0))
    return str(value)


RULE = Rule(
    name="tokens",
    rank=10,
    find=find,
    effects={**FUNCTION, **either(TIME), **either(WORK), **either(RESIDENT), "memory.*": 0, "input.*": 0,
             "optimizer.accumulation": 0, "time.tokenise": 0, "count.python_calls.tokenise": 0,
             "saved.files": 0, "saved.written": 0},
    packages=("tokenizers", "transformers", "datasets"),
)  # fmt: skip
