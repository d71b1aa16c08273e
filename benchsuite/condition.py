"""What was read of a machine before anything is said of it: frozen values, filled by `examine`. Pure.

Problems are texts in the words of whoever raised them; empty where there was none, and None where a thing was not
looked at or the machine does not tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """A process that holds memory on a GPU."""

    pid: int
    name: str
    """Empty where it runs in another container and cannot be seen."""
    user: str
    memory: int | None
    """Bytes."""
    ours: bool
    """It belongs to the user who asks."""
    ancestor: bool
    """We were started by it: a notebook's kernel, say."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """A GPU as NVML shows it."""

    index: int
    uuid: str
    name: str
    memory: int
    """Bytes in all."""
    free: int
    """Bytes that nobody holds."""
    capability: tuple[int, int]
    driver: str
    tenants: tuple[Tenant, ...] = ()
    persistence: bool | None = None
    throttle: int = 0
    """NVML's mask of the reasons why clocks are held down now."""
    clocks: tuple[int, int] | None = None
    """MHz of the application clock of the SMs: as set, and as it leaves the factory."""
    power: tuple[int, int] | None = None
    """Power limit in mW: as enforced, and as it leaves the factory."""


@dataclass(frozen=True, kw_only=True)
class Library:
    """A guarded package: what is installed, and what importing it in a process of its own came to."""

    name: str
    installed: str
    """Version by its metadata; empty where there is none."""
    imported: str | None
    """Version that the imported module states; None where it was not imported."""
    problem: str


@dataclass(frozen=True, kw_only=True)
class Torch:
    """The torch that was imported."""

    version: str
    cuda: str
    """CUDA version of its build; empty for a CPU build."""
    arches: tuple[str, ...]
    """What its kernels are compiled for: "sm_75", "compute_90", ..."""
    problem: str | None
    """Why it cannot make a tensor on the GPU; None without a GPU."""


CPU, GPU = "the CPU", "the GPU"


@dataclass(frozen=True, kw_only=True)
class Product:
    """One matrix product with nf4 weights whose answer is known."""

    device: str
    """`CPU` or `GPU`."""
    off: float | None
    """Largest difference from the right answer, over the largest right value; NaN where it is none. None: it died."""
    problem: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """A folder that a run writes to."""

    role: str
    """"results", "temporary files" or "cache"."""
    path: str
    free: int
    """Bytes."""
    need: int
    """Bytes that a run may take there."""
    problem: str
    """Why nothing can be written there."""
    cure: str
    """How to point a run elsewhere; {0} stands for where to."""


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One installed distribution: a folder NAME-VERSION.dist-info."""

    name: str
    version: str
    folder: str
    """The entry of sys.path that it lies in."""
    metadata: str
    """Its .dist-info or .egg-info; the leftover itself for half-removed ones, which have no name."""


@dataclass(frozen=True, kw_only=True)
class Lock:
    """The constraints that an installation is held against."""

    path: str
    asked: bool
    """BENCHSUITE_LOCK names it; else it is the machine's own."""
    problem: str
    pins: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Input:
    """Data or a model: given by the user, or needed from the hub."""

    what: str
    """"data" or "model"."""
    name: str
    """Folder or hub name."""
    given: bool
    """The user named a folder."""
    problem: str
    """Why it cannot be used, or had."""
    offline: str
    """The variable that forbids the hub; empty where none does."""
    kept: bool
    """It lies in the hub's cache."""


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a regime needs of a GPU: some of "nf4", "int8", "bf16"."""

    regime: str
    needs: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Everything that was read."""

    python: str
    """Version."""
    call: str
    """How this user calls this very Python: "python", or its path."""
    system: str
    """"Linux", "Darwin" or "Windows"."""
    distribution: str = ""
    """ID of os-release: "ubuntu", "debian", ..."""
    container: bool = False
    pip: bool = True
    """This Python has pip."""
    uv: bool = False
    """uv is on the path."""
    machine: str
    """Slug: names the folder of the baselines."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Those that checks look at, where set."""
    binding: str = ""
    """Why NVML's Python binding does not import."""
    driver_problem: str = ""
    """What a driver that is there said instead of answering."""
    driver_cuda: tuple[int, int] | None = None
    """The newest CUDA that the driver serves."""
    hidden: int = 0
    """GPUs that NVML shows where CUDA_VISIBLE_DEVICES leaves none of them."""
    orphan: bool = False
    """An NVIDIA card sits on the bus and no driver answers."""
    cards: tuple[Card, ...] = ()
    device: str = ""
    """The GPU that the user named."""
    chosen: Card | None = None
    """The GPU that a run would take."""
    regimes: tuple[str, ...] = ("fp32", "qlora")
    """Those to be run."""
    demands: tuple[Demand, ...] = ()
    """Of every regime there is."""
    own_model: bool = False
    """The user named a model, so that its size is not known."""
    libraries: tuple[Library, ...] = ()
    torch: Torch | None = None
    native: str | None = None
    """Why bitsandbytes' native library did not load; None where that was not looked at."""
    products: tuple[Product, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    lock: Lock | None = None
    places: tuple[Place, ...] = ()
    roomy: str = ""
    """A folder of this user on another disk with more room; empty where there is none."""
    inputs: tuple[Input, ...] = ()
    context: bool = False
    """This very process holds a CUDA context."""
