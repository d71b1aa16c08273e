"""CUDA_VISIBLE_DEVICES against the GPU that a run takes."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.checks._mend import unset
from benchsuite.condition import Card, Probe
from benchsuite.diagnosis import Ailment, Check, Diagnosis, Level, fine

NAME = "CUDA_VISIBLE_DEVICES"

HIDDEN = Ailment(
    code="visible.none", level=Level.WARNING,
    seen="CUDA_VISIBLE_DEVICES={value} hides every GPU from other programs; a run would take GPU {index} all the same",
    command="{unset}",
    typed=("unset CUDA_VISIBLE_DEVICES",),
)  # fmt: skip
UNKNOWN = Ailment(
    code="visible.unknown", level=Level.WARNING,
    seen="CUDA_VISIBLE_DEVICES={value} names no GPU that NVML shows ({have}); a run would take GPU {index}",
    command="{unset}",
    typed=("unset CUDA_VISIBLE_DEVICES",),
)  # fmt: skip
OTHER = Ailment(
    code="visible.other", level=Level.WARNING,
    seen="CUDA_VISIBLE_DEVICES={value} allots GPU {allotted} to you, and a run would take GPU {index}",
    command="pytest bench -m gpu --suite-device {allotted}",
)  # fmt: skip


def allotted(probe: Probe, value: str) -> list[Card]:
    """The GPUs that a value names, up to the first that it does not know, as CUDA reads it."""
    found = []
    for word in (part.strip() for part in value.split(",")):
        # CUDA takes a UUID's beginning as well, if it is one GPU's alone.
        long = word.startswith("GPU-")
        match = [c for c in probe.cards if word == str(c.index) or (long and c.uuid.startswith(word))]
        if len(match) != 1:
            break
        found.append(match[0])
    return found


def examine(probe: Probe) -> Iterator[Diagnosis]:
    """A run picks its GPU by NVML and hides the others from its trials, whatever the variable says."""
    card, value = probe.chosen, probe.variables.get(NAME)
    if card is None or value is None:
        return
    seen = allotted(probe, value)
    have = ", ".join(str(other.index) for other in probe.cards)
    fields = {"value": value or '""', "index": card.index, "have": have, "unset": unset(probe, NAME)}
    if not value.strip() or value.strip() == "-1":
        yield HIDDEN.found(**fields)
    elif not seen:
        yield UNKNOWN.found(**fields)
    elif card not in seen:
        yield OTHER.found(**fields, allotted=seen[0].index)
    else:
        yield fine("visible", f"CUDA_VISIBLE_DEVICES={value} includes GPU {card.index}, which a run takes")


CHECK = Check(
    name="visible",
    title="CUDA_VISIBLE_DEVICES, by which schedulers allot GPUs, agrees with the GPU that a run takes "
    "(the emptiest, or `--suite-device`).", quick=True,
    ailments=(HIDDEN, UNKNOWN, OTHER), examine=examine,
)  # fmt: skip
