"""The saved folder holds other files, or a file says something else that no reader made anything of."""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.nouns import JSON
from benchsuite.rules._looks import first, size, some
from benchsuite.rules._saved import BYTES, CONFIG, FILES, TENSORS, TOKENIZER, WRITTEN, names
from benchsuite.units import is_number


def find(seen: Evidence) -> Clue | None:
    """Files came or went; or else one says something else, and nothing nearer was told of."""
    gone, came = names(seen, FILES)
    told_of = [metric for metric in (CONFIG, TOKENIZER, TENSORS) if seen.moved(metric) is not None]
    gone = {} if TOKENIZER in told_of else gone
    if gone or came:
        told = [f"{_named(came)} new"] if came else []
        told += [f"{_named(gone)} gone"] if gone else []
        weighed = seen.like(BYTES) if TENSORS not in told_of else ()
        return Clue(words=f"the saved folder holds other files: {'; '.join(told)}", parts=(FILES, *weighed))
    if told_of:
        return None
    said = [m for metric in (WRITTEN, FILES) if (pair := first(seen, metric)) for m in moves(*pair[1:])]
    told = [f"{move.path} {move.words}" for move in said]
    return (
        Clue(words=f"saved files say something else: {some(told, 3)}", parts=seen.like(WRITTEN, FILES))
        if told
        else None
    )


def _named(files: dict[str, JSON]) -> str:
    sized = [f"{name} ({size(weight)})" if is_number(weight) else name for name, weight in files.items()]
    return f"{some(sized)} {'is' if len(files) == 1 else 'are'}"


RULE = Rule(
    name="saved_files",
    rank=24,
    find=find,
    effects={"saved.written": 0},
    packages=("transformers", "peft", "tokenizers"),
)
