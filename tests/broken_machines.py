"""Faked machines: a healthy one with a T4, and one for everything that `benchsuite doctor` can find wrong.

Each broken one is the healthy one with some fields replaced, beside the finding that must come of it: its code, what
is seen, and the command, to the letter.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from benchsuite.condition import (
    Card,
    Demand,
    Distribution,
    Input,
    Library,
    Lock,
    Place,
    Probe,
    Product,
    Tenant,
    Torch,
)

GB = 10**9
SITE = "/venv/lib/python3.12/site-packages"
VERSIONS = {"torch": "2.13.0", "transformers": "5.23.0", "peft": "0.21.2", "bitsandbytes": "0.50.2"}
T4 = Card(
    index=0, uuid="GPU-aaaa", name="Tesla T4", memory=16 * GB, free=15 * GB, capability=(7, 5), driver="580.95.05",
    persistence=True, clocks=(585, 585), power=(70_000, 70_000),
)  # fmt: skip
MINE = Tenant(pid=4711, name="python", user="ann", memory=13 * GB, ours=True, ancestor=False)
HERS = replace(MINE, user="eve", ours=False)
REGIMES = (
    Demand(regime="fp32", needs=frozenset()),
    Demand(regime="amp", needs=frozenset()),
    Demand(regime="qlora", needs=frozenset({"nf4"})),
)
ARCHES = ("sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120")
RESULTS = Place(role="results", path="results", free=90 * GB, need=GB // 5, problem="",
                cure="pytest bench --suite-results {0}")  # fmt: skip
FILES = Place(role="temporary files", path="/tmp", free=90 * GB, need=GB, problem="",
              cure="mkdir -p {0} && export TMPDIR={0}")  # fmt: skip
DATA = Input(what="data", name="nyu-mll/glue", given=False, problem="", offline="", kept=True)
MODEL = replace(DATA, what="model", name="bert-base-uncased")


def installed(name: str, version: str, folder: str = SITE) -> Distribution:
    """A distribution as it lies in site-packages."""
    return Distribution(name=name, version=version, folder=folder, metadata=f"{folder}/{name}-{version}.dist-info")


def library(name: str, **fields: Any) -> Library:
    """A guarded library that imports, with any field replaced."""
    whole = Library(name=name, installed=VERSIONS[name], imported=VERSIONS[name], problem="")
    return replace(whole, **fields)


HEALTHY = Probe(
    python="3.12.3", call="python", system="Linux", distribution="ubuntu", uv=True, machine="tesla-t4-15gb",
    driver_cuda=(13, 0), cards=(T4,), chosen=T4, demands=REGIMES,
    libraries=tuple(library(name) for name in VERSIONS),
    torch=Torch(version="2.13.0+cu130", cuda="13.0", arches=ARCHES, problem=""), native="",
    products=(Product(device="the CPU", off=0.0, problem=""), Product(device="the GPU", off=0.0004, problem="")),
    distributions=tuple(installed(name, version) for name, version in VERSIONS.items()),
    lock=Lock(path="baselines/tesla-t4-15gb/constraints.txt", asked=False, problem="", pins=VERSIONS),
    places=(RESULTS, FILES), inputs=(DATA, MODEL),
)  # fmt: skip


class Broken(NamedTuple):
    """A machine, and the one finding that is right for it."""

    what: str
    probe: Probe
    code: str
    seen: str
    command: str


def card(**fields: Any) -> dict[str, Any]:
    """The fields of a probe whose one GPU differs from the healthy T4."""
    one = replace(T4, **fields)
    return {"cards": (one,), "chosen": one}


def torch(version: str, problem: str = "", **fields: Any) -> dict[str, Any]:
    """The fields of a probe with another torch."""
    cuda = version.partition("+cu")[2]
    build = Torch(version=version, cuda=f"{cuda[:2]}.{cuda[2:]}" if cuda.isdigit() else "", arches=ARCHES,
                  problem=problem)  # fmt: skip
    return {"torch": replace(build, **fields)}


def libraries(name: str, **fields: Any) -> dict[str, Any]:
    """The fields of a probe whose one library differs."""
    return {"libraries": tuple(library(n, **fields if n == name else {}) for n in VERSIONS)}


def broken(what: str, code: str, seen: str, command: str, **fields: Any) -> Broken:
    """The healthy machine with fields replaced, and what must be found."""
    return Broken(what, replace(HEALTHY, **fields), code, seen, command)


SECOND = replace(T4, index=1, uuid="GPU-bbbb")
MIX = 'uv pip install --python python --torch-backend={} --reinstall-package torch "{}"'
NONE: dict[str, Any] = {"cards": (), "chosen": None, "driver_cuda": None, "machine": "cpu-x86_64"}
NEW_VENV = 'uv venv --seed --python 3.12 .venv && . .venv/bin/activate && pip install -e ".[test]"'

MACHINES = (
    broken("Python 3.10", "python.old", "Python 3.10.12; benchsuite needs 3.11 or newer", NEW_VENV, python="3.10.12"),
    broken("Python 3.15, no uv", "python.untested",
           "Python 3.15.0 is newer than any that benchsuite is tested under (up to 3.13)",
           'python3.12 -m venv .venv && . .venv/bin/activate && pip install -e ".[test]"', python="3.15.0", uv=False),
    broken("no binding to NVML", "driver.unseen",
           "no GPU can be seen, as the package nvidia-ml-py does not import: ModuleNotFoundError: pynvml",
           "python -m pip install nvidia-ml-py", **NONE, binding="ModuleNotFoundError: pynvml"),
    broken("driver upgraded under the kernel", "driver.mismatch",
           "the NVIDIA driver was upgraded under a running kernel: Driver/library version mismatch",
           "sudo reboot", **NONE, driver_problem="Driver/library version mismatch"),
    broken("driver that does not answer", "driver.broken", "the NVIDIA driver does not answer: GPU is lost",
           "nvidia-smi || sudo reboot", **NONE, driver_problem="GPU is lost"),
    broken("container without its GPU", "driver.hidden",
           "an NVIDIA card is on the bus and this container has no driver for it: GPU cases are skipped",
           "docker run --gpus all IMAGE", **NONE, orphan=True, container=True),
    broken("card without a driver", "driver.missing",
           "an NVIDIA card is on the bus and no driver is loaded: GPU cases are skipped",
           "sudo apt-get install nvidia-driver && sudo reboot", **NONE, orphan=True, distribution="debian"),
    broken("CPU build beside a T4", "torch.cpu-build",
           "torch 2.13.0+cpu is a CPU build, beside a Tesla T4; driver 580.95.05 serves builds for CUDA up to 13.0",
           MIX.format("cu130", "torch>=2.6"), **torch("2.13.0+cpu", "Torch not compiled with CUDA enabled")),
    broken("CPU build beside a T4, where nothing on the GPU works then", "torch.cpu-build",
           "torch 2.13.0+cpu is a CPU build, beside a Tesla T4; driver 580.95.05 serves builds for CUDA up to 13.0",
           MIX.format("cu130", "torch>=2.6"), **torch("2.13.0+cpu", "Torch not compiled with CUDA enabled"),
           products=(HEALTHY.products[0], Product(device="the GPU", off=None, problem="Torch not compiled with CUDA"))),
    broken("CUDA 13 on a driver for 12.4", "torch.too-new",
           "torch 2.13.0+cu130 is built for CUDA 13.0; driver 550.54.15 serves CUDA up to 12.4",
           MIX.format("cu126", "torch>=2.6"),
           **card(driver="550.54.15"), driver_cuda=(12, 4), **torch("2.13.0+cu130", "The NVIDIA driver is too old")),
    broken("CUDA 12 on a driver for 11.8, no uv", "torch.too-new",
           "torch 2.8.0+cu126 is built for CUDA 12.6; driver 520.61.05 serves CUDA up to 11.8",
           "/opt/py/bin/python -m pip install uv && /opt/py/bin/python -m uv pip install --python /opt/py/bin/python "
           '--torch-backend=cu118 --reinstall-package torch "torch>=2.6,<2.8"',
           **card(driver="520.61.05"), driver_cuda=(11, 8), **torch("2.8.0+cu126", "The NVIDIA driver is too old"),
           uv=False, call="/opt/py/bin/python"),
    broken("V100 under a build for CUDA 13", "torch.no-kernels",
           "torch 2.13.0+cu130 has no kernels for Tesla V100 (capability 7.0); it has " + ", ".join(ARCHES),
           MIX.format("cu126", "torch>=2.6"),
           **card(name="Tesla V100", capability=(7, 0)), **torch("2.13.0+cu130", "no kernel image is available")),
    broken("driver for CUDA 11.4", "torch.old-driver",
           "driver 470.82.01 serves CUDA up to 11.4, older than any build of torch that benchsuite takes (CUDA 11.8)",
           "sudo ubuntu-drivers install && sudo reboot",
           **card(driver="470.82.01"), driver_cuda=(11, 4), **torch("2.13.0+cu130", "The NVIDIA driver is too old")),
    broken("CUDA lost after a suspend", "torch.uvm",
           "torch 2.13.0+cu130 (CUDA 13.0) suits the driver and cannot reach Tesla T4: RuntimeError: CUDA "
           "unknown error",
           "sudo modprobe -r nvidia_uvm; sudo modprobe nvidia_uvm",
           **torch("2.13.0+cu130", "RuntimeError: CUDA unknown error")),
    broken("torch that fails for no visible reason", "torch.fails",
           "torch 2.13.0+cu130 (CUDA 13.0) suits the driver and cannot use Tesla T4: OSError: libcublas.so.13",
           'python -m pip install --force-reinstall --no-cache-dir "torch==2.13.0"',
           **torch("2.13.0+cu130", "OSError: libcublas.so.13")),
    broken("a bf16 regime on a T4", "capability.bf16",
           "Tesla T4 has capability 7.5, and bf16 needs 8.0 (torch accepts bf16 there and emulates it, slowly): "
           "it rules "
           "out lora-bf16",
           "pytest bench -m gpu --suite-regimes fp32,amp,qlora",
           demands=(*REGIMES, Demand(regime="lora-bf16", needs=frozenset({"bf16"}))), regimes=("lora-bf16",)),
    broken("int8 on a V100", "capability.int8",
           "Tesla V100 has capability 7.0, and int8 needs 7.5 (bitsandbytes has no int8 kernels for it): it rules out "
           "int8-lora",
           "pytest bench -m gpu --suite-regimes fp32,amp,qlora",
           **card(name="Tesla V100", capability=(7, 0)), **torch("2.13.0+cu126", arches=("sm_70",)),
           demands=(*REGIMES, Demand(regime="int8-lora", needs=frozenset({"int8"}))), regimes=("fp32", "int8-lora")),
    broken("4 bits on a Maxwell", "capability.nf4",
           "Tesla M60 has capability 5.2, and 4-bit weights need 6.0 (bitsandbytes has no 4-bit kernels for it): it "
           "rules out qlora",
           "pytest bench -m gpu --suite-regimes fp32,amp",
           **card(name="Tesla M60", capability=(5, 2)), **torch("2.13.0+cu126", arches=("sm_50",))),
    broken("bitsandbytes told of another CUDA", "bitsandbytes.override",
           "bitsandbytes' native library does not load, and BNB_CUDA_VERSION=118 picks another than torch's: "
           "libbitsandbytes_cuda118.so: no such file",
           "unset BNB_CUDA_VERSION",
           native="libbitsandbytes_cuda118.so: no such file", variables={"BNB_CUDA_VERSION": "118"}),
    broken("bitsandbytes without its library", "bitsandbytes.native",
           "bitsandbytes 0.50.2 loads no native library for CUDA 13.0: cannot load libbitsandbytes_cuda130.so",
           "uv pip install --python python --upgrade --force-reinstall --no-deps bitsandbytes",
           native="cannot load libbitsandbytes_cuda130.so", pip=False),
    broken("an nf4 product that is wrong on the GPU", "bitsandbytes.wrong",
           "an nf4 matrix product on the GPU gives a wrong answer, off by 1.3 of its size",
           "python -m pip install --force-reinstall --no-deps bitsandbytes==0.50.2",
           products=(Product(device="the CPU", off=0.0, problem=""), Product(device="the GPU", off=1.3, problem=""))),
    broken("an nf4 product that is not a number", "bitsandbytes.wrong",
           "an nf4 matrix product on the CPU gives a wrong answer, off by not a number",
           "python -m pip install --force-reinstall --no-deps bitsandbytes==0.50.2",
           products=(Product(device="the CPU", off=float("nan"), problem=""),)),
    broken("an nf4 product that kills its process", "bitsandbytes.fails",
           "an nf4 matrix product on the GPU dies: its process was killed by signal 11",
           "python -m pip install --force-reinstall --no-deps bitsandbytes==0.50.2",
           products=(Product(device="the GPU", off=None, problem="its process was killed by signal 11"),)),
    broken("a GPU of 2 GB", "vram.small", "GeForce MX450 has 2.1 GB in all, and fp32 takes about 3.8 GB",
           "pytest bench -m gpu --suite-regimes qlora",
           **card(name="GeForce MX450", memory=2_100_000_000, free=2_000_000_000)),
    broken("a GPU that is full and another that is empty", "vram.taken",
           "2.0 GB of 16.0 GB are free on Tesla T4, and fp32 takes about 3.8 GB; the driver does not say who holds the "
           "rest",
           "pytest bench -m gpu --suite-device 1",
           cards=(replace(T4, free=2 * GB), SECOND), chosen=replace(T4, free=2 * GB), device="0"),
    broken("my own forgotten process", "neighbours.busy",
           "others are on Tesla T4, and times will not repeat: python (pid 4711, ann, 13.0 GB)", "kill 4711",
           **card(tenants=(MINE,))),
    broken("somebody else's process", "neighbours.busy",
           "others are on Tesla T4, and times will not repeat: python (pid 4711, eve, 13.0 GB)",
           "ps -o user,pid,lstart,args -p 4711", **card(tenants=(HERS,))),
    broken("a process of another container", "neighbours.busy",
           "others are on Tesla T4, and times will not repeat: a process of another container (pid 4711)", "nvidia-smi",
           **card(tenants=(replace(HERS, name="", user="", memory=None),))),
    broken("persistence mode off", "clocks.persistence",
           "persistence mode is off on Tesla T4: the driver unloads between trials, and each pays seconds to load it",
           "sudo nvidia-smi -i GPU-aaaa -pm 1", **card(persistence=False)),
    broken("a hot GPU", "clocks.throttled",
           "Tesla T4 is slowed down right now by hardware slowdown and heat (hardware): times will not repeat",
           "nvidia-smi -i GPU-aaaa -q -d PERFORMANCE,TEMPERATURE,POWER", **card(throttle=0x48)),
    broken("application clocks set", "clocks.set",
           "the application clock of Tesla T4 is set to 300 MHz, its default is 585 MHz",
           "sudo nvidia-smi -i GPU-aaaa -rac",
           **card(clocks=(300, 585))),
    broken("a lower power limit", "clocks.power", "the power limit of Tesla T4 is 60 W, its default is 70 W",
           "sudo nvidia-smi -i GPU-aaaa -pl 70", **card(power=(60_000, 70_000))),
    broken("CUDA_VISIBLE_DEVICES hides all", "visible.none",
           "CUDA_VISIBLE_DEVICES=-1 leaves none of the 2 GPUs that NVML shows: GPU cases are skipped",
           "unset CUDA_VISIBLE_DEVICES", **NONE, hidden=2, variables={"CUDA_VISIBLE_DEVICES": "-1"}),
    broken("CUDA_VISIBLE_DEVICES hides all, on Windows", "visible.none",
           "CUDA_VISIBLE_DEVICES=\"\" leaves none of the 1 GPUs that NVML shows: GPU cases are skipped",
           "Remove-Item Env:CUDA_VISIBLE_DEVICES", **NONE, hidden=1, variables={"CUDA_VISIBLE_DEVICES": ""},
           system="Windows"),
    broken("a CUDA context in pytest itself", "context.held",
           "this very process holds a CUDA context, so every trial would be invalid: another test or a "
           "conftest.py used "
           "the GPU first",
           "pytest bench -m gpu", context=True),
    broken("a notebook's kernel on the GPU", "context.parent",
           "python (pid 4711), which started this, holds 13.0 GB on Tesla T4: most likely a notebook's kernel "
           "that used "
           "the GPU itself",
           "kill 4711", **card(tenants=(replace(MINE, ancestor=True),))),
    broken("a missing library", "libraries.missing", "peft is not installed", "python -m pip install peft==0.21.2",
           **libraries("peft", installed="", imported=None, problem="ModuleNotFoundError: No module named 'peft'")),
    broken("a library that does not import", "libraries.import",
           "transformers 5.23.0 does not import: ImportError: cannot import name 'x' from 'huggingface_hub'",
           "python -m pip install --force-reinstall transformers==5.23.0",
           **libraries("transformers", imported=None,
                       problem="ImportError: cannot import name 'x' from 'huggingface_hub'")),
    broken("a library that is not what it says", "libraries.other",
           "peft says that it is 0.17.0, its metadata says 0.21.2: an installation was cut short",
           "python -m pip uninstall -y peft && python -m pip uninstall -y peft; python -m pip install peft==0.21.2",
           **libraries("peft", imported="0.17.0")),
    broken("two of one name", "leftovers.twice", f"peft is installed twice in {SITE}: 0.21.2 and 0.17.0",
           "uv pip uninstall --python python peft; uv pip install --python python peft==0.21.2",
           distributions=(*HEALTHY.distributions, installed("peft", "0.17.0")), pip=False),
    broken("PYTHONPATH hides an installation", "leftovers.shadowed",
           f"peft 0.21.2 in /kit hides peft 0.17.0 in {SITE}", "unset PYTHONPATH",
           distributions=(*(d for d in HEALTHY.distributions if d.name != "peft"), installed("peft", "0.21.2", "/kit"),
                          installed("peft", "0.17.0")),
           variables={"PYTHONPATH": "/kit:/more"}),
    broken("the user's own packages hide the environment's", "leftovers.shadowed",
           f"peft 0.21.2 in /home/ann/.local/lib hides peft 0.17.0 in {SITE}", "export PYTHONNOUSERSITE=1",
           distributions=(*(d for d in HEALTHY.distributions if d.name != "peft"),
                          installed("peft", "0.21.2", "/home/ann/.local/lib"), installed("peft", "0.17.0"))),
    broken("half an installation", "leftovers.half", f"an installation that was cut short left {SITE}/~eft",
           f"rm -r {SITE}/~eft",
           distributions=(*HEALTHY.distributions,
                          Distribution(name="", version="", folder=SITE, metadata=f"{SITE}/~eft"))),
    broken("BENCHSUITE_LOCK leads nowhere", "lock.unreadable",
           "BENCHSUITE_LOCK names lock.txt, which cannot be read: No such file or directory", "unset BENCHSUITE_LOCK",
           lock=Lock(path="lock.txt", asked=True, problem="No such file or directory", pins={})),
    broken("another transformers than the lock's", "lock.differs",
           "2 packages not as in my lock.txt: transformers 4.57.6 -> 5.23.0, accelerate 1.15.0 -> absent. If "
           "that is the "
           "upgrade to be judged, all is well",
           'python -m pip install -c "my lock.txt" transformers accelerate',
           lock=Lock(path="my lock.txt", asked=True, problem="", pins={"transformers": "4.57.6", "peft": "0.21.2",
                                                                      "accelerate": "1.15.0", "absl-py": "2.5.0"})),
    broken("another torch than the lock's", "lock.differs",
           "1 package not as in lock.txt: torch 2.11.0 -> 2.13.0. If that is the upgrade to be judged, all is well",
           "uv pip install --python python --torch-backend=auto -c lock.txt torch",
           distributions=(installed("torch", "2.13.0+cu130"),),
           lock=Lock(path="lock.txt", asked=True, problem="", pins={"torch": "2.11.0"})),
    broken("results that belong to root", "disk.unwritable",
           "nothing can be written for results in results: Permission denied", 'sudo chown -R "$(id -un)" results',
           places=(replace(RESULTS, problem="Permission denied"), FILES)),
    broken("results that are a file", "disk.unwritable", "nothing can be written for results in results: it is a file",
           "mv results results.old", places=(replace(RESULTS, problem="it is a file"), FILES)),
    broken("a read-only disk", "disk.unwritable",
           "nothing can be written for results in /ro: Read-only file system",
           "pytest bench --suite-results /data/benchsuite",
           places=(replace(RESULTS, path="/ro", problem="Read-only file system"), FILES), roomy="/data/benchsuite"),
    broken("a full disk, and another", "disk.full",
           "0.3 GB are free for temporary files in /tmp, and a run may take 1.0 GB",
           "mkdir -p /data/benchsuite && export TMPDIR=/data/benchsuite",
           places=(RESULTS, replace(FILES, free=3 * GB // 10)), roomy="/data/benchsuite"),
    broken("a full disk, and no other", "disk.full",
           "0.3 GB are free for temporary files in /tmp, and a run may take 1.0 GB", "du -xhd 2 /tmp | sort -h | tail",
           places=(RESULTS, replace(FILES, free=3 * GB // 10))),
    broken("a disk that is filling", "disk.low",
           "0.5 GB are free for results in results, enough for few runs (0.2 GB each)",
           "du -xhd 2 results | sort -h | tail", places=(replace(RESULTS, free=GB // 2), FILES)),
    broken("a data folder that is none", "inputs.data",
           "the data cannot be used: the data folder 'glu' does not exist.",
           "hf download nyu-mll/glue --repo-type dataset --include 'sst2/*' --local-dir glue && benchsuite "
           "doctor --data "
           "glue",
           inputs=(replace(DATA, name="glu", given=True, problem="the data folder 'glu' does not exist."), MODEL)),
    broken("a model that is a pickle", "inputs.model", "the model cannot be used: ./m holds only pickles.",
           "hf download bert-base-uncased --local-dir bert-base-uncased && benchsuite doctor --model "
           "./bert-base-uncased",
           inputs=(DATA, replace(MODEL, name="./m", given=True, problem="./m holds only pickles."))),
    broken("offline with an empty cache", "inputs.offline",
           "HF_HUB_OFFLINE forbids the hub, and its cache lacks the model bert-base-uncased",
           "HF_HUB_OFFLINE=0 hf download bert-base-uncased",
           inputs=(DATA, replace(MODEL, offline="HF_HUB_OFFLINE", kept=False, problem="the cache lacks it"))),
    broken("no network and an empty cache", "inputs.unreachable",
           "the data nyu-mll/glue is not in the cache, and the hub cannot be reached: [Errno -3] Temporary "
           "failure in name "
           "resolution",
           "pytest bench -m gpu --suite-data FOLDER --suite-model FOLDER",
           inputs=(replace(DATA, kept=False, problem="[Errno -3] Temporary failure in name resolution"), MODEL)),
)  # fmt: skip
