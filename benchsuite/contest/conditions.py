"""Whether a pair of trials may be used: what disturbed one of them, and what only was so. Pure.

A power cap that acts in both arms is a condition: a small GPU at full load lives under one, and its clock
then follows the load. Heat, a hardware slowdown, another process and swapping are none: the pair is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from ..nouns import Record
from ..units import is_number
from .order import Pair

THROTTLE, CLOCK = "nvml.throttle_reasons", "nvml.sm_clock"
READ = (THROTTLE, CLOCK)
"""What tells whether a pair may be used: every trial measures it."""
POWER_CAP = 0x4
SLOWDOWNS = {0x8: "a hardware slowdown", 0x20: "heat", 0x40: "heat (hardware)", 0x80: "the power brake"}
"""NVML's bits for reasons that have nothing to do with what is measured."""
CLOCK_SPREAD = 0.02
"""By how much the clocks of two arms without a power cap may lie apart; measured spreads replace it."""
INPUTS = "inputs"
ACTIONS = {
    "process": "free the GPU (nvidia-smi shows what runs there), or give another: --device",
    "swap": "free memory: what is swapped out costs time at random",
    "slowdown": "let it cool, mend its cooling or power, or lower its load; then call again",
    "clock": "hold them: nvidia-smi --lock-gpu-clocks, or take a machine whose clocks are at rest",
    INPUTS: "give both arms the same data and weights: --data, --model",
    "failed": "its log says why",
}


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why a pair was dropped."""

    kind: str
    """A key of `ACTIONS`."""
    words: str

    @property
    def action(self) -> str:
        """What to change."""
        return ACTIONS.get(self.kind, "")

    @property
    def note(self) -> str:
        """What a record keeps of it."""
        return f"{self.kind}: {self.words}"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the parent saw of the machine while one trial ran."""

    strangers: int
    """Compute processes on the trial's GPU that were not the trial's, at most."""
    swapped: int
    """Bytes that the system moved from and to swap meanwhile."""
    named: bool = False
    """Whether the driver calls processes by the numbers that they have here; in a container it may not."""


def recalled(problem: str) -> Reason:
    """The reason that an invalid record keeps."""
    kind, found, words = problem.partition(": ")
    return Reason(kind=kind, words=words) if found and kind in ACTIONS else Reason(kind="", words=problem)


QUIET = Seen(strangers=0, swapped=0)
MUCH_SWAP = 16 * 2**20
"""Bytes; a page or two is moved on any machine."""


def disturbance(seen: Seen) -> Reason | None:
    """What the parent saw that voids a trial."""
    if seen.strangers:
        processes = "another process" if seen.strangers == 1 else f"{seen.strangers} other processes"
        return Reason(kind="process", words=f"{processes} used the GPU during the trial")
    if seen.swapped > MUCH_SWAP:
        return Reason(kind="swap", words=f"the system swapped {seen.swapped / 2**20:.0f} MiB during the trial")
    return None


def slowdown(record: Record) -> Reason | None:
    """What slowed the GPU down in a trial, power caps apart."""
    mask = _number(record, THROTTLE)
    found = [words for bit, words in SLOWDOWNS.items() if mask is not None and int(mask) & bit]
    return Reason(kind="slowdown", words=f"the GPU was slowed down by {' and '.join(found)}") if found else None


def capped(record: Record) -> bool:
    """Whether a power cap acted in a trial."""
    mask = _number(record, THROTTLE)
    return mask is not None and bool(int(mask) & POWER_CAP)


def reason(pair: Pair, spread: float = CLOCK_SPREAD) -> Reason | None:
    """Why two trials that went well must not be compared; None where they may.

    Args:
        pair: The trials.
        spread: By how much their clocks may lie apart, as a share, where no power cap acts in both.
    """
    slowed = next(filter(None, map(slowdown, pair.records)), None)
    return slowed or _inputs(pair) or _clocks(pair, spread)


def _inputs(pair: Pair) -> Reason | None:
    a, b = pair.a.provenance, pair.b.provenance
    names = ("data", "data_digest", "weights", "weights_digest")
    apart = [name for name in names if getattr(a, name) != getattr(b, name)]
    words = "; ".join(f"{name} {getattr(a, name)} / {getattr(b, name)}" for name in apart)
    return Reason(kind=INPUTS, words=f"the arms had other inputs: {words}") if apart else None


def _clocks(pair: Pair, spread: float) -> Reason | None:
    a, b = (_number(record, CLOCK) for record in pair.records)
    if not a or not b or all(map(capped, pair.records)) or abs(b / a - 1) <= spread:
        return None
    return Reason(
        kind="clock", words=f"the GPU's clock was {a:.0f} MHz in A and {b:.0f} MHz in B, and no power cap acted in both"
    )


def _number(record: Record, metric: str) -> float | None:
    measured = record.metrics.get(metric)
    return float(measured.value) if measured is not None and is_number(measured.value) else None


def told(used: Sequence[Pair]) -> tuple[str, ...]:
    """The conditions under which the pairs that count were measured, in words."""
    records = [record for pair in used for record in pair.records]
    caps = sum(map(capped, records))
    lines = [f"a power cap acted in {caps} of {len(records)} trials"] if caps else []
    clocks = sorted(filter(None, (_number(record, CLOCK) for record in records)))
    if clocks:
        lines.append(f"GPU clock {clocks[0]:.0f} to {clocks[-1]:.0f} MHz, median {median(clocks):.0f}")
    return tuple(lines)


def gpus(records: Iterable[Record]) -> tuple[str, ...]:
    """The GPUs that records name, each once."""
    found = (record.environment.hardware for record in records)
    return tuple(dict.fromkeys(f"{h['gpu']}, {h.get('gpu_memory', '')}" for h in found if "gpu" in h))
