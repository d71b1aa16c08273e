"""Other processes on the GPU."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.checks.vram import RELEASES, release, tell
from benchsuite.condition import Probe
from benchsuite.diagnosis import Ailment, Check, Diagnosis, Level, fine

BUSY = Ailment(
    code="neighbours.busy", level=Level.WARNING,
    seen="others are on {gpu}, and times will not repeat: {who}",
    command="{command}",
    typed=RELEASES,
)  # fmt: skip


def examine(probe: Probe) -> Iterator[Diagnosis]:
    """Whoever else computes there; who started us is `context`'s matter."""
    card = probe.chosen
    if card is None:
        return
    others = tuple(tenant for tenant in card.tenants if not tenant.ancestor)
    if others:
        yield BUSY.found(gpu=card.name, who=tell(others), command=release(probe, card))
    else:
        yield fine("neighbours", f"no other process on {card.name}")


CHECK = Check(
    name="neighbours",
    title="Nobody else computes on the GPU: a neighbour moves every time that is measured.", quick=True,
    ailments=(BUSY,), examine=examine,
)  # fmt: skip
