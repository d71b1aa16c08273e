"""What the suite sees of a machine: GPUs by NVML, the one to use, and a torch that cannot use it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from fakes import NvmlError, NvmlNotSupportedError, nvml
from hypothesis import given
from hypothesis import strategies as st

from benchsuite import environment, visible
from benchsuite.environment import Gpu
from benchsuite.nouns import SuiteError

GIB = 2**30


def gpu(index: int = 0, **fields: Any) -> Gpu:
    """A GPU with any field replaced."""
    known: dict[str, Any] = {
        "index": index, "uuid": f"GPU-{index}", "name": "NVIDIA H200", "memory": 140 * GIB, "free": 140 * GIB,
        "processes": 0, "capability": (9, 0), "driver": "580.95.05",
    }  # fmt: skip
    return Gpu(**known | fields)


def shown(monkeypatch: pytest.MonkeyPatch, gpus: list[dict[str, Any]], **calls: Any) -> tuple[Gpu, ...]:
    """What `environment.gpus` makes of a driver that shows these."""
    monkeypatch.setitem(sys.modules, "pynvml", nvml(gpus, **calls))
    return environment.gpus()


def raising(value: int, text: str) -> Any:
    """A driver's function that fails."""

    def fail(*_: Any) -> None:
        raise (NvmlNotSupportedError if value == 3 else NvmlError)(value, text)

    return fail


# ---------------------------------------------------------------- NVML


def test_gpus_are_read_as_nvml_shows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts may come as bytes, as older bindings give them."""
    found = shown(
        monkeypatch,
        [
            {
                "uuid": b"GPU-a",
                "name": b"Tesla T4",
                "memory": 15 * GIB,
                "free": GIB,
                "processes": 2,
                "capability": (7, 5),
            },
            {"uuid": "GPU-b", "name": "NVIDIA H200", "memory": 140 * GIB},
        ],
    )
    assert [(g.index, g.uuid, g.name, g.processes, g.capability) for g in found] == [
        (0, "GPU-a", "Tesla T4", 2, (7, 5)), (1, "GPU-b", "NVIDIA H200", 0, (9, 0)),
    ]  # fmt: skip
    assert found[0].free == GIB
    assert found[0].driver == "580.95.05"


def test_a_driver_that_hides_processes_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual GPUs do not tell: free memory decides then."""
    found = shown(
        monkeypatch,
        [{"uuid": "GPU-a", "name": "GRID", "memory": GIB}],
        DeviceGetComputeRunningProcesses=raising(3, "Not Supported"),
    )
    assert found[0].processes == 0


@pytest.mark.parametrize("value", [12, 9], ids=["no library", "no driver"])
def test_a_machine_without_a_driver_has_no_gpu(monkeypatch: pytest.MonkeyPatch, value: int) -> None:
    """That is no error."""
    assert shown(monkeypatch, [], Init=raising(value, "Not Found")) == ()


def test_a_broken_driver_is_no_missing_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence says what NVML said and what to do."""
    with pytest.raises(
        SuiteError, match=r"driver does not answer: Driver/library version mismatch.*nvidia-smi.*reboot"
    ):
        shown(monkeypatch, [], Init=raising(18, "Driver/library version mismatch"))


def test_a_driver_that_dies_while_asked_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU that fell off the bus ends in a sentence too."""
    with pytest.raises(SuiteError, match=r"stopped answering: GPU is lost"):
        shown(monkeypatch, [{}], DeviceGetHandleByIndex=raising(15, "GPU is lost"))


# ---------------------------------------------------------------- CUDA_VISIBLE_DEVICES

UUIDS = ("GPU-aa11", "GPU-ab22", "GPU-bb33")
PART = "MIG-11112222-3333-4444-5555-666677778888"


@pytest.fixture(autouse=True)
def nothing_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """No GPU is hidden from these tests by the shell that they run in."""
    monkeypatch.delenv(visible.VARIABLE, raising=False)
    monkeypatch.delenv(visible.ORDER, raising=False)


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (None, UUIDS),
        ("", ()),
        (" ", ()),
        ("-1", ()),
        ("NoDevFiles", ()),
        ("0", UUIDS[:1]),
        ("2,0", (UUIDS[2], UUIDS[0])),
        (" 1 , 2 ", UUIDS[1:]),
        ("1,-1,0", UUIDS[1:2]),
        ("0,3,1", UUIDS[:1]),
        ("1,1", ()),
        ("0,GPU-aa11", ()),
        ("GPU-bb33,GPU-aa11", (UUIDS[2], UUIDS[0])),
        ("GPU-b", UUIDS[2:]),
        ("GPU-a", ()),
        ("GPU-zz", ()),
        (PART, (PART,)),
        (f"MIG-GPU-aa11/3/0,{PART}", ("MIG-GPU-aa11/3/0", PART)),
    ],
)
def test_the_variable_is_read_as_cuda_reads_it(value: str | None, left: tuple[str, ...]) -> None:
    """Indices, UUIDs whole or begun, MIG names; up to the first that is none, nothing where one stands twice."""
    assert visible.names(value, UUIDS) == left


@given(st.text(alphabet="0123456789,-GPUMIab ", max_size=30))
def test_whatever_the_variable_says_is_a_choice_without_repetition(value: str) -> None:
    """No text is an error, and nothing but this machine's GPUs and MIG names comes out."""
    left = visible.names(value, UUIDS)
    assert len(set(left)) == len(left)
    assert all(name in UUIDS or name.startswith("MIG-") for name in left)


def cards(*names: str) -> list[dict[str, Any]]:
    """GPUs of these models; the first is the busiest."""
    return [
        {"uuid": uuid, "name": name, "memory": 140 * GIB, "processes": 2 - i}
        for i, (uuid, name) in enumerate(zip(UUIDS, names, strict=True))
    ]


ALIKE = cards("NVIDIA H200", "NVIDIA H200", "NVIDIA H200")


def test_hidden_gpus_are_neither_chosen_nor_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emptiest of those left is taken, and an index counts among them, as in CUDA."""
    monkeypatch.setenv(visible.VARIABLE, "1,0")
    found = shown(monkeypatch, ALIKE)
    assert [(g.index, g.uuid) for g in found] == [(0, "GPU-ab22"), (1, "GPU-aa11")]
    assert environment.choose(found, "").uuid == "GPU-ab22"
    assert environment.choose(found, "1").uuid == "GPU-aa11"
    assert [g.index for g in environment.installed()] == [0, 1, 2]
    for hidden in ("2", "GPU-bb33", PART):
        with pytest.raises(SuiteError, match=r"CUDA_VISIBLE_DEVICES=1,0 leaves: 0 \(NVIDIA H200, GPU-ab22\), 1 "):
            environment.choose(found, hidden)


def parts(monkeypatch: pytest.MonkeyPatch) -> tuple[Gpu, ...]:
    """A driver that knows one MIG device, a part of the second GPU."""
    part = {"uuid": PART, "name": "NVIDIA H200 MIG 1g.18gb", "memory": 16 * GIB, "capability": None}

    def by_uuid(name: str) -> Any:
        return part if name == PART else raising(6, "Not Found")()

    return shown(
        monkeypatch, ALIKE, DeviceGetHandleByUUID=by_uuid, DeviceGetDeviceHandleFromMigDeviceHandle=lambda _: ALIKE[1]
    )


def test_a_mig_device_is_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own name and memory, the capability of the GPU that it is a part of; one that is not there ends the list."""
    monkeypatch.setenv(visible.VARIABLE, f"{PART},MIG-gone,0")
    (found,) = parts(monkeypatch)
    assert (found.index, found.uuid, found.capability, found.memory) == (0, PART, (9, 0), 16 * GIB)
    assert environment.machine_slug(found) == "nvidia-h200-mig-1g-18gb-16gb"
    assert environment.choose((found,), PART) is found


def test_a_mig_device_can_be_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """NVML does not list it among the GPUs; one that there is not is refused."""
    found = parts(monkeypatch)
    assert [g.uuid for g in found] == list(UUIDS)
    assert environment.choose(found, PART).name == "NVIDIA H200 MIG 1g.18gb"
    with pytest.raises(SuiteError, match="no GPU 'MIG-gone' here"):
        environment.choose(found, "MIG-gone")


def test_indices_among_gpus_of_different_models_need_an_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA may count them otherwise than the driver: said, rather than a GPU taken that was not meant."""
    mixed = cards("Tesla T4", "NVIDIA H200", "Tesla T4")
    monkeypatch.setenv(visible.VARIABLE, "0")
    with pytest.raises(SuiteError, match=r"CUDA_VISIBLE_DEVICES=0 counts .* Set CUDA_DEVICE_ORDER=PCI_BUS_ID, or name"):
        shown(monkeypatch, mixed)
    monkeypatch.setenv(visible.ORDER, "PCI_BUS_ID")
    assert [g.uuid for g in shown(monkeypatch, mixed)] == ["GPU-aa11"]
    monkeypatch.delenv(visible.ORDER)
    for clear, count in (("GPU-aa11", 1), ("0,1,2", 3), ("", 0)):
        monkeypatch.setenv(visible.VARIABLE, clear)
        assert len(shown(monkeypatch, mixed)) == count


@pytest.mark.parametrize(
    ("value", "gpus", "said"),
    [
        (None, [], "NVML finds no driver"),
        ("0", [], "NVML finds no driver"),
        ("-1", ALIKE, "CUDA_VISIBLE_DEVICES='-1' leaves none of the 3 that NVML finds"),
    ],
)
def test_why_there_is_no_gpu_is_said(
    value: str | None, gpus: list[dict[str, Any]], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver that finds none is not a variable that hides them."""
    if value is not None:
        monkeypatch.setenv(visible.VARIABLE, value)
    assert shown(monkeypatch, gpus) == ()
    assert environment.hidden() == said


# ---------------------------------------------------------------- choosing

BUSY = gpu(0, processes=1, free=139 * GIB)
HALF = gpu(1, free=60 * GIB)
FREE = gpu(2, free=139 * GIB)


@pytest.mark.parametrize(
    ("found", "index"),
    [
        ((BUSY, HALF, FREE), 2),
        ((FREE, HALF), 2),
        ((BUSY, HALF), 1),
        ((gpu(0), gpu(1)), 0),
        ((gpu(0, processes=2), gpu(1, processes=1, free=GIB)), 1),
    ],
)
def test_the_emptiest_gpu_is_chosen(found: tuple[Gpu, ...], index: int) -> None:
    """Fewest processes, then most free memory, then the first."""
    assert environment.choose(found, "").index == index


@pytest.mark.parametrize("wanted", ["0", "GPU-0", "cuda:0"])
def test_a_gpu_is_chosen_by_index_or_uuid_though_busy(wanted: str) -> None:
    """Who names one gets it."""
    assert environment.choose((FREE, BUSY), wanted) is BUSY


@pytest.mark.parametrize("wanted", ["7", "GPU-9", "cpu"])
def test_an_unknown_gpu_is_refused_with_those_there_are(wanted: str) -> None:
    """Index, name and UUID of each."""
    with pytest.raises(SuiteError) as error:
        environment.choose((BUSY, FREE), wanted)
    assert str(error.value) == (
        f"no GPU {wanted!r} here (--suite-device). "
        "NVML sees: 0 (NVIDIA H200, GPU-0), 2 (NVIDIA H200, GPU-2)."
    )  # fmt: skip


def test_no_gpu_at_all_is_said() -> None:
    """An empty list is none."""
    with pytest.raises(SuiteError, match=r"NVML sees: none\."):
        environment.choose((), "0")


@pytest.mark.parametrize(
    ("name", "memory", "slug"),
    [
        ("Tesla T4", 15_843_721_216, "tesla-t4-15gb"),
        ("NVIDIA H200", 150_754_820_096, "nvidia-h200-140gb"),
        ("NVIDIA H100 80GB HBM3", 85_520_809_984, "nvidia-h100-80gb-hbm3-80gb"),
        ("../../etc", GIB, "etc-1gb"),
    ],
)
def test_a_machine_is_named_by_gpu_and_memory(name: str, memory: int, slug: str) -> None:
    """A folder name, whatever the driver calls the GPU."""
    assert environment.machine_slug(gpu(name=name, memory=memory)) == slug


@pytest.mark.parametrize(("arch", "slug"), [("x86_64", "cpu-x86_64"), ("AMD64", "cpu-amd64"), ("", "cpu-unknown")])
def test_a_machine_without_a_gpu_is_named_by_its_cpu(monkeypatch: pytest.MonkeyPatch, arch: str, slug: str) -> None:
    """Architecture alone: models of a CPU share a folder."""
    monkeypatch.setattr("platform.machine", lambda: arch)
    assert environment.machine_slug(None) == slug


# ---------------------------------------------------------------- torch

FAKE_TORCH = """
__version__ = "{version}"
class version: cuda = {cuda}
def zeros(*_, device):
    {body}
"""


@pytest.fixture
def fake_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`fake_torch(source)`: what an interpreter finds as torch."""

    def put(source: str) -> None:
        (tmp_path / "torch.py").write_text(source)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return put


def test_a_torch_that_the_driver_cannot_serve_is_told_in_one_sentence(fake_torch: Any) -> None:
    """GPU, driver, version, build, what torch said, and the command to check with."""
    body = "raise RuntimeError('The NVIDIA driver on your system is too old\\nmore lines')"
    fake_torch(FAKE_TORCH.format(version="2.13.0+cu130", cuda="'13.0'", body=body))
    with pytest.raises(SuiteError) as error:
        environment.check_torch(gpu(name="Tesla T4", driver="470.82"))
    said = str(error.value)
    assert said.startswith(
        "the driver shows Tesla T4 (driver 470.82), but torch 2.13.0+cu130 (built for CUDA 13.0) cannot use it: "
        "The NVIDIA driver on your system is too old."
    )
    assert "more lines" not in said
    assert said.endswith('check with: python -c "import torch; torch.zeros(1, device=0)"')


def test_a_cpu_build_is_called_so(fake_torch: Any) -> None:
    """No CUDA version to name."""
    fake_torch(FAKE_TORCH.format(version="2.13.0+cpu", cuda=None, body="raise AssertionError('no CUDA')"))
    with pytest.raises(SuiteError, match=r"torch 2\.13\.0\+cpu \(a CPU build\) cannot use it: no CUDA"):
        environment.check_torch(gpu())


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("raise ImportError('libcudart.so.13: no such file')", "torch does not import: ImportError: libcudart"),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            "torch does not import: its process was killed by signal 11",
        ),
        ("print('hello'); import sys; sys.exit(0)", "torch does not import: its process said nothing"),
        (
            FAKE_TORCH.format(version="2.13.0+cu130", cuda="'13.0'", body="raise RuntimeError('')"),
            "cannot use it: RuntimeError",
        ),
    ],
    ids=["import error", "killed", "leaves early", "error without a message"],
)
def test_a_torch_that_does_not_import_is_told_of(fake_torch: Any, source: str, seen: str) -> None:
    """However it dies, the message is one sentence."""
    fake_torch(source)
    with pytest.raises(SuiteError) as error:
        environment.check_torch(gpu())
    assert seen in str(error.value)


def test_a_torch_that_works_passes_and_sees_one_gpu_only(fake_torch: Any, tmp_path: Path) -> None:
    """The probe runs with the chosen GPU alone visible."""
    seen = tmp_path / "seen"
    body = f"import os, pathlib; pathlib.Path({str(seen)!r}).write_text(os.environ['CUDA_VISIBLE_DEVICES'])"
    fake_torch("print('a greeting')\n" + FAKE_TORCH.format(version="2.13.0+cu130", cuda="'13.0'", body=body))
    environment.check_torch(gpu(3))
    assert seen.read_text() == "GPU-3"


# ---------------------------------------------------------------- versions


def test_packages_are_named_alike_whatever_their_metadata_says() -> None:
    """Lower case and dashes, sorted; the guarded ones among them."""
    found = environment.packages()
    assert list(found) == sorted(found)
    assert all(name == name.lower() and "_" not in name for name in found)
    assert environment.guarded(found).keys() == set(environment.GUARDED)


def test_the_bare_environment_claims_no_hardware() -> None:
    """A trial that died before it could look around knows its machine's name and the packages."""
    found = environment.bare("somewhere")
    assert (found.machine, dict(found.hardware)) == ("somewhere", {})
    assert "torch" in found.packages


def test_the_cpu_has_a_name() -> None:
    """Never empty: metrics depend on it."""
    assert environment.cpu_model()
    assert os.cpu_count()
