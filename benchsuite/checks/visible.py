"""CUDA_VISIBLE_DEVICES, which a run honours: whether it leaves any GPU."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.checks._mend import unset
from benchsuite.condition import Probe
from benchsuite.diagnosis import Ailment, Check, Diagnosis, Level, fine

NAME = "CUDA_VISIBLE_DEVICES"

NONE = Ailment(
    code="visible.none", level=Level.WARNING,
    seen="CUDA_VISIBLE_DEVICES={value} leaves none of the {hidden} GPUs that NVML shows: GPU cases are skipped",
    command="{unset}",
    typed=("unset CUDA_VISIBLE_DEVICES",),
)  # fmt: skip


def examine(probe: Probe) -> Iterator[Diagnosis]:
    """What the variable leaves; nothing where it is not set, or no GPU is there anyway."""
    value = probe.variables.get(NAME)
    if value is None:
        return
    if probe.hidden:
        yield NONE.found(value=value or '""', hidden=probe.hidden, unset=unset(probe, NAME))
    elif probe.cards:
        names = ", ".join(card.name for card in probe.cards)
        yield fine("visible", f"CUDA_VISIBLE_DEVICES={value} leaves {names}")


CHECK = Check(
    name="visible",
    title="CUDA_VISIBLE_DEVICES, by which schedulers allot GPUs, leaves one.", quick=True,
    ailments=(NONE,), examine=examine,
)  # fmt: skip
