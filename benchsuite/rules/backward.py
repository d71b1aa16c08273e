"""The backward pass computes other gradients than the model in 64 bits has: a lost, scaled or misplaced one."""

from __future__ import annotations

from collections.abc import Mapping

from benchsuite.evidence import Clue, Evidence, Rule
from benchsuite.nouns import JSON
from benchsuite.rules._effects import CURVE, WORK, either
from benchsuite.rules._looks import first, number, short
from benchsuite.rules._multiples import times
from benchsuite.units import is_number

BACKWARD, OWN, OFF, ALL = (f"optimizer.backward{part}" for part in ("", ".own", ".off", ".exact"))


def find(seen: Evidence) -> Clue | None:
    """Gradients lie further from the twin's, or nearer, than they did; says of which tensors, where some stand out."""
    moved = first(seen, OWN, BACKWARD)
    if moved is None:
        return None
    old, new = (number(side, "largest") for side in moved[1:])
    off = f": off by up to {_share(new)}, were by {_share(old)}" if old is not None and new is not None else ""
    words = _by_tensor(seen) or f"gradients are not those of the model in 64 bits{off}"
    return Clue(words=words, parts=seen.like(OWN, BACKWARD))


def _share(off: float) -> str:
    return f"{off:.1%}" if off >= 0.001 else f"{off:.1e}"  # noqa: PLR2004


def _by_tensor(seen: Evidence) -> str:
    """Tensors whose gradients are off now and were not."""
    before, now = seen.pair(OFF) or (None, None)
    if not isinstance(now, Mapping):
        return ""
    came = {n: _times(pair) for n, pair in now.items() if not isinstance(before, Mapping) or n not in before}
    if not came:
        return ""
    exact = (seen.pair(ALL) or (None, None))[1]
    of = f" of {len(exact) - 1}" if isinstance(exact, Mapping) else ""
    ratio = times(came.values()) or "other than"
    place = short(str(next(iter(came))))
    return f"gradients of {len(came)}{of} tensors are {ratio} what 64-bit arithmetic gives, first {place}"


def _times(pair: JSON) -> float | None:
    """How many times the wanted gradient one is, where it is nothing else besides."""
    if not (isinstance(pair, list | tuple) and len(pair) == 2 and all(is_number(one) for one in pair)):  # noqa: PLR2004
        return None
    share, off = float(pair[0]), float(pair[1])
    return share if abs(abs(share - 1) - off) <= 0.1 * off else None


RULE = Rule(
    name="backward",
    rank=33,
    find=find,
    effects={**CURVE, **either(WORK), "optimizer.backward*": 0},
    unless=(
        "quantised_set", "quantisation_format", "unquantised_dtype", "trainable_set", "modes", "rounding",
        "compute_dtypes", "precision_flags",
    ),
    packages=("bitsandbytes", "torch", "peft", "transformers"),
)  # fmt: skip
