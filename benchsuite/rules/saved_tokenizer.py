"""The tokenizer in the saved folder is not the one that was used, or there is none."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.judges._diff import moves
from benchsuite.nouns import JSON
from benchsuite.rules._looks import CRASH, is_crash, some
from benchsuite.rules._saved import FILES, TOKENIZER, names


def find(seen: Evidence) -> Clue | None:
    """Other ids, other settings, or a tokenizer that cannot be read any more."""
    moved = seen.moved(TOKENIZER)
    told = _told(*moved) if moved is not None else ""
    if not told:
        return None
    gone, _ = names(seen, FILES)
    missing = f"; gone from the folder: {some(gone)}" if gone else ""
    return Clue(words=f"the saved tokenizer is not the one that was used: {told}{missing}", parts=(TOKENIZER,))


def _told(old: JSON, new: JSON) -> str:
    if is_crash(new) and not is_crash(old):
        return f"it cannot be read ({new.removeprefix(CRASH).strip()})"
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return ""
    ids, was = (side.get("other_ids") for side in (new, old))
    told = [f"{ids} of {new.get('texts')} texts get other ids"] if ids != was else []
    differs, known = (side.get("differs") for side in (new, old))
    fresh = [move.path for move in moves(known, differs)]
    settings = dict.fromkeys(path.partition(".")[0].partition("[")[0] for path in fresh)
    return some([*told, *(_setting(name, differs) for name in settings)], 3)


def _setting(name: str, differs: JSON) -> str:
    """A setting as it was used and as it is saved; one that is no longer off has only its name."""
    match differs.get(name) if isinstance(differs, Mapping) else None:
        case [used, saved]:
            return f"{name} {some((move.words for move in moves(used, saved)), 1)}"
    return name


RULE = Rule(
    name="saved_tokenizer",
    rank=13,
    find=find,
    effects={"saved.files": 0, "saved.written": 0},
    packages=("transformers", "tokenizers"),
)
