"""The build of torch against the driver and the GPU."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.checks._mend import UPGRADES, driver_upgrade, install, python, uv
from benchsuite.condition import Card, Probe, Torch
from benchsuite.diagnosis import Ailment, Check, Diagnosis, Level, fine

REINSTALL = '{uv} --torch-backend={backend} --reinstall-package torch "{requirement}"'

CPU_BUILD = Ailment(
    code="torch.cpu-build", level=Level.ERROR,
    seen="torch {version} is a CPU build, beside a {gpu}; driver {driver} serves builds for CUDA up to {serves}",
    command=REINSTALL,
)  # fmt: skip
TOO_NEW = Ailment(
    code="torch.too-new", level=Level.ERROR,
    seen="torch {version} is built for CUDA {cuda}; driver {driver} serves CUDA up to {serves}",
    command=REINSTALL,
)  # fmt: skip
NO_KERNELS = Ailment(
    code="torch.no-kernels", level=Level.ERROR,
    seen="torch {version} has no kernels for {gpu} (capability {capability}); it has {arches}",
    command=REINSTALL,
)  # fmt: skip
OLD_DRIVER = Ailment(
    code="torch.old-driver", level=Level.ERROR,
    seen="driver {driver} serves CUDA up to {serves}, older than any build of torch that benchsuite takes (CUDA 11.8)",
    command="{upgrade}",
    typed=UPGRADES,
)  # fmt: skip
UNKNOWN = Ailment(
    code="torch.uvm", level=Level.ERROR,
    seen="torch {version} (CUDA {cuda}) suits the driver and cannot reach {gpu}: {problem}",
    command="sudo modprobe -r nvidia_uvm; sudo modprobe nvidia_uvm",
)  # fmt: skip
FAILS = Ailment(
    code="torch.fails", level=Level.ERROR,
    seen="torch {version} (CUDA {cuda}) suits the driver and cannot use {gpu}: {problem}",
    command='{install} --force-reinstall --no-cache-dir "torch=={public}"',
)  # fmt: skip


def backend(serves: tuple[int, int], capability: tuple[int, int]) -> str:
    """The build of torch, as uv names it, that a driver can serve and that has kernels for a GPU; empty for none.

    A build runs on any driver of its CUDA's major version. Which GPUs a build has kernels for: CUDA 13 begins at 7.5,
    CUDA 12.6 ends at 9.0.
    """
    if serves >= (13, 0) and capability >= (7, 5):
        return "cu130"
    if serves >= (12, 0):
        return "cu128" if capability >= (10, 0) else "cu126"
    return "cu118" if serves >= (11, 8) else ""


def requirement(build: str) -> str:
    """What to ask for beside a build: the last torch for CUDA 11.8 was 2.7."""
    return "torch>=2.6,<2.8" if build == "cu118" else "torch>=2.6"


def runs(arches: tuple[str, ...], capability: tuple[int, int]) -> bool:
    """True where kernels for an architecture are among `arches`: of its own major version, or PTX of an older one."""
    for arch in arches:
        kind, _, digits = arch.rstrip("af").partition("_")
        if not digits.isdigit():
            continue
        have = (int(digits[:-1]), int(digits[-1]))
        if have <= capability and (kind == "compute" or have[0] == capability[0]):
            return True
    return not arches


def _fields(probe: Probe, torch: Torch, card: Card) -> dict[str, str]:
    serves = probe.driver_cuda or (0, 0)
    build = backend(serves, card.capability)
    return {
        "version": torch.version, "cuda": torch.cuda, "gpu": card.name, "driver": card.driver,
        "serves": "{}.{}".format(*serves) if probe.driver_cuda else "an unknown version",
        "capability": "{}.{}".format(*card.capability), "arches": ", ".join(torch.arches),
        "problem": torch.problem or "", "public": torch.version.partition("+")[0], "uv": uv(probe),
        "install": install(probe), "python": python(probe), "upgrade": driver_upgrade(probe),
        # A driver that does not say what it serves is for uv to look at.
        "backend": build or "auto", "requirement": requirement(build),
    }  # fmt: skip


def _ailment(probe: Probe, torch: Torch, card: Card) -> Ailment | None:
    serves = probe.driver_cuda
    if serves and not backend(serves, card.capability):
        return OLD_DRIVER
    if not torch.cuda:
        return CPU_BUILD
    if serves and int(torch.cuda.partition(".")[0]) > serves[0]:
        return TOO_NEW
    if not runs(torch.arches, card.capability):
        return NO_KERNELS
    if torch.problem:
        return UNKNOWN if "unknown error" in torch.problem and probe.system == "Linux" else FAILS
    return None


def examine(probe: Probe) -> Iterator[Diagnosis]:
    """The first reason why this torch cannot use this GPU."""
    torch, card = probe.torch, probe.chosen
    if torch is None:
        return
    if card is None:
        yield fine("torch", f"torch {torch.version}; there is no GPU for it to use")
    elif ailment := _ailment(probe, torch, card):
        yield ailment.found(**_fields(probe, torch, card))
    else:
        yield fine("torch", f"torch {torch.version}, built for CUDA {torch.cuda}, uses {card.name}")


CHECK = Check(
    name="torch",
    title="The build of torch is one that the driver serves, has kernels for the GPU, and makes a tensor "
    "there.", quick=False,
    ailments=(CPU_BUILD, TOO_NEW, NO_KERNELS, OLD_DRIVER, UNKNOWN, FAILS), examine=examine,
)  # fmt: skip
