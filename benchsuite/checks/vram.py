"""Free memory on the GPU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchsuite.checks._mend import gigabytes
from benchsuite.condition import Card, Probe, Tenant
from benchsuite.diagnosis import Ailment, Check, Diagnosis, Level, fine

NEED: Mapping[str, int] = {"fp32": 3_810_000_000, "qlora": 1_320_000_000}
"""Bytes that a trial's process held on an H200 (BERT-base, batch 16 x 128): allocator and CUDA context."""
RELEASES = (
    "pytest bench -m gpu --suite-device INDEX", "kill PID", "ps -o user,pid,lstart,args -p PID", "nvidia-smi",
)  # fmt: skip
"""Another GPU is empty; the process is yours; it is somebody else's; it cannot be seen from here."""

SMALL = Ailment(
    code="vram.small", level=Level.ERROR,
    seen="{gpu} has {memory} in all, and {regime} takes about {need}",
    command="pytest bench -m gpu --suite-regimes qlora",
)  # fmt: skip
TAKEN = Ailment(
    code="vram.taken", level=Level.ERROR,
    seen="{free} of {memory} are free on {gpu}, and {regime} takes about {need}; {who}",
    command="{command}",
    typed=RELEASES,
)  # fmt: skip


def release(probe: Probe, card: Card) -> str:
    """How to get a GPU's memory: another GPU, an end to one's own process, or who to ask."""
    empty = [other for other in probe.cards if other.index != card.index and not other.tenants]
    if empty:
        return f"pytest bench -m gpu --suite-device {max(empty, key=lambda other: other.free).index}"
    seen = [tenant for tenant in card.tenants if tenant.name]
    ours = [str(tenant.pid) for tenant in seen if tenant.ours]
    if ours:
        return f"kill {' '.join(ours)}"
    if seen and probe.system != "Windows":
        return f"ps -o user,pid,lstart,args -p {','.join(str(tenant.pid) for tenant in seen)}"
    return "nvidia-smi"


def tell(tenants: tuple[Tenant, ...]) -> str:
    """Processes as a text: "python (pid 7, eve, 12.0 GB)"."""
    said = [
        f"{t.name or 'a process of another container'} (pid {t.pid}"
        + (f", {t.user}" if t.user else "") + (f", {gigabytes(t.memory)}" if t.memory else "") + ")"
        for t in tenants
    ]  # fmt: skip
    return ", ".join(said)


def examine(probe: Probe) -> Iterator[Diagnosis]:
    """Free bytes against what the greediest of the wanted regimes takes; of a model of the user's nothing is known."""
    card = probe.chosen
    if card is None:
        return
    known = [regime for regime in probe.regimes if regime in NEED and not probe.own_model]
    regime = max(known, key=lambda name: NEED[name], default="")
    need = NEED.get(regime, 0)
    fields = {"gpu": card.name, "memory": gigabytes(card.memory), "free": gigabytes(card.free), "regime": regime,
              "need": gigabytes(need)}  # fmt: skip
    if card.memory < need and regime != "qlora":
        yield SMALL.found(**fields)
    elif card.free < need:
        who = f"held by {tell(card.tenants)}" if card.tenants else "the driver does not say who holds the rest"
        yield TAKEN.found(**fields, who=who, command=release(probe, card))
    else:
        yield fine("vram", f"{gigabytes(card.free)} of {gigabytes(card.memory)} are free on {card.name}")


CHECK = Check(
    name="vram",
    title="The GPU has as much free memory as BERT-base takes: {fp32} in FP32, {qlora} under QLoRA "
    "(measured).".format(**{name: gigabytes(need) for name, need in NEED.items()}), quick=True,
    ailments=(SMALL, TAKEN), examine=examine,
)  # fmt: skip
