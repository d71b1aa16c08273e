"""A CUDA context in the process that starts the trials, or in one that started it."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.checks._mend import gigabytes
from benchsuite.condition import Probe
from benchsuite.diagnosis import Ailment, Check, Diagnosis, Level, fine

HELD = Ailment(
    code="context.held", level=Level.ERROR,
    seen="this very process holds a CUDA context, so every trial would be invalid: another test or a conftest.py used "
    "the GPU first",
    command="pytest bench -m gpu",
)  # fmt: skip
PARENT = Ailment(
    code="context.parent", level=Level.WARNING,
    seen="{name} (pid {pid}), which started this, holds {memory} on {gpu}: most likely a notebook's kernel that used "
    "the GPU itself",
    command="kill {pid}",
)  # fmt: skip


def examine(probe: Probe) -> Iterator[Diagnosis]:
    """Our own context makes trials invalid; an ancestor's takes memory and time."""
    if probe.context:
        yield HELD.found()
    card = probe.chosen
    if card is None:
        return
    above = [tenant for tenant in card.tenants if tenant.ancestor]
    for tenant in above:
        memory = gigabytes(tenant.memory) if tenant.memory else "memory"
        yield PARENT.found(name=tenant.name, pid=tenant.pid, memory=memory, gpu=card.name)
    if not above and not probe.context:
        yield fine("context", "neither this process nor one that started it holds a CUDA context")


CHECK = Check(
    name="context",
    title="The process that starts the trials holds no CUDA context, nor does one that started it.",
    quick=True, ailments=(HELD, PARENT), examine=examine,
)  # fmt: skip
