"""What a GPU's compute capability rules out."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.condition import Card, Probe
from benchsuite.diagnosis import Ailment, Check, Diagnosis, Level, fine

NEEDS = (("nf4", (6, 0)), ("int8", (7, 5)), ("bf16", (8, 0)))
"""From which capability on the hardware, or bitsandbytes' kernels, have it."""
WHY = {
    "nf4": "bitsandbytes has no 4-bit kernels for it",
    "int8": "bitsandbytes has no int8 kernels for it",
    "bf16": "torch accepts bf16 there and emulates it, slowly",
}
COMMAND = "pytest bench -m gpu --suite-regimes {others}"

NF4 = Ailment(
    code="capability.nf4", level=Level.ERROR,
    seen="{gpu} has capability {capability}, and 4-bit weights need 6.0 ({why}): it rules out {ruled}",
    command=COMMAND,
)  # fmt: skip
INT8 = Ailment(
    code="capability.int8", level=Level.WARNING,
    seen="{gpu} has capability {capability}, and int8 needs 7.5 ({why}): it rules out {ruled}",
    command=COMMAND,
)  # fmt: skip
BF16 = Ailment(
    code="capability.bf16", level=Level.WARNING,
    seen="{gpu} has capability {capability}, and bf16 needs 8.0 ({why}): it rules out {ruled}",
    command=COMMAND,
)  # fmt: skip
AILMENTS = {"nf4": NF4, "int8": INT8, "bf16": BF16}


def lacking(card: Card) -> list[str]:
    """What the GPU has not got."""
    return [need for need, least in NEEDS if card.capability < least]


def examine(probe: Probe) -> Iterator[Diagnosis]:
    """Wanted regimes that cannot run, or run emulated; what else the GPU has not got stands in the ok line."""
    card = probe.chosen
    if card is None:
        return
    lacks = lacking(card)
    wanted = [demand for demand in probe.demands if demand.regime in probe.regimes]
    others = ",".join(demand.regime for demand in probe.demands if not demand.needs & set(lacks))
    capability = "{}.{}".format(*card.capability)
    for need in lacks:
        if ruled := ", ".join(demand.regime for demand in wanted if need in demand.needs):
            yield AILMENTS[need].found(
                gpu=card.name, capability=capability, why=WHY[need], ruled=ruled, others=others or "fp32"
            )
    has = ", ".join(need for need, _ in NEEDS if need not in lacks) or "none of nf4, int8, bf16"
    without = "; no wanted regime uses what it lacks: " + ", ".join(f"{need} ({WHY[need]})" for need in lacks)
    if not any(demand.needs & set(lacks) for demand in wanted):
        yield fine("capability", f"{card.name} has capability {capability}: {has}{without if lacks else ''}")


CHECK = Check(
    name="capability",
    title="The GPU's compute capability has what the regimes need: 4-bit weights from 6.0, int8 from "
    "7.5, bf16 from 8.0 (a T4 has 7.5).", quick=True,
    ailments=(NF4, INT8, BF16), examine=examine,
)  # fmt: skip
