"""bitsandbytes: its native library, and one product whose answer is known."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.checks._mend import install, unset
from benchsuite.condition import GPU, Probe, Product
from benchsuite.diagnosis import Ailment, Check, Diagnosis, Level, fine

TOLERANCE = 0.01
"""Of the largest right value. Half precision is off by about 0.0005, a wrong layout by about 1."""

OVERRIDE = Ailment(
    code="bitsandbytes.override", level=Level.ERROR,
    seen="bitsandbytes' native library does not load, and BNB_CUDA_VERSION={value} picks another than torch's: "
    "{problem}",
    command="{unset}",
    typed=("unset BNB_CUDA_VERSION",),
)  # fmt: skip
NATIVE = Ailment(
    code="bitsandbytes.native", level=Level.ERROR,
    seen="bitsandbytes {version} loads no native library for {build}: {problem}",
    command="{install} --upgrade --force-reinstall --no-deps bitsandbytes",
)  # fmt: skip
WRONG = Ailment(
    code="bitsandbytes.wrong", level=Level.ERROR,
    seen="an nf4 matrix product on {device} gives a wrong answer, off by {off}",
    command="{install} --force-reinstall --no-deps bitsandbytes=={good}",
)  # fmt: skip
FAILS = Ailment(
    code="bitsandbytes.fails", level=Level.ERROR,
    seen="an nf4 matrix product on {device} dies: {problem}",
    command="{install} --force-reinstall --no-deps bitsandbytes=={good}",
)  # fmt: skip


def _version(probe: Probe) -> str:
    return next((library.installed for library in probe.libraries if library.name == "bitsandbytes"), "")


def _native(probe: Probe) -> Diagnosis:
    value = probe.variables.get("BNB_CUDA_VERSION", "")
    cuda = probe.torch.cuda if probe.torch else ""
    return (OVERRIDE if value else NATIVE).found(
        value=value, problem=probe.native, unset=unset(probe, "BNB_CUDA_VERSION"), install=install(probe),
        version=_version(probe), build=f"CUDA {cuda}" if cuda else "this CPU",
    )  # fmt: skip


def _product(probe: Probe, product: Product) -> Diagnosis | None:
    # NaN is within no tolerance.
    if product.off is not None and product.off <= TOLERANCE:
        return None
    good = (probe.lock.pins if probe.lock else {}).get("bitsandbytes") or _version(probe)
    off = "not a number" if product.off is None or product.off != product.off else f"{product.off:.2g} of its size"
    fields = {"device": product.device, "problem": product.problem, "off": off, "good": good}
    return (WRONG if product.off is not None else FAILS).found(**fields, install=install(probe))


def examine(probe: Probe) -> Iterator[Diagnosis]:
    """The library first: without it, no product is worth a word."""
    if probe.native is None:
        return
    if probe.native:
        yield _native(probe)
        return
    # A torch that cannot use the GPU is `torch`'s matter, and no other bitsandbytes would mend it.
    lost = bool(probe.torch and probe.torch.problem)
    products = [product for product in probe.products if product.device != GPU or not lost]
    found = [diagnosis for product in products if (diagnosis := _product(probe, product))]
    yield from found
    if not found:
        devices = " and ".join(product.device for product in products)
        yield fine("bitsandbytes", f"native library loaded; an nf4 product is right on {devices}")


CHECK = Check(
    name="bitsandbytes",
    title="bitsandbytes loads its native library, and a small matrix product with nf4 weights gives "
    "the answer that is known, on the CPU and on the GPU (in a process of its own).", quick=False,
    ailments=(OVERRIDE, NATIVE, WRONG, FAILS), examine=examine,
)  # fmt: skip
