"""What was trained is lost on the way through the file: an empty adapter, a random head.

Or the file is sound, and the live model is another than it and its base make: a base that moved as it trained.
"""

from __future__ import annotations

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._looks import is_head, short, some
from benchsuite.rules._saved import acting, rebuilt

DRIFT, TENSORS, VALUES = "function.reload_drift", "saved.tensors", "saved.values"
LEAST = 1e-3


def find(seen: Evidence) -> Clue | None:
    """Saved and reloaded model answer differently, and did not; not for what the file says, or what was built of it."""
    drift = seen.number_moved(DRIFT)
    if drift is None or drift[1] <= max(drift[0], LEAST):
        return None
    lost = _lost(seen)
    if not lost and (acting(seen) or any(field != "trains" for _, field, _ in rebuilt(seen))):
        return None
    apart = f"logits differ by {drift[1]:.3g} from those before saving (was {drift[0]:.3g})"
    if not lost and _sound(seen):
        return Clue(
            words="every saved value is the one that was trained, and reloaded: what the file does not hold, as the "
            f"weights under an adapter, moved in the live model as it trained, or is loaded otherwise; {apart}",
            parts=(DRIFT,),
        )
    gone = f"; not in the file any more: {some(map(short, lost), 3)}" if lost else ""
    what = "the head" if lost and all(is_head(name) for name in lost) else "what was trained"
    return Clue(
        words=f"{what} is lost on reload: {apart}{gone}",
        parts=(DRIFT, *(() if not lost else (TENSORS,))),
    )


def _sound(seen: Evidence) -> bool:
    """Whether the file was read, and holds what was trained, and the reloaded model what it holds."""
    pair = seen.pair(VALUES)
    return pair is not None and seen.moved(VALUES) is None and _clean(pair[1])


def _clean(value: JSON) -> bool:
    return isinstance(value, dict) and not value.get("not_as_trained") and not value.get("not_as_saved")


def _lost(seen: Evidence) -> list[str]:
    old, new = seen.moved(TENSORS) or ({}, {})
    return [name for name in old if name not in new] if isinstance(old, dict) and isinstance(new, dict) else []


RULE = Rule(
    name="reload",
    rank=15,
    find=find,
    effects={"quality.accuracy.reloaded": -1, "quality.loss.reloaded": 1, "quality.logits": 0,
             "function.merge_drift": 0, "saved.*": 0},
    unless=("evaluation_random",), packages=("peft", "transformers"),
)  # fmt: skip
