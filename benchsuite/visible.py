"""What CUDA_VISIBLE_DEVICES leaves of a machine's GPUs, as CUDA itself reads it. Pure.

CUDA takes the list up to its first entry that names no device, and nothing of a list that names one
twice. MIG devices are passed on by their names: whether there is such a one the driver knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

VARIABLE = "CUDA_VISIBLE_DEVICES"
ORDER = "CUDA_DEVICE_ORDER"
MIG = "MIG-"


def names(value: str | None, uuids: Sequence[str]) -> tuple[str, ...]:
    """UUIDs and MIG names that a value of the variable leaves, in its order; all of `uuids` where it is None."""
    if value is None:
        return tuple(uuids)
    found: list[str] = []
    for entry in value.split(","):
        name = _name(entry.strip(), uuids)
        if not name:
            break
        found.append(name)
    return tuple(found) if len(set(found)) == len(found) else ()


def _name(entry: str, uuids: Sequence[str]) -> str:
    if entry.startswith(MIG):
        return entry
    if entry.isascii() and entry.isdigit():
        return uuids[int(entry)] if int(entry) < len(uuids) else ""
    like = [uuid for uuid in uuids if entry.startswith("GPU-") and uuid.startswith(entry)]
    return like[0] if len(like) == 1 else ""


def ambiguous(value: str | None, models: Iterable[str], order: str) -> bool:
    """True where an index means one GPU to CUDA and maybe another to the driver, whose order is that of the bus.

    CUDA puts the fastest first unless CUDA_DEVICE_ORDER says PCI_BUS_ID; among GPUs of one model both agree.
    """
    indices = {entry.strip() for entry in (value or "").split(",") if entry.strip().isdigit()}
    known = tuple(models)
    return order != "PCI_BUS_ID" and len(set(known)) > 1 and bool(indices) and len(indices) < len(known)
