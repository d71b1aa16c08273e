"""Whether a driver answers."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.checks._mend import UPGRADES, driver_upgrade, install
from benchsuite.condition import Probe
from benchsuite.diagnosis import Ailment, Check, Diagnosis, Level, fine

UNSEEN = Ailment(
    code="driver.unseen", level=Level.ERROR,
    seen="no GPU can be seen, as the package nvidia-ml-py does not import: {problem}",
    command="{install} nvidia-ml-py",
)  # fmt: skip
MISMATCH = Ailment(
    code="driver.mismatch", level=Level.ERROR,
    seen="the NVIDIA driver was upgraded under a running kernel: {problem}",
    command="sudo reboot",
)  # fmt: skip
BROKEN = Ailment(
    code="driver.broken", level=Level.ERROR,
    seen="the NVIDIA driver does not answer: {problem}",
    command="nvidia-smi || sudo reboot",
)  # fmt: skip
HIDDEN = Ailment(
    code="driver.hidden", level=Level.WARNING,
    seen="an NVIDIA card is on the bus and this container has no driver for it: GPU cases are skipped",
    command="docker run --gpus all IMAGE",
)  # fmt: skip
MISSING = Ailment(
    code="driver.missing", level=Level.WARNING,
    seen="an NVIDIA card is on the bus and no driver is loaded: GPU cases are skipped",
    command="{upgrade}",
    typed=UPGRADES,
)  # fmt: skip


def examine(probe: Probe) -> Iterator[Diagnosis]:
    """What the driver said, or that there is none."""
    if probe.binding:
        yield UNSEEN.found(problem=probe.binding, install=install(probe))
    elif probe.driver_problem:
        ailment = MISMATCH if "mismatch" in probe.driver_problem.lower() else BROKEN
        yield ailment.found(problem=probe.driver_problem)
    elif probe.cards:
        names = ", ".join(card.name for card in probe.cards)
        serves = " and serves CUDA up to {}.{}".format(*probe.driver_cuda) if probe.driver_cuda else ""
        yield fine("driver", f"{names}; driver {probe.cards[0].driver} answers{serves}")
    elif probe.hidden:
        yield fine("driver", f"the driver answers, and {probe.hidden} GPUs are hidden")
    elif probe.orphan:
        yield (HIDDEN if probe.container else MISSING).found(upgrade=driver_upgrade(probe))
    else:
        yield fine("driver", "no NVIDIA GPU here: the CPU's cases run, GPU cases are skipped")


CHECK = Check(
    name="driver",
    title="The NVIDIA driver answers, where there is an NVIDIA GPU.", quick=True,
    ailments=(UNSEEN, MISMATCH, BROKEN, HIDDEN, MISSING), examine=examine,
)  # fmt: skip
