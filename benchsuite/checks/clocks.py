"""Clocks, persistence mode, power limit, and what holds the GPU back now."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.checks._mend import nvidia_smi
from benchsuite.condition import Card, Probe
from benchsuite.diagnosis import Ailment, Check, Diagnosis, Level, fine

REASONS = ((0x08, "hardware slowdown"), (0x20, "heat (software)"), (0x40, "heat (hardware)"), (0x80, "power brake"))
"""Bits of NVML that mean harm at rest as well; idle, a power cap under load and set clocks do not."""

PERSISTENCE = Ailment(
    code="clocks.persistence", level=Level.WARNING,
    seen="persistence mode is off on {gpu}: the driver unloads between trials, and each pays seconds to load it",
    command="{persist}",
    typed=("sudo nvidia-smi -i UUID -pm 1",),
)  # fmt: skip
THROTTLED = Ailment(
    code="clocks.throttled", level=Level.WARNING,
    seen="{gpu} is slowed down right now by {reasons}: times will not repeat",
    command="nvidia-smi -i {uuid} -q -d PERFORMANCE,TEMPERATURE,POWER",
)  # fmt: skip
LOWERED = Ailment(
    code="clocks.set", level=Level.WARNING,
    seen="the application clock of {gpu} is set to {now} MHz, its default is {default} MHz",
    command="{reset}",
    typed=("sudo nvidia-smi -i UUID -rac",),
)  # fmt: skip
LIMITED = Ailment(
    code="clocks.power", level=Level.WARNING,
    seen="the power limit of {gpu} is {limit:.0f} W, its default is {usual:.0f} W",
    command="{power}",
    typed=("sudo nvidia-smi -i UUID -pl WATTS",),
)  # fmt: skip


def _findings(probe: Probe, card: Card) -> Iterator[Diagnosis]:
    if card.persistence is False and probe.system == "Linux":
        yield PERSISTENCE.found(gpu=card.name, persist=nvidia_smi(probe, card, "-pm 1"))
    if reasons := [name for bit, name in REASONS if card.throttle & bit]:
        yield THROTTLED.found(gpu=card.name, uuid=card.uuid, reasons=" and ".join(reasons))
    if card.clocks and card.clocks[0] != card.clocks[1]:
        now, default = card.clocks
        yield LOWERED.found(gpu=card.name, now=now, default=default, reset=nvidia_smi(probe, card, "-rac"))
    if card.power and card.power[0] < card.power[1]:
        limit, usual = (milliwatts / 1000 for milliwatts in card.power)
        yield LIMITED.found(gpu=card.name, limit=limit, usual=usual, power=nvidia_smi(probe, card, f"-pl {usual:.0f}"))


def examine(probe: Probe) -> Iterator[Diagnosis]:
    """Each setting of the GPU that is not as it was delivered."""
    card = probe.chosen
    if card is None:
        return
    found = list(_findings(probe, card))
    yield from found
    if not found:
        yield fine("clocks", f"{card.name} is not throttled; clocks, power limit and persistence are as they should be")


CHECK = Check(
    name="clocks",
    title="Nothing holds the GPU's clocks down: heat, power, a clock or limit that somebody set; and "
    "persistence mode keeps the driver loaded.", quick=True,
    ailments=(PERSISTENCE, THROTTLED, LOWERED, LIMITED), examine=examine,
)  # fmt: skip
